//! The court that is the chain itself: it computes small jobs whole, in the block in which their worker reveals.
//!
//! Terms: a task is *exact* if its class says [`JudgeRule::Exact`](crate::judging::JudgeRule::Exact). Its *evidence* is the bytes of all inputs of
//! its job. Whoever keeps the tasks asks an [`ExactCourt`] which jobs it takes, when they are published; the court asks [`ExactTasks`] for the
//! job when it is revealed, computes it, and delivers the claim if it is what the job comes to. So what it says is final: there is nothing to
//! appeal, and nobody to wait for.

use crate::{
    commitment::Salt,
    ids::TaskId,
    job::{Claim, JobSource, JobSpec},
};
use sp_runtime::{DispatchError, Weight};

/// Why the chain does not compute a job itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotExact {
    /// The chain computes nothing itself.
    NoCourt,
    /// The job specification is not in the task.
    Stored,
    /// Computing it is more work than the chain does in one call.
    TooMuchWork,
    /// The inputs are more bytes than one call brings.
    TooMuchEvidence,
}

/// Says which jobs the chain computes itself.
pub trait ExactCourt {
    /// Whether it computes any. Without it no class is exact.
    fn is_there() -> bool;

    /// Succeeds if `job`, which is within its limits, can be revealed later, whatever its inputs are.
    fn admits(job: &JobSource) -> Result<(), NotExact>;

    /// The most that [`Self::admits`] weighs.
    fn weight() -> Weight;
}

/// Computes nothing.
impl ExactCourt for () {
    fn is_there() -> bool {
        false
    }
    fn admits(_: &JobSource) -> Result<(), NotExact> {
        Err(NotExact::NoCourt)
    }
    fn weight() -> Weight {
        Weight::zero()
    }
}

/// Keeps exact tasks.
pub trait ExactTasks<AccountId> {
    /// The job of `task`, if `who` may reveal `claim` about it now: it has committed to that with `salt`, and it is time. Changes nothing.
    ///
    /// Errors: there is no such task, it is not exact, or whatever keeps `who` from revealing.
    fn revealable(task: TaskId, who: &AccountId, claim: &Claim, salt: &Salt) -> Result<JobSpec, DispatchError>;

    /// `who` reveals `claim`, which is what the job of `task` comes to: settles the task. Returns what that weighs.
    ///
    /// Errors: those of [`Self::revealable`], and whatever keeps it from being settled.
    fn deliver(task: TaskId, who: &AccountId, claim: Claim, salt: &Salt) -> Result<Weight, DispatchError>;

    /// The most that looking and delivering weigh together.
    fn weight() -> Weight;
}

/// Keeps none.
impl<AccountId> ExactTasks<AccountId> for () {
    fn revealable(_: TaskId, _: &AccountId, _: &Claim, _: &Salt) -> Result<JobSpec, DispatchError> {
        Err(DispatchError::Unavailable)
    }
    fn deliver(_: TaskId, _: &AccountId, _: Claim, _: &Salt) -> Result<Weight, DispatchError> {
        Err(DispatchError::Unavailable)
    }
    fn weight() -> Weight {
        Weight::zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{BlobRef, StoredJob};
    use crate::participants::Specialisation;

    #[test]
    fn without_a_court_no_job_is_computed_and_no_task_is_exact() {
        let job = JobSource::Stored(StoredJob {
            spec: BlobRef::to(b"job"),
            specialisation: Specialisation::Program,
        });
        assert!(!<() as ExactCourt>::is_there());
        assert_eq!(<() as ExactCourt>::admits(&job), Err(NotExact::NoCourt));
        let (task, claim) = (TaskId(1), Claim::Unusable);
        let refused = Err(DispatchError::Unavailable);
        assert_eq!(<() as ExactTasks<u64>>::revealable(task, &1, &claim, &[0; 32]), refused);
        let delivered = <() as ExactTasks<u64>>::deliver(task, &1, claim, &[0; 32]);
        assert_eq!(delivered, Err(DispatchError::Unavailable));
        let weights = [<() as ExactCourt>::weight(), <() as ExactTasks<u64>>::weight()];
        assert_eq!(weights, [Weight::zero(); 2]);
    }
}
