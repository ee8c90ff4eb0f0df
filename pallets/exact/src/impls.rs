//! What the call does, and the trait that tasks meet this pallet through.

use crate::{
    pallet::*,
    types::{Evidence, EvidenceError, admits},
    weights::WeightInfo,
};
use agora_primitives::{
    TaskId,
    commitment::Salt,
    exact::{ExactCourt, ExactTasks, NotExact},
    job::{Claim, JobSource, JobSpec},
};
use agora_reference::{run, total_work};
use frame_support::{
    dispatch::{DispatchErrorWithPostInfo, DispatchResultWithPostInfo},
    ensure,
    pallet_prelude::*,
};

impl<T> From<EvidenceError> for Error<T> {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Length => Self::EvidenceLength,
            EvidenceError::Mismatch => Self::EvidenceMismatch,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The most that revealing with so many bytes of evidence weighs.
    pub(crate) fn reveal_weight(evidence: usize) -> Weight {
        let most = T::WeightInfo::reveal(work_units(T::MaxWork::get()), evidence_units(evidence));
        most.saturating_add(T::Tasks::weight())
    }

    pub(crate) fn do_reveal(
        who: T::AccountId,
        task: TaskId,
        claim: Claim,
        salt: Salt,
        evidence: &[u8],
    ) -> DispatchResultWithPostInfo {
        let evidence_units = evidence_units(evidence.len());
        // What is refused before anything is computed does not pay for that.
        let mut weight = T::WeightInfo::reveal(0, evidence_units).saturating_add(T::Tasks::weight());
        let refused = |weight, error: DispatchError| DispatchErrorWithPostInfo {
            post_info: Some(weight).into(),
            error,
        };
        let job = T::Tasks::revealable(task, &who, &claim, &salt).map_err(|error| refused(weight, error))?;
        let inputs = Evidence::open(&job, evidence).map_err(|error| refused(weight, Error::<T>::from(error).into()))?;
        let work = total_work(&job, T::MaxWork::get()).ok_or_else(|| {
            let looked_at = weight.saturating_add(T::WeightInfo::admit());
            refused(looked_at, Error::<T>::TooMuchWork.into())
        })?;
        let computed = T::WeightInfo::reveal(work_units(work), evidence_units);
        weight = computed.saturating_add(T::Tasks::weight());
        Self::ensure_right(&job, &inputs, &claim).map_err(|error| refused(weight, error))?;
        let delivered = T::Tasks::deliver(task, &who, claim, &salt).map_err(|error| refused(weight, error))?;
        Self::deposit_event(Event::Computed {
            task,
            worker: who,
            claim,
            work,
        });
        Ok(Some(computed.saturating_add(delivered)).into())
    }

    /// Succeeds if computing `job` comes to `claim`.
    fn ensure_right(job: &JobSpec, inputs: &Evidence<'_>, claim: &Claim) -> DispatchResult {
        // All inputs are at hand, so none is missing.
        let outcome = run(job, inputs).map_err(|_| Error::<T>::NotComputed)?;
        ensure!(outcome.claim == *claim, Error::<T>::OtherClaim);
        Ok(())
    }
}

/// Work as it is measured: in 1024 operations, rounded up.
pub(crate) const fn work_units(work: u64) -> u32 {
    let units = work.div_ceil(1024);
    // Nothing that is computed in a block is so much.
    if units > u32::MAX as u64 {
        u32::MAX
    } else {
        units as u32
    }
}

/// Evidence as it is measured: in KiB, rounded up.
pub(crate) const fn evidence_units(bytes: usize) -> u32 {
    work_units(bytes as u64)
}

/// Tasks ask which jobs they may take.
impl<T: Config> ExactCourt for Pallet<T> {
    fn is_there() -> bool {
        true
    }

    fn admits(job: &JobSource) -> Result<(), NotExact> {
        admits(job, T::MaxWork::get(), T::MaxEvidence::get()).map(|_| ())
    }

    fn weight() -> Weight {
        T::WeightInfo::admit()
    }
}
