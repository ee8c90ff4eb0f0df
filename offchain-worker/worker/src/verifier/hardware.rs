//! A verifier's votes on responses to hardware challenges: it checks what it can fetch, commits to what it found, and reveals what was
//! drawn. It does not vote on what it cannot fetch: as long as those who look have most of the bonds, that keeps a response from counting.

use super::{
    Shared, Verifier,
    checking::Loaded,
    judging::{Seat, rank},
};
use crate::{
    WorkerError,
    driver::{Matter, Steps},
    job::{fetch_for_check, in_time, job_bytes, load_output},
    sources::with_addresses,
};
use agora_chain::{
    AccountId, AtBlock, BlockNumber, H256, Intention, calls,
    views::{ResponseView, RoundPhase, RoundView, VoteView},
};
use agora_compute::MemoryInputs;
use agora_primitives::{
    capability::{Ballot, Lots, is_drawn, vote_commitment},
    job::{BlobRef, Claim, JobSpec, states_root},
    judging::Attestation,
};
use codec::Encode;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Blocks between two looks at a round that takes no more responses.
const LATE_LOOK_EVERY: BlockNumber = 4;

/// What was found about the responses of one round. It is not in the journal: after a restart the responses on which this verifier has
/// not voted are checked again.
#[derive(Default)]
pub(super) struct Findings {
    round: u32,
    of: HashMap<[u8; 32], (H256, Attestation)>,
    /// Those that could not be checked when they were tried last.
    failed: HashSet<[u8; 32]>,
}

impl Findings {
    /// Those of the round with this number; what was found in others is forgotten.
    fn in_round(&mut self, round: u32) -> &mut Self {
        if self.round != round {
            *self = Self {
                round,
                ..Self::default()
            };
        }
        self
    }
}

impl Verifier {
    /// Starts what is due about the responses to hardware challenges.
    pub(super) async fn look_at_responses(&self, at: &AtBlock, steps: &mut Steps) -> Result<(), WorkerError> {
        let Some(round) = at.hardware_round().await? else {
            return Ok(());
        };
        let now = at.block.number;
        if now >= round.closes_at && !now.is_multiple_of(LATE_LOOK_EVERY) {
            return Ok(());
        }
        match round.phase_after(now) {
            RoundPhase::Voting { until } => self.look_for_votes(at, &round, until, steps).await,
            RoundPhase::Revealing { draw, until } => self.look_for_reveals(at, &round, draw, until, steps).await,
            RoundPhase::Waiting => Ok(()),
        }
    }

    /// Starts checking the responses on which this verifier has not voted, as many as its bond backs votes.
    async fn look_for_votes(
        &self,
        at: &AtBlock,
        round: &RoundView,
        until: BlockNumber,
        steps: &mut Steps,
    ) -> Result<(), WorkerError> {
        let shared = &self.shared;
        if !shared.takes_risks() {
            return Ok(());
        }
        let voted = at.hardware_votes(round.number, &shared.account).await?;
        let mut responses = at.hardware_responses(round.number).await?;
        responses.retain(|(worker, _)| *worker != shared.account && !voted.contains_key(worker));
        if responses.is_empty() {
            return Ok(());
        }
        let left = at.hardware_votes_left(&shared.account).await?;
        let secret = shared.journal.vote_secret()?;
        {
            let mut findings = shared.findings.lock().await;
            let failed = &findings.in_round(round.number).failed;
            responses.sort_by_cached_key(|(worker, _)| (failed.contains(&worker.0), place(&secret, round, worker)));
        }
        for (worker, response) in responses.into_iter().take(left as usize) {
            let (shared, at, round) = (Arc::clone(shared), at.clone(), *round);
            steps.start(Matter::Response(round.number, worker.0), async move {
                let voted = shared.vote(&at, &round, worker, response, until).await;
                shared.note_response(&round, worker, voted.is_ok()).await;
                voted
            });
        }
        Ok(())
    }

    /// Starts revealing the votes of this verifier that were drawn.
    async fn look_for_reveals(
        &self,
        at: &AtBlock,
        round: &RoundView,
        draw: H256,
        until: BlockNumber,
        steps: &mut Steps,
    ) -> Result<(), WorkerError> {
        let shared = &self.shared;
        for (worker, vote) in at.hardware_votes(round.number, &shared.account).await? {
            let Some(response) = at.hardware_response(round.number, &worker).await? else {
                continue;
            };
            let lots = Lots {
                draw,
                total: response.weight,
                seats: round.seats,
            };
            if !is_drawn(&lots, &worker.0, &shared.account.0, vote.weight) {
                continue;
            }
            let (shared, at, round) = (Arc::clone(shared), at.clone(), *round);
            steps.start(Matter::Response(round.number, worker.0), async move {
                shared.reveal(&at, &round, (worker, response.digest), vote, until).await
            });
        }
        Ok(())
    }
}

/// A verifier's place in its own line of responses: nobody else knows who comes first where its bond does not back votes on all.
fn place(secret: &[u8; 32], round: &RoundView, worker: &AccountId) -> H256 {
    BlobRef::to(&(b"place", secret, round.seed, worker.0).encode()).hash
}

/// The salt of a vote: nobody guesses it without the secret, and it can be made again after a restart.
fn salt_of(secret: &[u8; 32], round: &RoundView, worker: &AccountId, digest: H256) -> [u8; 32] {
    BlobRef::to(&(b"salt", secret, round.seed, worker.0, digest).encode())
        .hash
        .0
}

impl Shared {
    /// Checks a response to a hardware challenge, and commits to what was found.
    async fn vote(
        &self,
        at: &AtBlock,
        round: &RoundView,
        worker: AccountId,
        response: ResponseView,
        until: BlockNumber,
    ) -> Result<(), WorkerError> {
        let known = {
            let mut findings = self.findings.lock().await;
            let known = findings.in_round(round.number).of.get(&worker.0).copied();
            known.filter(|(digest, _)| *digest == response.digest)
        };
        let found = match known {
            Some((_, found)) => found,
            None => {
                let job = round.challenge(&worker, response.capability);
                let claim = answer(&job, response.digest);
                let blobs = with_addresses(&self.blobs, at.addresses(&worker).await);
                // It comes from the worker that is checked, which may take its time: nobody else waits for that.
                in_time(job_bytes(&job), fetch_for_check(&blobs, &job, &claim)).await?;
                let bytes = job_bytes(&job);
                let load = async {
                    let loaded = Loaded {
                        output: in_time(0, load_output(&blobs, &job, &claim)).await?,
                        job: job.clone(),
                        inputs: MemoryInputs::new(),
                        claim,
                        // Nobody can prepare for a seed that is never published.
                        seed: rand::random(),
                    };
                    Ok::<_, WorkerError>((loaded, ()))
                };
                // All responses of a round come at once, and each takes megabytes.
                let rank = rank(Seat::Drawn, 0, until);
                let checked = self.checker.check(rank, bytes, load, self.reached(until)).await?;
                let Some((found, ())) = checked else {
                    tracing::warn!(round = round.number, %worker, "A response was not checked: the voting is over.");
                    return Ok(());
                };
                let mut findings = self.findings.lock().await;
                if findings.round == round.number {
                    findings.of.insert(worker.0, (response.digest, found));
                }
                found
            }
        };
        let salt = salt_of(&self.journal.vote_secret()?, round, &worker, response.digest);
        let commitment = self.commitment(round, (worker, response.digest), self.said(found), &salt);
        let call = calls::commit_vote(round.number, worker, response.digest, commitment);
        let name = format!(
            "vote on response {:?} of {worker} in hardware round {}",
            response.digest, round.number
        );
        // The call does not name the seed of the challenge: on another fork it may be another one.
        let intention = Intention::named(name).until(until).decided_at(at.block);
        let included = self.submitter.submit_as(&call, intention).await?;
        tracing::info!(
            round = round.number,
            %worker,
            block = included.block.number,
            "Committed to a vote on a response to a hardware challenge."
        );
        Ok(())
    }

    /// Reveals what this verifier has voted on the response of a worker, which has this digest.
    async fn reveal(
        &self,
        at: &AtBlock,
        round: &RoundView,
        (worker, digest): (AccountId, H256),
        vote: VoteView,
        until: BlockNumber,
    ) -> Result<(), WorkerError> {
        let salt = salt_of(&self.journal.vote_secret()?, round, &worker, digest);
        let said = [Attestation::Valid, Attestation::Invalid]
            .into_iter()
            .find(|said| self.commitment(round, (worker, digest), *said, &salt) == vote.commitment);
        let Some(said) = said else {
            tracing::error!(
                round = round.number,
                %worker,
                "A vote was drawn that this journal knows nothing of: it cannot be revealed, and a part of the bond is lost."
            );
            return Ok(());
        };
        let call = calls::reveal_vote(round.number, worker, said, salt);
        let name = format!(
            "reveal of {said:?} on response {digest:?} of {worker} in hardware round {}",
            round.number
        );
        let intention = Intention::named(name).until(until).decided_at(at.block).urgent(1);
        let included = self.submitter.submit_as(&call, intention).await?;
        tracing::info!(
            round = round.number,
            %worker,
            ?said,
            block = included.block.number,
            "Voted on a response to a hardware challenge."
        );
        Ok(())
    }

    /// What this verifier commits to.
    fn commitment(
        &self,
        round: &RoundView,
        (worker, digest): (AccountId, H256),
        vote: Attestation,
        salt: &[u8; 32],
    ) -> H256 {
        let ballot = Ballot {
            round_seed: round.seed,
            worker: &worker.0,
            digest,
            verifier: &self.account.0,
            vote,
        };
        vote_commitment(&ballot, salt)
    }

    /// Takes down whether a response could be checked: those that could not come after the others.
    async fn note_response(&self, round: &RoundView, worker: AccountId, is_checked: bool) {
        let mut findings = self.findings.lock().await;
        let failed = &mut findings.in_round(round.number).failed;
        match is_checked {
            true => failed.remove(&worker.0),
            false => failed.insert(worker.0),
        };
    }
}

/// The claim that a response with `digest` makes about its challenge. Nobody looks at the states of a challenge.
fn answer(job: &JobSpec, digest: H256) -> Claim {
    Claim::Output {
        output: BlobRef {
            hash: digest,
            size: job.max_output_bytes(),
        },
        states_root: states_root(&[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND: RoundView = RoundView {
        number: 3,
        seed: H256([1; 32]),
        closes_at: 108,
        window_ms: 8_000,
        votes_close_at: 168,
        ends_at: 209,
        seats: 16,
        draw: None,
    };
    const WORKER: AccountId = AccountId([2; 32]);

    #[test]
    fn votes_are_committed_to_and_revealed_in_blocks_that_take_them() {
        assert_eq!(ROUND.phase_after(100), RoundPhase::Voting { until: 167 });
        assert_eq!(ROUND.phase_after(166), RoundPhase::Voting { until: 167 });
        assert_eq!(ROUND.phase_after(167), RoundPhase::Waiting);
        let draw = H256([9; 32]);
        let drawn = RoundView {
            draw: Some(draw),
            ..ROUND
        };
        assert_eq!(drawn.phase_after(169), RoundPhase::Revealing { draw, until: 208 });
        assert_eq!(drawn.phase_after(207), RoundPhase::Revealing { draw, until: 208 });
        assert_eq!(drawn.phase_after(208), RoundPhase::Waiting);
    }

    #[test]
    fn every_vote_has_a_salt_and_a_place_of_its_own() {
        let other_round = RoundView {
            seed: H256([7; 32]),
            ..ROUND
        };
        let digest = H256([5; 32]);
        let salts = [
            salt_of(&[1; 32], &ROUND, &WORKER, digest),
            salt_of(&[2; 32], &ROUND, &WORKER, digest),
            salt_of(&[1; 32], &other_round, &WORKER, digest),
            salt_of(&[1; 32], &ROUND, &AccountId([3; 32]), digest),
            salt_of(&[1; 32], &ROUND, &WORKER, H256([6; 32])),
            place(&[1; 32], &ROUND, &WORKER).0,
            place(&[2; 32], &ROUND, &WORKER).0,
            place(&[1; 32], &other_round, &WORKER).0,
            place(&[1; 32], &ROUND, &AccountId([3; 32])).0,
        ];
        assert_eq!(salts.iter().collect::<HashSet<_>>().len(), salts.len());
        assert_eq!(salts[0], salt_of(&[1; 32], &ROUND, &WORKER, digest));
    }
}
