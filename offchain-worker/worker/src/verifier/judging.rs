//! Finding out whether a result is right: by a check, or by computing it.

use super::{
    Shared, Tried,
    checking::Loaded,
    recompute::{Own, Patience, Recompute},
};
use crate::{
    AttestRecord, WorkerError,
    job::{fetch_for_check, in_time, job_bytes, load_for_check, load_spec, put_result},
    sources::with_sources,
    turns::Turn,
};
use agora_blobs::Blobs;
use agora_chain::{
    AtBlock, BlockNumber,
    views::{AppealWindowView, TaskView},
};
use agora_primitives::{
    job::{Claim, JobSpec},
    judging::Attestation,
};

/// Whether this account is among those who may attest in a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seat {
    /// It is.
    Drawn,
    /// It is not: it can only compute the result, and accuse it in court.
    NotDrawn,
}

/// How a result is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// It is computed.
    Compute,
    /// It is checked; computed if it is withheld, and if that is asked for.
    Check,
    /// It is left to others.
    None,
}

impl Look {
    /// At a result of a job of which `which` are computed.
    pub const fn at(seat: Seat, which: Recompute) -> Self {
        match (seat, which) {
            (_, Recompute::Always) => Self::Compute,
            (Seat::Drawn, Recompute::Withheld | Recompute::Never) => Self::Check,
            (Seat::NotDrawn, Recompute::Withheld | Recompute::Never) => Self::None,
        }
    }
}

/// The seed of this verifier's check: the drawn one combined with a secret.
///
/// The author of the block that drew the seed knew it before everybody else, and could have built a wrong output that passes
/// this one check. Nobody can predict the combination. A right output passes with every seed.
fn private_seed(drawn: [u8; 32], secret: [u8; 32]) -> [u8; 32] {
    std::array::from_fn(|at| drawn[at] ^ secret[at])
}

/// The place in the line: a result that could not be checked, as one that is withheld, waits behind those that were not
/// tried so often. Among the others, the window that closes first comes first. What this account is not drawn for comes last.
pub(super) fn rank(seat: Seat, failures: u32, until: BlockNumber) -> u64 {
    let last = match seat {
        Seat::Drawn => 0,
        Seat::NotDrawn => 1 << 63,
    };
    last | (u64::from(failures.min(i32::MAX as u32)) << 32) | u64::from(until)
}

/// Whether `record`, of an earlier look at the claim in `window`, says all that is needed. Drawn, this account attests what was found before
/// a restart; if the output is needed and what was made of it is not known, it looks at it once more.
pub(super) fn is_enough(seat: Seat, record: &AttestRecord, window: &AppealWindowView) -> bool {
    match seat {
        Seat::Drawn => !record.valid || record.root_in(window.seed).is_some() || !has_bytes(&window.claim),
        Seat::NotDrawn => record.own.is_some(),
    }
}

/// Whether a claim has an output with bytes.
fn has_bytes(claim: &Claim) -> bool {
    claim.output().is_some_and(|output| output.size > 0)
}

impl Shared {
    /// Whether the result in `window` is right. `None`: that was not found out, for a reason that trying again would not mend.
    ///
    /// Errors: those of fetching, checking and computing.
    pub(super) async fn judge(
        &self,
        at: &AtBlock,
        view: &TaskView,
        window: &AppealWindowView,
        seat: Seat,
    ) -> Result<Option<AttestRecord>, WorkerError> {
        let (task, until) = (window.task, window.until);
        let tried = self.tried(window, at.block.number);
        let rank = rank(seat, tried.failures, until);
        let fetching = self.fetching.take(rank, 1).await;
        let blobs = with_sources(&self.blobs, at, view, Some(&self.account)).await;
        let job = in_time(0, load_spec(&blobs, &view.job)).await?;
        if job_bytes(&job) > self.config.max_job_bytes {
            tracing::debug!(%task, bytes = job_bytes(&job), "Not checked: larger than this verifier takes.");
            return Ok(None);
        }
        let which = self.recomputer.which(&job);
        match Look::at(seat, which) {
            Look::Compute => self.recompute(&blobs, job, window, seat, (rank, fetching)).await,
            Look::Check => self.check(&blobs, job, window, tried, (rank, fetching)).await,
            Look::None => Ok(None),
        }
    }

    /// Checks the result in `window`; computes it if nobody gives it. `None`: the window closed first.
    async fn check(
        &self,
        blobs: &Blobs,
        job: JobSpec,
        window: &AppealWindowView,
        tried: Tried,
        (rank, fetching): (u64, Turn),
    ) -> Result<Option<AttestRecord>, WorkerError> {
        let (task, claim, until) = (window.task, window.claim, window.until);
        let bytes = job_bytes(&job);
        // Of a claim without an output there is nothing that could be withheld but the inputs.
        let may_compute = self.recomputer.which(&job) == Recompute::Withheld && claim.output().is_some();
        let patience = Patience::of(tried.since, until);
        let fetched = tokio::select! {
            fetched = in_time(bytes, fetch_for_check(blobs, &job, &claim)) => fetched,
            () = self.reached(until) => Ok(()),
            () = self.reached(patience.slow_at), if may_compute => Err(WorkerError::Withheld),
        };
        self.note(task, fetched.is_ok());
        match fetched {
            Err(error) if may_compute && self.best_block() >= patience.refused_at.into() => {
                if self.told.is_new(format!("output of task {task}"), claim) {
                    tracing::warn!(%task, %error, "Nobody gives this result: it is computed here.");
                }
                return self.recompute(blobs, job, window, Seat::Drawn, (rank, fetching)).await;
            }
            fetched => fetched?,
        }
        // Only what is here takes memory.
        drop(fetching);
        let load = async {
            let loaded = in_time(bytes, load_for_check(blobs, &job, &claim)).await;
            self.note(task, loaded.is_ok());
            let (output, inputs) = loaded?;
            let (output, root) = self.root_over(window, output).await?;
            let loaded = Loaded {
                job: job.clone(),
                inputs,
                claim,
                output,
                seed: private_seed(window.seed.0, rand::random()),
            };
            Ok::<_, WorkerError>((loaded, root))
        };
        let Some((found, root)) = self.checker.check(rank, bytes, load, self.reached(until)).await? else {
            tracing::warn!(%task, "Not checked: its window closed first.");
            return Ok(None);
        };
        let valid = found == Attestation::Valid;
        if let Some(output) = claim.output().filter(|_| valid) {
            self.kept.copy(blobs, task, output).await?;
        }
        Ok(Some(AttestRecord {
            claim,
            valid,
            own: None,
            root: Some((window.seed, root)),
        }))
    }

    /// Computes the result in `window`, and keeps what it comes to where others find it. `None`: the window closed first.
    async fn recompute(
        &self,
        blobs: &Blobs,
        job: JobSpec,
        window: &AppealWindowView,
        seat: Seat,
        (rank, fetching): (u64, Turn),
    ) -> Result<Option<AttestRecord>, WorkerError> {
        let (task, claim) = (window.task, window.claim);
        let too_late = self.reached(window.until);
        let computed = self
            .recomputer
            .compute(blobs, job, claim, rank, fetching, too_late)
            .await;
        self.note(task, computed.is_ok());
        let Some(own) = computed? else {
            tracing::warn!(%task, "Not judged: its window closed before the result was computed.");
            return Ok(None);
        };
        self.metrics.recomputed.inc();
        let mut record = AttestRecord::computed(claim, own.claim());
        match (record.valid, seat) {
            (true, Seat::Drawn) => tracing::info!(%task, "Computed a result: it is right, and is served from here."),
            // Those who attest serve it.
            (true, Seat::NotDrawn) => {
                tracing::info!(%task, "Computed a result: it is right.");
                return Ok(Some(record));
            }
            (false, _) => tracing::warn!(%task, ?claim, "Computed a result: what is claimed is wrong."),
        }
        // Where the claim is wrong, this output may take its place; until then nobody knows what to ask for.
        if let Own::Result(mut computation) = own {
            if let Err(error) = put_result(blobs.store(), &computation).await {
                tracing::error!(%task, %error, "A computed result cannot be kept: others will not have it from here.");
            }
            if record.valid {
                let output = std::mem::take(&mut computation.output);
                let (output, root) = self.root_over(window, output).await?;
                record.root = Some((window.seed, root));
                self.kept.put(task, output).await?;
            }
        }
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_chain::H256;
    use agora_primitives::{TaskId, job::BlobRef};

    #[test]
    fn a_withheld_result_waits_behind_those_that_were_not_tried_and_the_next_to_close_comes_first() {
        for seat in [Seat::Drawn, Seat::NotDrawn] {
            assert!(rank(seat, 0, 10) < rank(seat, 0, 11));
            assert!(rank(seat, 0, u32::MAX) < rank(seat, 1, 0));
            assert!(rank(seat, 1, 10) < rank(seat, 2, 9));
        }
        let last = rank(Seat::Drawn, u32::MAX, u32::MAX);
        assert!(last < rank(Seat::NotDrawn, 0, 0), "nothing can be attested there");
    }

    #[test]
    fn who_computes_all_looks_at_all_and_others_at_what_they_are_drawn_for() {
        use Recompute::{Always, Never, Withheld};
        for (which, drawn, not_drawn) in [
            (Always, Look::Compute, Look::Compute),
            (Withheld, Look::Check, Look::None),
            (Never, Look::Check, Look::None),
        ] {
            assert_eq!(Look::at(Seat::Drawn, which), drawn, "{which:?}");
            assert_eq!(Look::at(Seat::NotDrawn, which), not_drawn, "{which:?}");
        }
    }

    #[test]
    fn what_was_found_before_is_enough_if_it_says_what_the_seat_needs() {
        let claim = Claim::Output {
            output: BlobRef::to(&[1]),
            states_root: H256([1; 32]),
        };
        let window = AppealWindowView {
            task: TaskId(7),
            claim,
            seed: H256([1; 32]),
            until: 9,
            reveal_window: 5,
            draw: None,
            attestations: Default::default(),
        };
        let record = |valid, own, root: Option<[u8; 32]>| AttestRecord {
            claim,
            valid,
            own,
            root: root.map(|seed| (H256(seed), H256([9; 32]))),
        };
        let checked = record(true, None, Some([1; 32]));
        let other_window = record(true, None, Some([2; 32]));
        let wrong = record(false, None, None);
        let computed = record(true, Some(claim), None);
        let drawn = |record| is_enough(Seat::Drawn, record, &window);
        assert!(drawn(&checked) && drawn(&wrong));
        assert!(!drawn(&other_window) && !drawn(&computed), "the output is to be shown");
        let not_drawn = |record| is_enough(Seat::NotDrawn, record, &window);
        assert!(not_drawn(&computed), "it is computed once");
        assert!(!not_drawn(&checked) && !not_drawn(&wrong), "a check may be wrong");
    }

    #[test]
    fn every_byte_of_a_private_seed_depends_on_the_secret_and_on_the_draw() {
        let seed = private_seed([0b1100; 32], [0b1010; 32]);
        assert_eq!(seed, [0b0110; 32]);
        for byte in 0..32 {
            let mut flipped = [0; 32];
            flipped[byte] = 0xff;
            assert_eq!(private_seed(flipped, [0; 32]), flipped);
            assert_eq!(private_seed([0; 32], flipped), flipped);
        }
    }
}
