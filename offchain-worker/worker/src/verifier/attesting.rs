//! Committing to an attestation, and revealing it with the chunks that are drawn.
//!
//! What is committed to is the same however often it is made: its salt follows from a secret in the journal, its root from the
//! output. So a crash between the two transactions, or another fork, loses nothing but time. The output is
//! [kept](super::kept) until the window is over.

use super::{Shared, Verifier};
use crate::{
    WorkerError,
    driver::{Matter, Steps},
    job::in_time,
    sources::with_sources,
    turns::Turn,
};
use agora_blobs::{BlobKind, BlobSource, Wanted, keyed_openings, read};
use agora_chain::{
    AtBlock, BlockNumber, H256, Intention, calls,
    views::{AppealWindowView, ChunkDraw},
};
use agora_primitives::{
    job::{BlobRef, keyed_hash},
    judging::{Attestation, Possession, Sealed, attestation_commitment, drawn_chunks, possession_key, to_be_shown},
};
use codec::Encode;
use std::sync::Arc;

/// The salt of an attestation: nobody guesses it without the secret, and it can be made again after a restart.
fn salt_of(secret: &[u8; 32], window: &AppealWindowView, said: Attestation) -> [u8; 32] {
    let about = (window.task, window.seed, window.claim, said);
    BlobRef::to(&(b"attestation", secret, about).encode()).hash.0
}

/// The name of an attestation: of the window, and of what it is about.
fn name_of(said: Attestation, window: &AppealWindowView) -> String {
    let about = BlobRef::to(&(window.seed, window.claim).encode()).hash;
    format!("attestation {said:?} on task {} about {about:?}", window.task)
}

/// The name of the reveal of an attestation.
fn reveal_name_of(said: Attestation, window: &AppealWindowView, draw: H256) -> String {
    format!("reveal of {} with {draw:?}", name_of(said, window))
}

/// What a verifier makes with the bytes of an output, off the threads that wait for others.
async fn with_bytes<T: Send + 'static>(
    bytes: Vec<u8>,
    make: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<(Vec<u8>, T), WorkerError> {
    let made = tokio::task::spawn_blocking(move || {
        let made = make(&bytes);
        (bytes, made)
    });
    made.await.map_err(|panic| WorkerError::Interrupted(panic.to_string()))
}

impl Verifier {
    /// Starts revealing what this verifier has committed to, if it is time.
    pub(super) fn start_reveal(
        &self,
        at: &AtBlock,
        window: AppealWindowView,
        commitment: H256,
        (draw, until): (ChunkDraw, BlockNumber),
        steps: &mut Steps,
    ) {
        let (shared, at) = (Arc::clone(&self.shared), at.clone());
        // Beside whatever else is done about the task: a check of it, in another window or on another fork, may take longer than there is.
        steps.start(Matter::Attestation(window.task), async move {
            shared.reveal_attestation(&at, &window, commitment, draw, until).await
        });
    }
}

impl Shared {
    /// The keyed root over `output`, which is given back.
    pub(super) async fn root_over(
        &self,
        window: &AppealWindowView,
        output: Vec<u8>,
    ) -> Result<(Vec<u8>, H256), WorkerError> {
        let key = possession_key(window.seed, window.task, &self.account.0);
        with_bytes(output, move |bytes| keyed_hash(&key, bytes)).await
    }

    /// What this verifier commits to.
    fn commitment_to(&self, window: &AppealWindowView, said: Attestation, root: Option<H256>, salt: &[u8; 32]) -> H256 {
        let sealed = Sealed {
            genesis: self.submitter.client().genesis_hash(),
            task: window.task,
            seed: window.seed,
            claim: &window.claim,
            verifier: &self.account.0,
            attestation: said,
            root,
        };
        attestation_commitment(&sealed, salt)
    }

    /// Commits to `said` about the result in `window`, over whose output this account has made `root`.
    pub(super) async fn commit(
        &self,
        at: &AtBlock,
        window: &AppealWindowView,
        said: Attestation,
        root: Option<H256>,
    ) -> Result<(), WorkerError> {
        let task = window.task;
        // On disk before anybody hears of what is made with it.
        let salt = salt_of(&self.journal.vote_secret()?, window, said);
        let root = to_be_shown(&window.claim, said).map(|_| root.unwrap_or_default());
        let call = calls::commit_attestation(task, self.commitment_to(window, said, root, &salt));
        // The commitment binds claim and window, and the chain cannot see which. A task may have several, and others on another fork, where
        // this one could never be revealed.
        let intention = Intention::named(name_of(said, window))
            .until(window.until)
            .decided_at(at.block)
            .urgent(1);
        let included = self.submitter.submit_as(&call, intention).await?;
        self.metrics.attested.inc();
        tracing::info!(%task, ?said, block = included.block.number, "Committed to an attestation.");
        self.pause_after_attestation().await;
        Ok(())
    }

    /// Stops there for ever, with [`Pause::AfterAttestation`](crate::Pause::AfterAttestation).
    #[cfg(feature = "fault-injection")]
    async fn pause_after_attestation(&self) {
        use crate::{Fault, Pause};
        if self.config.fault == Some(Fault::Pause(Pause::AfterAttestation)) {
            tracing::warn!("Paused at after-attestation by fault injection.");
            std::future::pending::<()>().await;
        }
    }

    #[cfg(not(feature = "fault-injection"))]
    async fn pause_after_attestation(&self) {}

    /// Reveals what this account has committed to in `window`, by block `until`.
    async fn reveal_attestation(
        &self,
        at: &AtBlock,
        window: &AppealWindowView,
        commitment: H256,
        draw: ChunkDraw,
        until: BlockNumber,
    ) -> Result<(), WorkerError> {
        let task = window.task;
        let secret = self.journal.vote_secret()?;
        let is = |said, root| {
            let salt = salt_of(&secret, window, said);
            (self.commitment_to(window, said, root, &salt) == commitment).then_some((said, salt))
        };
        let without = [Attestation::Valid, Attestation::Invalid]
            .into_iter()
            .filter(|said| to_be_shown(&window.claim, *said).is_none())
            .find_map(|said| is(said, None));
        let found = match (without, to_be_shown(&window.claim, Attestation::Valid)) {
            (Some(found), _) => Some((found, None)),
            (None, Some(output)) => {
                let shown = self.possession(at, window, output, draw, until).await?;
                shown.and_then(|shown| Some((is(Attestation::Valid, Some(shown.root))?, Some(shown))))
            }
            (None, None) => None,
        };
        let Some(((said, salt), possession)) = found else {
            if self.told.is_new(format!("attestation on task {task}"), commitment) {
                tracing::error!(
                    %task,
                    "This account has committed to an attestation that it cannot reveal: it loses the bond."
                );
            }
            return Ok(());
        };
        let call = calls::reveal_attestation(task, said, salt, possession);
        let intention = Intention::named(reveal_name_of(said, window, draw.seed))
            .until(until)
            .decided_at(at.block)
            .urgent(1);
        let included = self.submitter.submit_as(&call, intention).await?;
        self.metrics.attestations_revealed.inc();
        tracing::info!(%task, ?said, block = included.block.number, "Attested.");
        Ok(())
    }

    /// The drawn chunks of `output`, from what was kept of it, or fetched once more. `None`: it does not have them.
    async fn possession(
        &self,
        at: &AtBlock,
        window: &AppealWindowView,
        output: &BlobRef,
        draw: ChunkDraw,
        until: BlockNumber,
    ) -> Result<Option<Possession>, WorkerError> {
        if output.size > self.config.max_job_bytes {
            return Ok(None);
        }
        let (_memory, bytes) = self.output_of(at, window, output, until).await?;
        let drawn = drawn_chunks(draw.seed, window.task, &self.account.0, output.chunks());
        let key = possession_key(window.seed, window.task, &self.account.0);
        let (_, shown) = with_bytes(bytes, move |bytes| possession(&key, bytes, &drawn)).await?;
        Ok(shown)
    }

    /// The bytes of an output that was kept, which is to be revealed by block `until`, and the memory that they take; fetched again, if they
    /// are lost.
    async fn output_of(
        &self,
        at: &AtBlock,
        window: &AppealWindowView,
        output: &BlobRef,
        until: BlockNumber,
    ) -> Result<(Turn, Vec<u8>), WorkerError> {
        let wanted = Wanted::content(BlobKind::Output, output);
        {
            let memory = self.checker.memory_for_reveal(until, output.size).await;
            let kept = async { read(&self.kept.of(window.task)?, &wanted).await };
            match kept.await {
                Ok(bytes) => return Ok((memory, bytes)),
                Err(error) if self.told.is_new(format!("kept output of task {}", window.task), &error) => {
                    tracing::warn!(task = %window.task, %error, "An output that was kept is lost: it is fetched again.");
                }
                Err(_) => {}
            }
        }
        let Some(view) = at.task(window.task).await? else {
            return Err(WorkerError::Withheld);
        };
        let blobs = with_sources(&self.blobs, at, &view, Some(&self.account)).await;
        // To disk first: whoever gives it slowly keeps no memory from others.
        in_time(output.size, async { Ok(blobs.fetch(&wanted).await?) }).await?;
        let memory = self.checker.memory_for_reveal(until, output.size).await;
        let bytes = in_time(output.size, async { Ok(read(&blobs, &wanted).await?) }).await?;
        Ok((memory, bytes))
    }
}

/// Shows that this account has had an output: the root over it with `key`, and its `drawn` chunks. `None`: it does not have them.
fn possession(key: &[u8; 32], output: &[u8], drawn: &[u64]) -> Option<Possession> {
    let (root, openings) = keyed_openings(key, output, drawn)?;
    let openings = openings.try_into().ok()?;
    Some(Possession { root, openings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_primitives::{TaskId, job::Claim};
    use std::collections::HashSet;

    #[test]
    fn what_was_attested_is_shown_as_the_chain_wants_it() {
        let key = [7; 32];
        for len in [0usize, 1, 1024, 5000, 100_000] {
            let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let output = BlobRef::to(&bytes);
            let drawn = drawn_chunks(H256([3; 32]), TaskId(7), &[1u8; 32], output.chunks());
            let shown = possession(&key, &bytes, &drawn).expect("it has them");
            assert!(shown.shows(&output, &key, &drawn), "{len}");
            assert_eq!(shown.root, keyed_hash(&key, &bytes), "what was committed to");
        }
        assert_eq!(possession(&key, &[1; 1024], &[1]), None);
    }

    #[test]
    fn attestations_about_different_claims_or_windows_have_different_names() {
        let window = AppealWindowView {
            task: TaskId(7),
            claim: Claim::Unusable,
            seed: H256([1; 32]),
            until: 9,
            reveal_window: 5,
            draw: None,
            attestations: Default::default(),
        };
        let other_seed = AppealWindowView {
            seed: H256([2; 32]),
            ..window.clone()
        };
        let other_claim = AppealWindowView {
            claim: Claim::Output {
                output: BlobRef::to(&[1]),
                states_root: H256([1; 32]),
            },
            ..window.clone()
        };
        let windows = [&window, &other_seed, &other_claim];
        let mut names: HashSet<_> = windows.map(|window| name_of(Attestation::Valid, window)).into();
        names.extend(windows.map(|window| reveal_name_of(Attestation::Valid, window, H256([1; 32]))));
        names.insert(reveal_name_of(Attestation::Valid, &window, H256([2; 32])));
        names.insert(name_of(Attestation::Invalid, &window));
        assert_eq!(names.len(), 8, "{names:?}");
        let salts = windows.map(|window| salt_of(&[1; 32], window, Attestation::Valid));
        let mut salts: HashSet<_> = salts.into();
        salts.insert(salt_of(&[2; 32], &window, Attestation::Valid));
        salts.insert(salt_of(&[1; 32], &window, Attestation::Invalid));
        assert_eq!(salts.len(), 5);
        let again = salt_of(&[1; 32], &window, Attestation::Valid);
        assert!(salts.contains(&again), "it can be made again");
    }
}
