//! A verifier's votes on responses to hardware challenges.

use super::{Shared, Verifier, rank};
use crate::{
    WorkerError,
    driver::{Matter, Steps},
    job::{fetch_for_check, in_time, job_bytes, load_output},
    sources::with_addresses,
};
use agora_chain::{
    AccountId, AtBlock, BlockNumber, H256, Intention, calls,
    views::{ResponseView, RoundView, ScheduleView},
};
use agora_compute::MemoryInputs;
use agora_primitives::{
    job::{BlobRef, Claim, JobSpec, states_root},
    judging::Attestation,
};
use std::{collections::HashMap, sync::Arc};

/// Blocks between two looks at the responses of a round that takes no more of them, in case somebody has voted wrongly.
const LATE_LOOK_EVERY: BlockNumber = 10;
/// How many blocks a vote is worth something if no further rounds are held.
const VOTE_LIFE: BlockNumber = 64;

/// What was found about the responses of one round. It is not in the journal: after a restart the responses are checked
/// again.
#[derive(Default)]
pub(super) struct Findings {
    round: u32,
    of: HashMap<[u8; 32], (H256, Attestation)>,
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
        let until = votes_until(now, at.hardware_schedule().await?);
        for (worker, response) in at.hardware_responses(round.number).await? {
            if worker == self.shared.account || response.votes.has(&self.shared.account) {
                continue;
            }
            let (shared, at) = (Arc::clone(&self.shared), at.clone());
            steps.start(Matter::Response(round.number, worker.0), async move {
                shared.vote(&at, &round, worker, response, until).await
            });
        }
        Ok(())
    }
}

impl Shared {
    /// Checks a response to a hardware challenge, and votes on it where the votes so far decide something else than
    /// what was found.
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
            if findings.round != round.number {
                *findings = Findings {
                    round: round.number,
                    ..Findings::default()
                };
            }
            findings
                .of
                .get(&worker.0)
                .copied()
                .filter(|(digest, _)| *digest == response.digest)
        };
        let found = match known {
            Some((_, found)) => found,
            None => {
                let job = round.challenge(&worker, response.capability);
                // Nobody can prepare for a seed that is never published.
                let seed = rand::random();
                let claim = answer(&job, response.digest);
                let blobs = with_addresses(&self.blobs, at.addresses(&worker).await);
                // It comes from the worker that is checked, which may take its time: nobody else waits for that.
                in_time(job_bytes(&job), fetch_for_check(&blobs, &job, &claim)).await?;
                // All responses of a round come at once, and each takes megabytes.
                let rank = rank(0, until);
                let _held = self.memory.take(rank, job_bytes(&job)).await;
                let _computing = self.computing.take(rank, 1).await;
                let output = in_time(0, load_output(&blobs, &job, &claim)).await?;
                let found = self.check(job, MemoryInputs::new(), claim, output, seed).await?;
                let mut findings = self.findings.lock().await;
                if findings.round == round.number {
                    findings.of.insert(worker.0, (response.digest, found));
                }
                found
            }
        };
        if response.decision(round.quorum).agrees_with(found) {
            return Ok(());
        }
        let said = self.said(found);
        let call = calls::vote(round.number, worker, said);
        let name = format!(
            "vote {said:?} on response {:?} of {worker} in hardware round {}",
            response.digest, round.number
        );
        // The call names neither the response nor the seed of its challenge: on another fork they may be others.
        let intention = Intention::named(name).until(until).decided_at(at.block);
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
}

/// The last block in which a vote on the current round counts: the next round ends it.
fn votes_until(now: BlockNumber, schedule: Option<ScheduleView>) -> BlockNumber {
    let next = schedule.map(|schedule| schedule.next_round(now).saturating_sub(1));
    next.unwrap_or(now.saturating_add(VOTE_LIFE))
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

    #[test]
    fn a_vote_is_worth_nothing_once_the_next_round_opens() {
        let schedule = ScheduleView {
            period: 100,
            window: 10,
            validity: 300,
            quorum: 1,
        };
        assert_eq!(votes_until(130, Some(schedule)), 199);
        assert_eq!(votes_until(199, Some(schedule)), 199);
        assert_eq!(votes_until(130, None), 130 + VOTE_LIFE);
    }
}
