//! Tasks that the chain computes itself: what is revealed with evidence, and settled in the same block.
//!
//! There is no agenda step between the reveal and the end, no appeal window and no case: what the job comes to is known. Everything else is as
//! for other tasks, from publishing to what silence costs.

use crate::{
    pallet::*,
    types::{TaskOf, TaskProgress},
    weights::WeightInfo,
};
use agora_primitives::{
    TaskId,
    commitment::Salt,
    exact::ExactTasks,
    job::{Claim, JobSource, JobSpec},
    task::{Chosen, Contribution},
};
use alloc::vec::Vec;
use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::BlockNumberFor;

/// A task in which a claim was taken, and nothing written yet.
struct Revealed<T: Config> {
    task: TaskOf<T>,
    progress: TaskProgress<BlockNumberFor<T>>,
    contribution: Contribution<BlockNumberFor<T>>,
}

impl<T: Config> Pallet<T> {
    /// Takes the claim of `who`, but writes nothing.
    fn take_exact(id: TaskId, who: &T::AccountId, claim: Claim, salt: &Salt) -> Result<Revealed<T>, DispatchError> {
        let mut progress = Self::progress_of(id)?;
        let mut contribution = Contributions::<T>::get(id, who).ok_or(Error::<T>::NotAccepted)?;
        let committed_to = || Self::commitment_of(id, who, &claim, salt);
        progress
            .reveal_exact(&mut contribution, claim, committed_to, Self::now())
            .map_err(Error::<T>::from)?;
        Ok(Revealed {
            task: Self::task_of(id)?,
            progress,
            contribution,
        })
    }
}

impl<T: Config> ExactTasks<T::AccountId> for Pallet<T> {
    /// Errors: `UnknownTask`, `NotAccepted`, `NotExact`, `NotCommitted`, `Replaced`, `AlreadyRevealed`, `RoundOver`, `NotRevealing`, `TooLate`,
    /// `CommitmentMismatch`.
    fn revealable(id: TaskId, who: &T::AccountId, claim: &Claim, salt: &Salt) -> Result<JobSpec, DispatchError> {
        match Self::take_exact(id, who, *claim, salt)?.task.job {
            JobSource::Inline(job) => Ok(job),
            // None is admitted.
            JobSource::Stored(_) => Err(Error::<T>::ExactJobStored.into()),
        }
    }

    /// Emits `Revealed`, `WorkerJudged`, `Settled`. Errors: those of `revealable`, and those of settling.
    fn deliver(id: TaskId, who: &T::AccountId, claim: Claim, salt: &Salt) -> Result<Weight, DispatchError> {
        let Revealed {
            task,
            mut progress,
            contribution,
        } = Self::take_exact(id, who, claim, salt)?;
        Contributions::<T>::insert(id, who, contribution);
        Self::deposit_event(Event::Revealed {
            task: id,
            worker: who.clone(),
            claim,
        });
        Self::unschedule(id, &mut progress);
        let workers = Self::workers_of(id);
        Self::free_slots(&workers, progress.round);
        let chosen = Chosen {
            claim,
            best: who.clone(),
        };
        Results::<T>::insert(id, &chosen);
        // Nobody attests what is known.
        let nobody = (Vec::new(), 0);
        Self::settle(id, &task, &workers, chosen, nobody, progress, Self::now())?;
        Ok(T::WeightInfo::deliver(workers.len() as u32))
    }

    fn weight() -> Weight {
        T::WeightInfo::deliver(T::MaxContributions::get())
    }
}
