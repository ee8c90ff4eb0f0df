//! Which tasks a worker takes.

use agora_chain::{Balance, BlockNumber, views::TaskView};
use agora_primitives::participants::Specialisations;

/// What a worker wants of a task.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Kinds of work it does.
    pub specialisations: Specialisations,
    /// Most multiply–add operations of one job.
    pub max_work: u128,
    /// Least reward, in plancks per 10⁹ multiply–adds, split over the replicas wanted.
    pub min_reward_per_giga_op: Balance,
    /// Largest bond it puts up for one task.
    pub max_bond: Balance,
    /// Speed, in multiply–adds per second, by which it judges whether it can finish in time; `None`: it does not judge.
    pub operations_per_second: Option<u64>,
    /// The chain's time per block, in milliseconds.
    pub block_ms: u64,
}

/// Why a task is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unsuitable {
    /// It is another kind of work.
    #[error("another kind of work")]
    Kind,
    /// It is too large.
    #[error("more work than this worker takes")]
    Size,
    /// It pays too little.
    #[error("pays less than this worker asks")]
    Reward,
    /// The bond is too high.
    #[error("asks a higher bond than this worker puts up")]
    Bond,
    /// There is not enough time left.
    #[error("cannot be finished before its deadline")]
    Time,
}

impl Policy {
    /// Whether to take `task` at block `now`. Its job is `work` multiply–adds.
    pub fn check(&self, task: &TaskView, work: u128, now: BlockNumber) -> Result<(), Unsuitable> {
        if !self.specialisations.contains(task.specialisation) {
            return Err(Unsuitable::Kind);
        }
        if work > self.max_work {
            return Err(Unsuitable::Size);
        }
        if task.bond > self.max_bond {
            return Err(Unsuitable::Bond);
        }
        let share = task.reward / Balance::from(task.wanted.max(1));
        let asked = work.saturating_mul(self.min_reward_per_giga_op) / 1_000_000_000;
        if share < asked {
            return Err(Unsuitable::Reward);
        }
        let work_until = task.work_until();
        if now.saturating_add(task.min_thinking) >= work_until {
            return Err(Unsuitable::Time);
        }
        if let Some(speed) = self.operations_per_second {
            let needed_ms = work.saturating_mul(1000) / u128::from(speed.max(1));
            let left_ms = u128::from(work_until.saturating_sub(now)) * u128::from(self.block_ms);
            if needed_ms >= left_ms {
                return Err(Unsuitable::Time);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_chain::AccountId;
    use agora_primitives::{
        ClassId, TaskId,
        job::{JobKind, JobSource, JobSpec, SyntheticJob},
        participants::Specialisation,
        task::{Difficulty, Phase},
    };

    const GIGA: u128 = 1_000_000_000;

    fn policy() -> Policy {
        Policy {
            specialisations: Specialisations::NONE.with(Specialisation::Synthetic),
            max_work: 10 * GIGA,
            min_reward_per_giga_op: 100,
            max_bond: 50,
            operations_per_second: Some(1_000_000_000),
            block_ms: 1000,
        }
    }

    /// A task that just suits [`policy`] at block 10, with 10 × 10⁹ operations.
    fn task() -> TaskView {
        let job = SyntheticJob {
            seed: [0; 32],
            matrix_size: 16,
            iterations: 1,
        };
        TaskView {
            id: TaskId(1),
            publisher: AccountId([1; 32]),
            reference: [0; 16],
            class: ClassId(0),
            specialisation: Specialisation::Synthetic,
            job: JobSource::Inline(JobSpec::V2(JobKind::Synthetic(job))),
            difficulty: Difficulty(1000),
            reward: 3000,
            stake: 0,
            fee: 0,
            bond: 50,
            published_at: 0,
            deadline: 21,
            min_thinking: 2,
            phase: Phase::Open,
            until: 21,
            round: 0,
            wanted: 3,
            accepted: 0,
            committed: 0,
            revealed: 0,
            invited: None,
            chosen: None,
        }
    }

    #[test]
    fn a_task_at_every_limit_is_taken() {
        assert_eq!(policy().check(&task(), 10 * GIGA, 10), Ok(()));
    }

    #[test]
    fn another_kind_of_work_is_refused() {
        let task = TaskView {
            specialisation: Specialisation::Rendering,
            ..task()
        };
        assert_eq!(policy().check(&task, GIGA, 10), Err(Unsuitable::Kind));
    }

    #[test]
    fn too_much_work_is_refused() {
        assert_eq!(policy().check(&task(), 10 * GIGA + 1, 10), Err(Unsuitable::Size));
    }

    #[test]
    fn a_high_bond_is_refused() {
        let task = TaskView { bond: 51, ..task() };
        assert_eq!(policy().check(&task, GIGA, 10), Err(Unsuitable::Bond));
    }

    #[test]
    fn the_reward_is_split_over_the_replicas() {
        let task = TaskView { reward: 2999, ..task() };
        assert_eq!(policy().check(&task, 10 * GIGA, 10), Err(Unsuitable::Reward));
        assert_eq!(policy().check(&task, 9 * GIGA, 10), Ok(()));
    }

    #[test]
    fn a_task_that_cannot_be_finished_in_time_is_refused() {
        assert_eq!(policy().check(&task(), 10 * GIGA, 11), Err(Unsuitable::Time));
        assert_eq!(policy().check(&task(), 9 * GIGA, 11), Ok(()));
        let unjudged = Policy {
            operations_per_second: None,
            ..policy()
        };
        assert_eq!(unjudged.check(&task(), 10 * GIGA, 18), Ok(()));
        assert_eq!(
            unjudged.check(&task(), 10 * GIGA, 19),
            Err(Unsuitable::Time),
            "no time to think"
        );
    }
}
