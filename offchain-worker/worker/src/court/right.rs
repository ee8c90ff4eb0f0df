//! What is right about a task, found out before it is too late to accuse what is wrong.
//!
//! The reference takes as long as the chain gives for a trial, and that may be longer than accusations are committed to. To accuse takes no
//! more than the right claim: then the processor's engine, which is a hundred times as fast and gives the same bytes, says what it is; and the
//! reference computes it while the trial goes on. What could not be played is not accused.

use super::{Shared, jobs::Known};
use crate::{
    WorkerError,
    job::{fetch_inputs, in_time, job_bytes, load_inputs},
    verifier::{Cancelled, once},
};
use agora_chain::{AtBlock, BlockNumber, views::CaseView};
use agora_compute::{CancelFlag, CpuEngine};
use agora_disputes::{Target, player::target};
use agora_primitives::job::{Claim, JobSpec};

/// Multiply–adds that the reference makes in a millisecond on one core of an ordinary processor: those that the chain counts with.
const REFERENCE_PER_MS: u128 = (1 << 31) / 3000;

/// The right claim about a job.
pub(super) struct Right {
    pub claim: Claim,
    pub job: JobSpec,
    /// What the job comes to, if the reference has computed it.
    pub known: Option<Known>,
}

impl Right {
    fn of(known: Known) -> Self {
        Self {
            claim: known.claim(),
            job: known.spec().clone(),
            known: Some(known),
        }
    }

    /// What to accuse `claim` of. `None`: it is right.
    pub fn target(&self, claim: &Claim) -> Option<Target> {
        target(&self.claim, claim, agora_reference::of(&self.job).states())
    }
}

/// Whether the reference does `work` in half of so many `blocks`, of `block_ms` milliseconds each.
const fn is_done_in_time(work: u128, blocks: BlockNumber, block_ms: u64) -> bool {
    work / REFERENCE_PER_MS <= blocks as u128 * block_ms as u128 / 2
}

impl Shared {
    /// What is right about the task of `case`. `None`: there is no such task, or no room for what its job comes to.
    ///
    /// Errors: those of the chain and of the journal, and of fetching and computing the job.
    pub(super) async fn right(&self, at: &AtBlock, case: &CaseView) -> Result<Option<Right>, WorkerError> {
        if let Some(known) = self.truths.find(case.task) {
            return Ok(Some(Right::of(known)));
        }
        let Some(view) = at.task(case.task).await? else {
            return Ok(None);
        };
        let (source, job) = self.job(at, &view).await?;
        let blocks = case.until.saturating_sub(at.block.number);
        if is_done_in_time(job.work(), blocks, at.block_time_ms().await?) {
            let known = self.truths.compute(case.task, case.until, source.as_ref(), job).await?;
            return Ok(known.map(Right::of));
        }
        if !self.truths.has_room(case.task, &job).await? {
            return Ok(None);
        }
        let recomputed = self.journal.attestation(case.task)?.and_then(|record| record.own);
        if let Some(claim) = self.truths.claim(case.task).or(recomputed) {
            let known = None;
            return Ok(Some(Right { claim, job, known }));
        }
        let bytes = job_bytes(&job);
        if bytes > self.config.memory_bytes {
            if self.told.is_new(format!("inputs of task {}", case.task), "too large") {
                tracing::warn!(task = %case.task, bytes, "Not accused: the reference would be too late, and the processor does not have the memory for inputs and output.");
            }
            return Ok(None);
        }
        in_time(bytes, fetch_inputs(source.as_ref(), &job)).await?;
        let _turn = self.truths.turn(job.work(), case.until).await;
        let inputs = in_time(bytes, load_inputs(source.as_ref(), &job)).await?;
        // It ends when nobody waits for it any more.
        let cancel = Cancelled(CancelFlag::new());
        let flag = cancel.0.clone();
        let computed = tokio::task::spawn_blocking(move || {
            let own = once(&CpuEngine::new(), &job, &inputs, &flag);
            own.map(|own| (own.claim(), job))
        });
        let (claim, job) = computed
            .await
            .map_err(|panic| WorkerError::Interrupted(panic.to_string()))??;
        self.truths.note(case.task, claim);
        tracing::info!(task = %case.task, "The processor says what is right, as the reference would be too late; it computes the job for the trial.");
        let known = None;
        Ok(Some(Right { claim, job, known }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_primitives::job::{BlobRef, JobKind, SyntheticJob, states_root};

    #[test]
    fn the_reference_is_waited_for_if_it_is_done_in_half_of_the_time() {
        // What the chain counts with: 2³¹ in a block of three seconds.
        const BLOCK: u128 = 1 << 31;
        assert!(is_done_in_time(50 * BLOCK, 101, 3000) && !is_done_in_time(51 * BLOCK, 101, 3000));
        assert!(is_done_in_time(0, 0, 3000) && !is_done_in_time(BLOCK, 0, 3000));
        assert!(is_done_in_time(100 * BLOCK, 402, 1500));
        assert!(!is_done_in_time(u128::MAX, BlockNumber::MAX, 60_000));
    }

    #[test]
    fn without_the_reference_as_much_is_accused_as_with_it() {
        let claim = |output: u8, root: u8| Claim::Output {
            output: BlobRef::to(&[output]),
            states_root: [root; 32].into(),
        };
        let right = |claim, iterations| Right {
            claim,
            job: JobSpec::V2(JobKind::Synthetic(SyntheticJob {
                seed: [1; 32],
                matrix_size: 2,
                iterations,
            })),
            known: None,
        };
        let own = right(claim(1, 1), 3);
        assert_eq!(own.target(&claim(1, 1)), None);
        assert_eq!(own.target(&claim(2, 1)), Some(Target::Output));
        assert_eq!(own.target(&claim(2, 2)), Some(Target::States));
        assert_eq!(own.target(&claim(1, 2)), Some(Target::States));
        assert_eq!(own.target(&Claim::Unusable), Some(Target::Inputs));
        assert_eq!(right(Claim::Unusable, 3).target(&claim(1, 1)), Some(Target::Inputs));
        let one = JobSpec::V2(JobKind::Matmul(agora_primitives::job::MatmulJob {
            matrix: BlobRef::to(&[1; 4]),
            columns: 2,
            first_row: 0,
            rows: 2,
            input: BlobRef::to(&[1; 2]),
            vectors: 1,
        }));
        let own = Right {
            job: one,
            ..right(
                Claim::Output {
                    output: BlobRef::to(&[1]),
                    states_root: states_root(&[]),
                },
                3,
            )
        };
        assert_eq!(
            own.target(&claim(1, 9)),
            Some(Target::Output),
            "it has no states before"
        );
    }
}
