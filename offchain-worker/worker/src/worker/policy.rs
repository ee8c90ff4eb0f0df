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
    /// Speed, in multiply–adds per second, by which it judges whether it can finish in time; `None`: not judged.
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
    /// Whether `task` is worth taking at block `now`, its job being `work` multiply–adds.
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
