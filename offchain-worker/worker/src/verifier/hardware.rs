//! A verifier's votes on answers to hardware challenges.

use super::{Shared, Verifier};
use crate::{
    WorkerError,
    driver::{Matter, Steps},
};
use agora_chain::{
    AccountId, AtBlock, BlockNumber, H256, calls,
    views::{AnswerView, RoundView},
};
use agora_compute::MemoryInputs;
use agora_primitives::judging::Attestation;
use std::{collections::HashMap, sync::Arc};

/// Blocks between two looks at the answers of a round that takes no more of them: somebody may have voted wrongly.
const LATE_LOOK_EVERY: BlockNumber = 10;

/// What was found about the answers of one round. Not in the journal: finding it again costs less than a restart.
#[derive(Default)]
pub(super) struct Findings {
    round: u32,
    of: HashMap<[u8; 32], (H256, Attestation)>,
}

impl Verifier {
    /// Starts what is due about the answers to hardware challenges.
    pub(super) async fn look_at_answers(&self, at: &AtBlock, steps: &mut Steps) -> Result<(), WorkerError> {
        let Some(round) = at.hardware_round().await? else {
            return Ok(());
        };
        let now = at.block.number;
        if now >= round.closes_at && !now.is_multiple_of(LATE_LOOK_EVERY) {
            return Ok(());
        }
        for (worker, answer) in at.hardware_answers(round.number).await? {
            if worker == self.shared.account || answer.attestations.has(&self.shared.account) {
                continue;
            }
            let shared = Arc::clone(&self.shared);
            steps.start(Matter::Response(round.number, worker.0), async move {
                shared.attest_answer(&round, worker, answer).await
            });
        }
        Ok(())
    }
}

impl Shared {
    /// Checks an answer to a hardware challenge, and votes on it where the votes so far come to something else than what
    /// was found.
    async fn attest_answer(&self, round: &RoundView, worker: AccountId, answer: AnswerView) -> Result<(), WorkerError> {
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
                .filter(|(digest, _)| *digest == answer.digest)
        };
        let found = match known {
            Some((_, found)) => found,
            None => {
                let _one_at_a_time = self.checking.acquire().await;
                let job = round.challenge(&worker, answer.capability);
                // Nobody can prepare for a seed that was never said.
                let seed = rand::random();
                let found = self.check(job, MemoryInputs::new(), answer.digest, seed).await?;
                let mut findings = self.findings.lock().await;
                if findings.round == round.number {
                    findings.of.insert(worker.0, (answer.digest, found));
                }
                found
            }
        };
        if answer.standing(round.quorum).agrees_with(found) {
            return Ok(());
        }
        let said = self.said(found);
        let call = calls::attest_answer(round.number, worker, said);
        let included = self.submitter.submit(&call).await?;
        tracing::info!(
            round = round.number,
            %worker,
            ?said,
            block = included.block.number,
            "Voted on an answer to a hardware challenge."
        );
        Ok(())
    }
}
