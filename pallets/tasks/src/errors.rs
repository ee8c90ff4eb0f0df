//! The pallet's errors, and those that the refusals of the pure checks become.

use crate::{classes::ClassError, pallet::Error, transitions::TransitionError};
use agora_primitives::{exact::NotExact, job::JobError};
use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod errors {
    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such class: see `Classes`.
        UnknownClass,
        /// There is no such task, or its record was purged.
        UnknownTask,
        /// The split preset does not exist: add it to the rewards first.
        UnknownPreset,
        /// A size or count in the job is zero.
        JobZero,
        /// A size or count in the job is above its limit.
        JobTooLarge,
        /// The job is more work than one task may be: split it.
        JobTooMuchWork,
        /// Sizes and counts in the job do not fit one another, or those of its inputs.
        JobInconsistent,
        /// No engine can do such a job yet: text is not generated, only embedded.
        JobUnsupported,
        /// The job is of another kind than the class: choose the class by the job.
        WrongSpecialisation,
        /// The difficulty is not in the class's range.
        DifficultyOutOfRange,
        /// The reward is below the class's base reward times the difficulty.
        RewardTooLow,
        /// The deadline leaves no block in which work could be committed.
        DeadlineTooSoon,
        /// The deadline is further away than `MaxLifetime`.
        DeadlineTooFar,
        /// The publisher has a task with this reference: it was published before.
        ReferenceUsed,
        /// The publisher has as many unfinished tasks of this class as it may.
        TooManyOpenTasks,
        /// So many tasks are due at the deadline that no more fit: choose another.
        AgendaFull,
        /// Only the publisher may do that.
        NotPublisher,
        /// Somebody works on the task and is not late, or it is over.
        TaskNotOpen,
        /// The publisher cannot work on its own task.
        PublisherMayNotWork,
        /// The worker has accepted the task before.
        AlreadyAccepted,
        /// The slots that are free are kept for invited workers for now, or a worker declines that is not one of them.
        NotInvited,
        /// The task is not open for acceptance.
        NotAccepting,
        /// As many workers as wanted have accepted, and none of them may be replaced now: see the task's `slots_kept_until`.
        AllSlotsTaken,
        /// There is not enough time left to think and commit.
        TooLateToAccept,
        /// Who has attested for or against a result cannot work in the round that rules on it.
        AttesterMayNotWork,
        /// Who has entered a claim of its own in court has no second one in the task.
        AccuserMayNotWork,
        /// The caller has not accepted the task, or the task is over.
        NotAccepted,
        /// The task is not being worked on.
        NotWorking,
        /// Commitments are not being revealed.
        NotRevealing,
        /// The worker accepted in a round that is over.
        RoundOver,
        /// The worker did not commit in its time, and somebody else has its slot.
        Replaced,
        /// The minimum thinking time is not over: see the contribution's `commit_from`.
        TooEarly,
        /// The phase's last block has passed.
        TooLate,
        /// The worker has committed before.
        AlreadyCommitted,
        /// The worker has not committed.
        NotCommitted,
        /// The worker has revealed before.
        AlreadyRevealed,
        /// Claim and salt are not what was committed to.
        CommitmentMismatch,
        /// No step of the task is due.
        NothingDue,
        /// The class's name is empty or not UTF-8.
        InvalidName,
        /// The class's least difficulty is zero or above the greatest.
        InvalidDifficulty,
        /// The class's replicas are zero, more than its limit, or leave no room for a fresh round.
        InvalidReplicas,
        /// The class's cap of unfinished tasks is zero.
        InvalidCap,
        /// The class has no stake, so that finding an input unusable would be paid with nothing: raise its `stake_rate`.
        InvalidStake,
        /// Being late costs more than being wrong: lower the class's `late_penalty`.
        InvalidRates,
        /// The class's judge could never decide: trust must be at least 2.
        InvalidJudge,
        /// The chain computes the tasks of this class itself: both its `replicas` and its `max_replicas` must be 1.
        ExactReplicas,
        /// The chain computes nothing itself: give the class another judge.
        NoExactCourt,
        /// The chain computes the tasks of this class itself: publish the job with its specification in the task.
        ExactJobStored,
        /// Computing the job is more work than the chain does in one call: split it, or choose a class that is judged otherwise.
        ExactJobTooMuchWork,
        /// The job's inputs are more bytes than the call brings in which the chain computes it: split it, or choose a class that is judged
        /// otherwise.
        ExactEvidenceTooLong,
        /// The chain computes this task itself: reveal with its call for that, `exact.reveal`, with all inputs as evidence.
        RevealWithEvidence,
        /// The chain does not compute this task: reveal with `tasks.reveal`.
        NotExact,
        /// One of the class's windows is zero or too long, or there is no time to think.
        InvalidWindows,
        /// The payment plan does not add up to what it divides: the runtime's `Rewards` is at fault.
        PlanMismatch,
        /// The judge named a best worker who did not reveal the result: the runtime's `Judge` is at fault.
        UnknownWinner,
    }
}

impl<T> From<TransitionError> for Error<T> {
    fn from(error: TransitionError) -> Self {
        match error {
            TransitionError::NotOpen => Self::TaskNotOpen,
            TransitionError::NotAccepting => Self::NotAccepting,
            TransitionError::AllSlotsTaken => Self::AllSlotsTaken,
            TransitionError::TooLateToAccept => Self::TooLateToAccept,
            TransitionError::NotWorking => Self::NotWorking,
            TransitionError::NotRevealing => Self::NotRevealing,
            TransitionError::RoundOver => Self::RoundOver,
            TransitionError::Replaced => Self::Replaced,
            TransitionError::TooEarly => Self::TooEarly,
            TransitionError::TooLate => Self::TooLate,
            TransitionError::AlreadyCommitted => Self::AlreadyCommitted,
            TransitionError::NotCommitted => Self::NotCommitted,
            TransitionError::AlreadyRevealed => Self::AlreadyRevealed,
            TransitionError::CommitmentMismatch => Self::CommitmentMismatch,
            TransitionError::Exact => Self::RevealWithEvidence,
            TransitionError::NotExact => Self::NotExact,
        }
    }
}

impl<T> From<JobError> for Error<T> {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Zero => Self::JobZero,
            JobError::TooLarge => Self::JobTooLarge,
            JobError::TooMuchWork => Self::JobTooMuchWork,
            JobError::Inconsistent => Self::JobInconsistent,
            JobError::Unsupported => Self::JobUnsupported,
        }
    }
}

impl<T> From<NotExact> for Error<T> {
    fn from(error: NotExact) -> Self {
        match error {
            NotExact::NoCourt => Self::NoExactCourt,
            NotExact::Stored => Self::ExactJobStored,
            NotExact::TooMuchWork => Self::ExactJobTooMuchWork,
            NotExact::TooMuchEvidence => Self::ExactEvidenceTooLong,
        }
    }
}

impl<T> From<ClassError> for Error<T> {
    fn from(error: ClassError) -> Self {
        match error {
            ClassError::Name => Self::InvalidName,
            ClassError::Difficulty => Self::InvalidDifficulty,
            ClassError::Replicas => Self::InvalidReplicas,
            ClassError::Cap => Self::InvalidCap,
            ClassError::Stake => Self::InvalidStake,
            ClassError::Rates => Self::InvalidRates,
            ClassError::Judge => Self::InvalidJudge,
            ClassError::ExactReplicas => Self::ExactReplicas,
            ClassError::Windows => Self::InvalidWindows,
        }
    }
}
