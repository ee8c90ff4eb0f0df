//! Which tasks a worker takes.

use super::money::Power;
use crate::{Publishers, StopLoss};
use agora_chain::{Balance, BlockNumber, views::TaskView};
use agora_primitives::participants::Specialisations;
use std::time::Duration;

/// Blocks between the last that a worker counts on and the last in which it can commit: an acceptance and a commitment each
/// take a block, and one of them may have to be sent again, after a block whose answer was lost and a re-org that undid
/// it. Of the tasks that come with longer to go, none is lost; of the others a bond now and then is, which is worth many
/// shares of a reward.
pub(super) const SLACK: BlockNumber = 8;

/// What a worker wants of a task, and what it risks.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whose tasks it takes.
    pub publishers: Publishers,
    /// Kinds of work it does.
    pub specialisations: Specialisations,
    /// Most multiply–add operations of one job.
    pub max_work: u128,
    /// Most bytes of the inputs and the output of one job, which are held in memory.
    pub max_job_bytes: u64,
    /// Most bytes of inputs and outputs of all jobs together that are held in memory. A job that is larger than this is
    /// held alone.
    pub memory_bytes: u64,
    /// Least pay, in plancks per 10⁹ multiply–adds: of this worker's own share.
    pub min_reward_per_giga_op: Balance,
    /// Least profit of a task, in plancks: this worker's own share, less fees and power.
    pub min_profit: Balance,
    /// What power costs.
    pub power: Power,
    /// Largest bond it puts up for one task.
    pub max_bond: Balance,
    /// Most that it has in bonds for tasks at the same time.
    pub max_exposure: Balance,
    /// It takes nothing more after losing so much, as a worker, as a verifier or in court; `None`: whatever it loses.
    pub stop_loss: Option<StopLoss>,
    /// The chain's time per block, in milliseconds.
    pub block_ms: u64,
}

/// Why a task is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Unsuitable {
    /// It is another kind of work.
    #[error("another kind of work")]
    Kind,
    /// It is too large.
    #[error("more work, or larger inputs, than this worker takes")]
    Size,
    /// The bond is too high.
    #[error("asks a higher bond than this worker puts up")]
    Bond,
    /// Its publisher is denied, or not among those that are named.
    #[error("this worker does not work for its publisher")]
    Publisher,
    /// A blob that it is made of is denied.
    #[error("is made of a blob that is not wanted here")]
    Blob,
    /// Its job is not what the chain says.
    #[error("its job is not what the chain says")]
    Job,
    /// This worker may never work on it.
    #[error("this account may not work on it")]
    Barred,
    /// It pays too little.
    #[error("pays less than this worker asks")]
    Reward,
    /// It costs more than it pays.
    #[error("would not bring the profit that this worker asks")]
    Profit,
    /// It is not known how rewards of its class are divided.
    #[error("how its reward is divided is not known")]
    Terms,
    /// There is not enough time left for this machine.
    #[error("cannot be finished before its deadline, with what is to be done before it")]
    Time,
    /// There is not enough time left for anybody.
    #[error("its deadline is too near")]
    TooLate,
    /// All slots are taken.
    #[error("all slots are taken")]
    Slots,
    /// The bonds of accepted tasks are as much as this worker risks.
    #[error("the bonds of accepted tasks leave no room for another")]
    Exposure,
    /// The balance is too small.
    #[error("the free balance would not pay for the bond and for the fees of committing and revealing")]
    Funds,
    /// An input cannot be had now.
    #[error("an input cannot be had")]
    Input,
    /// There is no room for its inputs.
    #[error("this machine's disk does not take its inputs")]
    Disk,
    /// No device is large enough.
    #[error("fits into no device of this machine")]
    Fit,
    /// No device works.
    #[error("no device works")]
    Device,
    /// The chain or its pool refused the acceptance.
    #[error("the acceptance was refused")]
    Refused,
}

impl Unsuitable {
    /// Whether an invitation to the task is of no use, so that others had better have it.
    pub const fn is_worth_declining(self) -> bool {
        self.is_for_good()
            || matches!(
                self,
                Self::Reward | Self::Profit | Self::Time | Self::TooLate | Self::Input
            )
    }

    /// Whether the task will never suit, whatever happens. Else it is looked at again.
    pub const fn is_for_good(self) -> bool {
        matches!(
            self,
            Self::Kind | Self::Size | Self::Bond | Self::Publisher | Self::Blob | Self::Job | Self::Barred | Self::Fit
        )
    }
}

/// What a task would bring and cost this worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Prospect {
    /// Its multiply–adds.
    pub work: u128,
    /// The least share of the reward that this worker gets for a right result, in plancks.
    pub share: Balance,
    /// Fees and power, in plancks.
    pub costs: Balance,
}

impl Policy {
    /// Whether `task` may suit, as far as its view tells.
    pub(super) fn check_view(&self, task: &TaskView, now: BlockNumber) -> Result<(), Unsuitable> {
        if !self.publishers.allow(&task.publisher) {
            return Err(Unsuitable::Publisher);
        }
        if !self.specialisations.contains(task.specialisation) {
            return Err(Unsuitable::Kind);
        }
        if task.bond > self.max_bond {
            return Err(Unsuitable::Bond);
        }
        if now.saturating_add(task.min_thinking).saturating_add(SLACK) > task.commit_by(now) {
            return Err(Unsuitable::TooLate);
        }
        Ok(())
    }

    /// Whether a job of so much work, with so many bytes of inputs and output, is not too large.
    pub(super) fn check_size(&self, work: u128, bytes: u64) -> Result<(), Unsuitable> {
        match work > self.max_work || bytes > self.max_job_bytes {
            true => Err(Unsuitable::Size),
            false => Ok(()),
        }
    }

    /// Whether the task pays.
    pub(super) fn check_pay(&self, prospect: Prospect) -> Result<(), Unsuitable> {
        let asked = prospect.work.saturating_mul(self.min_reward_per_giga_op) / 1_000_000_000;
        if prospect.share < asked {
            return Err(Unsuitable::Reward);
        }
        if prospect.share < prospect.costs.saturating_add(self.min_profit) {
            return Err(Unsuitable::Profit);
        }
        Ok(())
    }

    /// How many blocks pass within `time`, rounded down.
    pub(super) fn blocks_in(&self, time: Duration) -> BlockNumber {
        let blocks = time.as_millis() / u128::from(self.block_ms.max(1));
        BlockNumber::try_from(blocks).unwrap_or(BlockNumber::MAX)
    }

    /// How long until so many blocks have passed.
    pub(super) fn time_of(&self, blocks: BlockNumber) -> Duration {
        Duration::from_millis(u64::from(blocks).saturating_mul(self.block_ms))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use agora_chain::AccountId;
    use agora_primitives::{
        ClassId, TaskId,
        job::{JobKind, JobSource, JobSpec, SyntheticJob},
        judging::JudgeRule,
        participants::Specialisation,
        task::{Difficulty, Phase},
    };

    const GIGA: u128 = 1_000_000_000;

    pub fn policy() -> Policy {
        Policy {
            publishers: Publishers::default(),
            specialisations: Specialisations::NONE.with(Specialisation::Synthetic),
            max_work: 10 * GIGA,
            max_job_bytes: 1000,
            memory_bytes: 4000,
            min_reward_per_giga_op: 100,
            min_profit: 10,
            power: Power::FREE,
            max_bond: 50,
            max_exposure: Balance::MAX,
            stop_loss: None,
            block_ms: 1000,
        }
    }

    /// A task that suits [`policy`] at block 10.
    pub fn task(id: u64) -> TaskView {
        let job = SyntheticJob {
            seed: [0; 32],
            matrix_size: 16,
            iterations: 1,
        };
        TaskView {
            id: TaskId(id),
            publisher: AccountId([1; 32]),
            reference: [0; 16],
            class: ClassId(0),
            specialisation: Specialisation::Synthetic,
            judge: JudgeRule::Replication { trust: 3 },
            job: JobSource::Inline(JobSpec::V2(JobKind::Synthetic(job))),
            difficulty: Difficulty(1000),
            reward: 3000,
            stake: 1500,
            fee: 0,
            bond: 50,
            published_at: 0,
            deadline: 21,
            min_thinking: 2,
            commit_window: 1000,
            phase: Phase::Open,
            until: 21,
            appeal_until: None,
            round: 0,
            wanted: 3,
            accepted: 0,
            committed: 0,
            revealed: 0,
            slots_kept_until: None,
            invited: None,
            chosen: None,
        }
    }

    #[test]
    fn a_task_at_every_limit_is_taken() {
        // Its last block is 21, and thinking takes 2.
        assert_eq!(policy().check_view(&task(1), 11), Ok(()));
        assert_eq!(policy().check_view(&task(1), 12), Err(Unsuitable::TooLate));
        assert_eq!(policy().check_size(10 * GIGA, 1000), Ok(()));
        let prospect = Prospect {
            work: 10 * GIGA,
            share: 1000,
            costs: 990,
        };
        assert_eq!(policy().check_pay(prospect), Ok(()));
    }

    #[test]
    fn a_task_beyond_a_limit_is_refused_for_its_reason() {
        let other = TaskView {
            specialisation: Specialisation::Rendering,
            ..task(1)
        };
        assert_eq!(policy().check_view(&other, 10), Err(Unsuitable::Kind));
        let bond = TaskView { bond: 51, ..task(1) };
        assert_eq!(policy().check_view(&bond, 10), Err(Unsuitable::Bond));
        let publisher = task(1).publisher;
        let denied = Policy {
            publishers: Publishers {
                denied: [publisher].into(),
                only: None,
            },
            ..policy()
        };
        assert_eq!(denied.check_view(&task(1), 10), Err(Unsuitable::Publisher));
        assert_eq!(
            policy().check_view(&task(1), 19),
            Err(Unsuitable::TooLate),
            "no time to think"
        );
        let hurried = TaskView {
            commit_window: 2 + SLACK,
            ..task(1)
        };
        assert_eq!(policy().check_view(&hurried, 10), Ok(()));
        let too_hurried = TaskView {
            commit_window: 1 + SLACK,
            ..task(1)
        };
        assert_eq!(policy().check_view(&too_hurried, 10), Err(Unsuitable::TooLate));
        assert_eq!(policy().check_size(10 * GIGA + 1, 0), Err(Unsuitable::Size));
        assert_eq!(policy().check_size(1, 1001), Err(Unsuitable::Size));
        let pay = |work, share, costs| policy().check_pay(Prospect { work, share, costs });
        assert_eq!(pay(10 * GIGA, 999, 0), Err(Unsuitable::Reward));
        assert_eq!(pay(10 * GIGA, 1000, 991), Err(Unsuitable::Profit));
        assert_eq!(pay(0, 0, Balance::MAX), Err(Unsuitable::Profit));
    }

    #[test]
    fn only_what_never_changes_is_for_good() {
        for lasting in [
            Unsuitable::Kind,
            Unsuitable::Size,
            Unsuitable::Bond,
            Unsuitable::Publisher,
            Unsuitable::Blob,
            Unsuitable::Barred,
            Unsuitable::Fit,
        ] {
            assert!(lasting.is_for_good());
        }
        for better_off in [Unsuitable::Kind, Unsuitable::Input, Unsuitable::Profit] {
            assert!(better_off.is_worth_declining());
        }
        for maybe_soon in [Unsuitable::Slots, Unsuitable::Funds, Unsuitable::Refused] {
            assert!(!maybe_soon.is_worth_declining());
        }
        for passing in [
            Unsuitable::Input,
            Unsuitable::Time,
            Unsuitable::Funds,
            Unsuitable::Refused,
        ] {
            assert!(!passing.is_for_good());
        }
    }
}
