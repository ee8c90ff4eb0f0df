//! What attesting does, and the trait through which the life of a task has its results judged.

use crate::{AppealWindow, AppealWindowOf, AppealWindows, BalanceOf, Config, Draw, Error, Event, Pallet};
use agora_math::consensus;
use agora_primitives::{
    TaskId,
    courts::{Offence, Offences},
    job::Claim,
    judging::{
        Answer, AppealTerms, AttestError, Attestation, Judge, JudgeRule, Possession, Reveals, Ruling, Said, Sealed,
        Sides, Tally, TaskParties, Verdict, attestation_commitment, drawn_chunks, has_seat, possession_key,
        to_be_shown,
    },
    money::{Escrow, Payee, Purpose, Scope},
    participants::{Participants, Role, Specialisation, Stakes},
    reputation::{Outcome, Reputation, Side},
};
use alloc::vec::Vec;
use frame_support::{
    ensure,
    traits::{Defensive, Get},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, Permill, traits::Zero};

impl<T> From<AttestError> for Error<T> {
    fn from(error: AttestError) -> Self {
        match error {
            AttestError::AlreadyAttested => Self::AlreadyAttested,
            AttestError::Full => Self::TooManyAttestations,
        }
    }
}

impl<T: Config> Judge<T::AccountId, BlockNumberFor<T>, BalanceOf<T>> for Pallet<T> {
    fn judge(
        rule: JudgeRule,
        seed: H256,
        answers: &[Answer<T::AccountId, BlockNumberFor<T>>],
    ) -> Option<Verdict<T::AccountId>> {
        match rule {
            JudgeRule::Replication { trust } => consensus::verdict(trust, seed.as_fixed_bytes(), answers),
            // The chain has computed the job, or nobody has revealed.
            JudgeRule::Exact => None,
        }
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
        let (total, full) = (T::Participants::freeze(), T::FullBlocks::get());
        let window = AppealWindow::new(terms, total, T::Seats::get(), Self::now(), full);
        AppealWindows::<T>::insert(task, window);
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
        AppealWindows::<T>::get(task).map(|window| window.commit_until(T::FullBlocks::get()))
    }

    fn reveals(task: TaskId) -> Reveals<BlockNumberFor<T>> {
        let window = AppealWindows::<T>::get(task);
        window.map_or(Reveals::Done, |window| {
            window.reveals(Self::now(), T::FullBlocks::get())
        })
    }

    /// Emits `ChunksDrawn`.
    fn draw_chunks(task: TaskId, seed: H256) {
        let (now, full) = (Self::now(), T::FullBlocks::get());
        let Some(mut window) = AppealWindows::<T>::get(task) else {
            return;
        };
        let Reveals::Undrawn { from } = window.reveals(now, full) else {
            return;
        };
        if now < from {
            return;
        }
        window.draw = Some(Draw {
            seed,
            at: now,
            full_before: full,
        });
        let until = window.reveal_until(full).unwrap_or(now);
        AppealWindows::<T>::insert(task, window);
        Self::deposit_event(Event::ChunksDrawn {
            task,
            draw: seed,
            until,
        });
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

    /// Emits `AttesterUpheld` for everybody who is known to have been right, `AttesterSlashed` for everybody who loses something, then
    /// `AppealWindowClosed`. Errors: `NoAppealWindow`. What is held of an attester now counts as its bond, so closing never fails for want
    /// of money.
    fn close_appeal_window(task: TaskId, ruling: Ruling) -> Result<Vec<T::AccountId>, DispatchError> {
        let window = AppealWindows::<T>::take(task).ok_or(Error::<T>::NoAppealWindow)?;
        let specialisation = window.terms.specialisation;
        let could_reveal = window.draw.is_some() && !window.takes_reveals(Self::now(), T::FullBlocks::get());
        let Sides { right, wrong, silent } = window.attestations.sides(ruling.pays());
        let penalty = match ruling {
            Ruling::Upheld | Ruling::Overturned => T::LoserPenalty::get(),
            Ruling::Undecided => Permill::zero(),
            Ruling::Disagreed => T::DisagreedPenalty::get(),
        };
        let confirmed = right.len() > 1;
        for who in &right {
            Self::give_back(task, who);
            if ruling.is_certain() {
                let verifier = who.clone();
                Self::deposit_event(Event::AttesterUpheld { task, verifier });
                T::Reputation::record(who, Side::Verifier(specialisation), Outcome::Right { confirmed });
            }
        }
        for who in &wrong {
            Self::slash(task, who, penalty, Offence::Wrong);
            if ruling.is_certain() {
                Self::record_wrong(specialisation, who);
            }
        }
        for who in &silent {
            match could_reveal {
                true => {
                    Self::slash(task, who, T::LoserPenalty::get(), Offence::Silent);
                    Self::record_wrong(specialisation, who);
                    T::Offences::report(who, Offence::Silent);
                }
                // Nobody could, which whoever keeps the tasks does not let happen.
                false => Self::give_back(task, who),
            }
        }
        Self::deposit_event(Event::AppealWindowClosed { task, ruling });
        Ok(right)
    }
}

impl<T: Config> Pallet<T> {
    fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    pub(crate) fn do_commit_attestation(verifier: T::AccountId, task: TaskId, commitment: H256) -> DispatchResult {
        let mut window = Self::ensure_may_attest(task, &verifier)?;
        window
            .attestations
            .commit(verifier.clone(), commitment)
            .map_err(Error::<T>::from)?;

        T::Escrow::hold(Purpose::AppealBond, Scope::Task(task), &verifier, window.terms.bond)?;
        AppealWindows::<T>::insert(task, window);
        Self::deposit_event(Event::AttestationCommitted { task, verifier });
        Ok(())
    }

    /// The appeal window of `task`, in which `verifier` may attest now.
    pub(crate) fn ensure_may_attest(task: TaskId, verifier: &T::AccountId) -> Result<AppealWindowOf<T>, DispatchError> {
        T::Participants::ensure_active(verifier, Role::Verifier)?;
        let window = AppealWindows::<T>::get(task).ok_or(Error::<T>::NoAppealWindow)?;
        ensure!(!T::Parties::is_party(task, verifier), Error::<T>::PartyToTask);
        let until = window.commit_until(T::FullBlocks::get());
        ensure!(Self::now() <= until, Error::<T>::WindowClosed);
        let weight = T::Participants::stake(verifier, window.opened_at);
        ensure!(has_seat(&window.lots(), task, verifier, weight), Error::<T>::NotDrawn);
        Ok(window)
    }

    pub(crate) fn do_reveal_attestation(
        verifier: &T::AccountId,
        task: TaskId,
        attestation: Attestation,
        salt: &[u8; 32],
        possession: Option<Possession>,
    ) -> DispatchResult {
        let mut window = AppealWindows::<T>::get(task).ok_or(Error::<T>::NoAppealWindow)?;
        let Some(Said::Hidden(commitment)) = window.attestations.said(verifier) else {
            return Err(Error::<T>::NothingHidden.into());
        };
        let draw = window.draw.ok_or(Error::<T>::NotRevealing)?;
        ensure!(
            window.takes_reveals(Self::now(), T::FullBlocks::get()),
            Error::<T>::NotRevealing
        );
        let claim = &window.terms.claim;
        let seed = window.terms.seed;
        let shown = to_be_shown(claim, attestation);
        // What need not be shown is not carried: else a free call could fill a block with anything.
        ensure!(shown.is_some() || possession.is_none(), Error::<T>::NotShown);
        let sealed = Sealed {
            genesis: frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()),
            task,
            seed,
            claim,
            verifier,
            attestation,
            root: possession.as_ref().map(|possession| possession.root),
        };
        ensure!(
            attestation_commitment(&sealed, salt) == commitment,
            Error::<T>::OtherAttestation
        );
        if let Some(output) = shown {
            let key = possession_key(seed, task, verifier);
            let drawn = drawn_chunks(draw.seed, task, verifier, output.chunks());
            let is_shown = possession.is_some_and(|possession| possession.shows(output, &key, &drawn));
            ensure!(is_shown, Error::<T>::NotShown);
        }
        window.attestations.reveal(verifier, attestation);
        let is_last = !window.attestations.has_hidden();
        AppealWindows::<T>::insert(task, window);
        Self::deposit_event(Event::Attested {
            task,
            verifier: verifier.clone(),
            attestation,
        });
        if is_last {
            T::Parties::all_revealed(task);
        }
        Ok(())
    }

    /// Holds the bond of `who`, drawn or not, and takes down what it has revealed, or that it has committed to something.
    #[cfg(feature = "runtime-benchmarks")]
    pub fn note_attestation(task: TaskId, who: T::AccountId, revealed: Option<Attestation>) {
        AppealWindows::<T>::mutate(task, |window| {
            let Some(window) = window else { return };
            let held = T::Escrow::hold(Purpose::AppealBond, Scope::Task(task), &who, window.terms.bond);
            debug_assert!(held.is_ok(), "benchmarks give verifiers money");
            let noted = window.attestations.commit(who.clone(), H256::zero());
            debug_assert!(noted.is_ok(), "there is a place");
            if let Some(attestation) = revealed {
                window.attestations.reveal(&who, attestation);
            }
        });
    }

    /// Gives back what is held of `who` as its bond for `task`.
    fn give_back(task: TaskId, who: &T::AccountId) {
        // What is held can be given back. If that ever failed, closing must go on for the other attesters.
        let _ = T::Escrow::release_all(Purpose::AppealBond, Scope::Task(task), who)
            .defensive_proof("what is held can be released");
    }

    /// Takes `penalty` of the bond of `who` for the treasury, and gives it the rest back.
    ///
    /// Nobody who takes part in a task gains it. Else somebody could publish a task whose result passes every check and is wrong
    /// all the same, say so with a seat of its own, and live on what honest verifiers lose.
    fn slash(task: TaskId, who: &T::AccountId, penalty: Permill, offence: Offence) {
        let (purpose, scope) = (Purpose::AppealBond, Scope::Task(task));
        let amount = penalty.mul_floor(T::Escrow::held(purpose, scope, who));
        if !amount.is_zero() {
            let _ = T::Escrow::pay(purpose, scope, who, Payee::Treasury, amount)
                .defensive_proof("it is a part of what is held");
        }
        Self::give_back(task, who);
        if !penalty.is_zero() {
            Self::deposit_event(Event::AttesterSlashed {
                task,
                verifier: who.clone(),
                amount,
                offence,
            });
        }
    }

    fn record_wrong(specialisation: Specialisation, who: &T::AccountId) {
        T::Reputation::record(who, Side::Verifier(specialisation), Outcome::Wrong);
    }
}
