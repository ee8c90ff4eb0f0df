//! What attesting does, and the trait through which the life of a task has its results judged.

use crate::{AppealWindow, AppealWindows, BalanceOf, Config, Error, Event, Pallet, redistribute};
use agora_math::consensus;
use agora_primitives::{
    TaskId,
    job::Claim,
    judging::{Answer, AppealTerms, AttestError, Attestation, Judge, JudgeRule, Ruling, Tally, TaskParties, Verdict},
    money::{Escrow, Purpose, Scope},
    participants::{Participants, Role, Specialisation},
    reputation::{Outcome, Reputation, Side},
};
use alloc::vec::Vec;
use frame_support::{
    ensure,
    traits::{Defensive, Get},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, Permill};

impl<T> From<AttestError> for Error<T> {
    fn from(error: AttestError) -> Self {
        match error {
            AttestError::AlreadyAttested => Self::AlreadyAttested,
            AttestError::SideFull => Self::TooManyAttestations,
        }
    }
}

impl<T: Config> Judge<T::AccountId, BlockNumberFor<T>, BalanceOf<T>> for Pallet<T> {
    fn judge(
        rule: JudgeRule,
        seed: H256,
        answers: &[Answer<T::AccountId, BlockNumberFor<T>>],
    ) -> Option<Verdict<T::AccountId>> {
        let JudgeRule::Replication { trust } = rule;
        consensus::verdict(trust, seed.as_fixed_bytes(), answers)
    }

    /// Emits `AppealWindowOpened`. Errors: `AppealWindowAlreadyOpen`.
    fn open_appeal_window(task: TaskId, terms: AppealTerms<BlockNumberFor<T>, BalanceOf<T>>) -> DispatchResult {
        ensure!(
            !AppealWindows::<T>::contains_key(task),
            Error::<T>::AppealWindowAlreadyOpen
        );
        let AppealTerms {
            claim,
            seed,
            until,
            bond,
            ..
        } = terms;
        AppealWindows::<T>::insert(task, AppealWindow::new(terms));
        Self::deposit_event(Event::AppealWindowOpened {
            task,
            claim,
            seed,
            until,
            bond,
        });
        Ok(())
    }

    fn appealed(task: TaskId) -> Option<Claim> {
        AppealWindows::<T>::get(task).map(|window| window.terms.claim)
    }

    fn appeal_until(task: TaskId) -> Option<BlockNumberFor<T>> {
        AppealWindows::<T>::get(task).map(|window| window.terms.until)
    }

    fn tally(task: TaskId) -> Tally {
        AppealWindows::<T>::get(task)
            .map(|window| window.attestations.tally())
            .unwrap_or_default()
    }

    fn attesters(task: TaskId) -> Vec<T::AccountId> {
        let attestations = AppealWindows::<T>::get(task).map(|window| window.attestations);
        let attestations = attestations.unwrap_or_default();
        attestations.iter().map(|(who, _)| who.clone()).collect()
    }

    /// Emits `AttesterPaid` or `AttesterSlashed` per attester, none for those in favour where the ruling is `Undecided`;
    /// then `AppealWindowClosed`. Errors: `NoAppealWindow`. What is held of an attester now counts as its bond, so closing
    /// never fails for want of money.
    fn close_appeal_window(task: TaskId, ruling: Ruling) -> Result<Vec<T::AccountId>, DispatchError> {
        let window = AppealWindows::<T>::take(task).ok_or(Error::<T>::NoAppealWindow)?;
        let specialisation = window.terms.specialisation;
        let truth = ruling.vindicates();
        let (mut right, wrong) = window.attestations.sides(truth.unwrap_or(Attestation::Valid));
        // Their bonds first: an account that has its bond back can receive more.
        right.iter().for_each(|who| Self::give_back(task, who));
        if truth.is_some() {
            Self::pass_bonds(task, &right, &wrong, T::LoserPenalty::get());
            Self::tell_reputations(specialisation, &right, &wrong);
        } else {
            right.clear();
            Self::pass_bonds(task, &right, &wrong, T::UndecidedPenalty::get());
        }
        Self::deposit_event(Event::AppealWindowClosed { task, ruling });
        Ok(right)
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_attest(verifier: T::AccountId, task: TaskId, attestation: Attestation) -> DispatchResult {
        T::Participants::ensure_active(&verifier, Role::Verifier)?;
        let mut window = AppealWindows::<T>::get(task).ok_or(Error::<T>::NoAppealWindow)?;
        ensure!(!T::Parties::is_party(task, &verifier), Error::<T>::PartyToTask);

        let now = frame_system::Pallet::<T>::block_number();
        ensure!(now <= window.terms.until, Error::<T>::WindowClosed);
        window
            .attestations
            .attest(verifier.clone(), attestation)
            .map_err(Error::<T>::from)?;

        T::Escrow::hold(Purpose::AppealBond, Scope::Task(task), &verifier, window.terms.bond)?;
        AppealWindows::<T>::insert(task, window);
        Self::deposit_event(Event::Attested {
            task,
            verifier,
            attestation,
        });
        Ok(())
    }

    /// Gives back what is held of `who` as its bond for `task`.
    fn give_back(task: TaskId, who: &T::AccountId) {
        // What is held can be given back. If that ever failed, closing must go on for the other attesters.
        let _ = T::Escrow::release_all(Purpose::AppealBond, Scope::Task(task), who)
            .defensive_proof("what is held can be released");
    }

    /// Passes `penalty` of the bonds of those who were wrong to those who were right, and gives them the rest back.
    fn pass_bonds(task: TaskId, right: &[T::AccountId], wrong: &[T::AccountId], penalty: Permill) {
        let (purpose, scope) = (Purpose::AppealBond, Scope::Task(task));
        let penalties: Vec<_> = wrong
            .iter()
            .map(|who| {
                let held = T::Escrow::held(purpose, scope, who);
                (who.clone(), penalty.mul_floor(held))
            })
            .collect();
        let (share, transfers) = redistribute(&penalties, right);
        for transfer in transfers {
            let _ = T::Escrow::pay(purpose, scope, &transfer.from, transfer.payee, transfer.amount)
                .defensive_proof("transfers are parts of what is held");
        }
        for verifier in right.iter().cloned() {
            Self::deposit_event(Event::AttesterPaid {
                task,
                verifier,
                amount: share,
            });
        }
        for (verifier, amount) in penalties {
            Self::give_back(task, &verifier);
            Self::deposit_event(Event::AttesterSlashed { task, verifier, amount });
        }
    }

    /// Tells the reputations how the attesters did.
    fn tell_reputations(specialisation: Specialisation, right: &[T::AccountId], wrong: &[T::AccountId]) {
        let side = Side::Verifier(specialisation);
        let confirmed = right.len() > 1;
        right
            .iter()
            .for_each(|who| T::Reputation::record(who, side, Outcome::Right { confirmed }));
        wrong
            .iter()
            .for_each(|who| T::Reputation::record(who, side, Outcome::Wrong));
    }
}
