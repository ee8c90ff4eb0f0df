//! How cases end, and what follows for those who took part: who shares what is won, which image is trusted no more, which offences are
//! reported.

use crate::{
    pallet::*,
    types::{CaseOf, Ended, TrialOf},
    weights::WeightInfo,
};
use agora_disputes::{Fault, Verdict};
use agora_primitives::{
    TaskId,
    courts::{Cases, HowEnded, Offence, Offences, Standing},
    job::{JobSource, Specialisation},
};
use frame_support::{ensure, traits::Get, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::DispatchResult;

/// Who has a claim to a bond that was lost.
pub(crate) enum Winner<AccountId> {
    /// This account has half of it, or all of it is burned.
    Half(Option<AccountId>),
    /// Whose it is: nothing was decided, so nobody has lost anything.
    Loser,
}

impl<T: Config> Pallet<T> {
    /// The image that decides about `job`. `None`: it brings its own.
    pub(crate) fn image_for(job: &JobSource) -> Option<H256> {
        (job.specialisation() != Specialisation::Program).then(|| T::Machine::get().image.hash)
    }

    /// The open case of `task`; if its image was suspended since it was opened, undecided.
    pub(crate) fn case_of(task: TaskId) -> Option<CaseOf<T>> {
        let case = OpenCases::<T>::get(task)?;
        Some(match case.image {
            Some(image) => case.after_suspensions(Suspensions::<T>::get(image).times),
            None => case,
        })
    }

    /// Trusts an image no more: what was computed with it decides nothing until the suspension is lifted.
    pub(crate) fn do_suspend(image: H256) -> DispatchResult {
        let is_new = Suspensions::<T>::mutate(image, |suspension| suspension.suspend());
        ensure!(is_new, Error::<T>::AlreadySuspended);
        Self::deposit_event(Event::ImageSuspended { image });
        Ok(())
    }

    pub(crate) fn do_lift_suspension(image: H256) -> DispatchResult {
        Suspensions::<T>::try_mutate(image, |suspension| {
            ensure!(suspension.holds, Error::<T>::NotSuspended);
            suspension.holds = false;
            Ok::<_, Error<T>>(())
        })?;
        Self::deposit_event(Event::SuspensionLifted { image });
        Ok(())
    }

    /// Remembers of a case that is closed what the bonds need that are not settled yet.
    pub(crate) fn remember(case: &CaseOf<T>, now: BlockNumberFor<T>) {
        let is_excused = case.is_excused || case.may_reveal(now, FullBlocks::<T>::get());
        if is_excused && case.hidden > 0 {
            Excused::<T>::insert(case.number, case.hidden);
        }
        if let Some(how) = case.how_ended()
            && case.open > 0
        {
            Endings::<T>::insert(case.number, Ended { how, open: case.open });
        }
    }

    /// Another trial, or the image, has decided the case before this trial, which is gone, was over: it is not open any more.
    pub(crate) fn forget(trial: &TrialOf<T>) {
        if trial.verdict().is_some() {
            return;
        }
        OpenCases::<T>::mutate(trial.task, |case| {
            if let Some(case) = case.as_mut().filter(|case| case.number == trial.case) {
                case.open = case.open.saturating_sub(1);
            }
        });
        Endings::<T>::mutate_exists(trial.case, |ended| {
            let left = ended.take().map(|ended| (ended.how, ended.open.saturating_sub(1)));
            *ended = left
                .filter(|(_, open)| *open > 0)
                .map(|(how, open)| Ended { how, open });
        });
    }

    /// How the case of a trial was decided; `None`: it is not, or it was closed before.
    fn how_ended(trial: &TrialOf<T>) -> Option<HowEnded> {
        match Self::case_of(trial.task).filter(|case| case.number == trial.case) {
            Some(case) => case.how_ended(),
            None => Endings::<T>::get(trial.case).map(|ended| ended.how),
        }
    }

    /// Who has a claim to a bond that was lost in a trial: the side that was right. If another trial has brought the claim down before this
    /// one was over, that is its accuser as well.
    pub(crate) fn winner(trial: &TrialOf<T>) -> Winner<T::AccountId> {
        match trial.verdict() {
            Some(Verdict::Stands) => Winner::Half(trial.defender.clone()),
            Some(Verdict::Falls(_)) => Winner::Half(Some(trial.accuser.clone())),
            Some(Verdict::Nothing) => Winner::Loser,
            None => match Self::how_ended(trial) {
                Some(HowEnded::Fallen) => Winner::Half(Some(trial.accuser.clone())),
                Some(HowEnded::Undecided) => Winner::Loser,
                None => Winner::Half(None),
            },
        }
    }

    /// Has what else follows from losing a bond.
    pub(crate) fn report(who: &T::AccountId, fault: Fault) {
        let offence = match fault {
            Fault::Wrong => Offence::Wrong,
            Fault::Fraud => Offence::Fraud,
        };
        T::Offences::report(who, offence);
    }

    /// Whether a case is waited for.
    pub(crate) fn is_pending(case: &CaseOf<T>) -> bool {
        let now = frame_system::Pallet::<T>::block_number();
        matches!(case.standing(now, FullBlocks::<T>::get()), Standing::Pending { .. })
    }

    /// Has whoever keeps the tasks ask how the case of `task` stands.
    pub(crate) fn tell(task: TaskId) {
        // If nobody keeps the task any more, nobody waits for the case.
        let _ = T::Cases::decided(task);
    }
}

/// What the calls weigh with what others do about them, who are benchmarked by themselves.
impl<T: Config> Pallet<T> {
    /// A claim may be entered, and the case decided.
    pub(crate) fn reveal_weight() -> Weight {
        let told = T::Cases::weight();
        T::WeightInfo::reveal().saturating_add(told).saturating_add(told)
    }

    pub(crate) fn dispute_list_weight() -> Weight {
        T::WeightInfo::dispute_list().saturating_add(T::Cases::weight())
    }

    pub(crate) fn advance_weight() -> Weight {
        T::WeightInfo::advance().saturating_add(T::Cases::weight())
    }

    pub(crate) fn withdraw_weight() -> Weight {
        T::WeightInfo::withdraw().saturating_add(T::Offences::weight())
    }

    pub(crate) fn collect_weight() -> Weight {
        T::WeightInfo::collect().saturating_add(T::Offences::weight())
    }
}
