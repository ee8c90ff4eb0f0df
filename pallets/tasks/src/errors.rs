//! What the pure checks refuse, as errors of the pallet.

use crate::{classes::ClassError, pallet::Error, transitions::TransitionError};
use agora_primitives::job::JobError;

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
            TransitionError::TooEarly => Self::TooEarly,
            TransitionError::TooLate => Self::TooLate,
            TransitionError::AlreadyCommitted => Self::AlreadyCommitted,
            TransitionError::NotCommitted => Self::NotCommitted,
            TransitionError::AlreadyRevealed => Self::AlreadyRevealed,
            TransitionError::CommitmentMismatch => Self::CommitmentMismatch,
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

impl<T> From<ClassError> for Error<T> {
    fn from(error: ClassError) -> Self {
        match error {
            ClassError::Name => Self::InvalidName,
            ClassError::Difficulty => Self::InvalidDifficulty,
            ClassError::Replicas => Self::InvalidReplicas,
            ClassError::Cap => Self::InvalidCap,
            ClassError::Rates => Self::InvalidRates,
            ClassError::Judge => Self::InvalidJudge,
            ClassError::Windows => Self::InvalidWindows,
        }
    }
}
