//! What the calls and hooks do.

use crate::{
    Config, CurrentRound, CurrentSchedule, Error, Event, FirstKept, MAX_SWEPT, Pallet, ResponseOf, Responses, VotesOf,
    types::{HardwareRound, Schedule, ScheduleError},
};
use agora_primitives::{
    capability::{Capabilities, Decision, max_provable},
    judging::{AttestError, Attestation, Seed},
    participants::{Participants, Role},
};
use codec::Encode;
use frame_support::{dispatch::Pays, ensure, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

impl<T> From<AttestError> for Error<T> {
    fn from(error: AttestError) -> Self {
        match error {
            AttestError::AlreadyAttested => Self::AlreadyVoted,
            AttestError::SideFull => Self::TooManyVotes,
        }
    }
}

impl<T> From<ScheduleError> for Error<T> {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::WindowTooShort => Self::WindowTooShort,
            ScheduleError::PeriodTooShort => Self::PeriodTooShort,
            ScheduleError::ValidityTooShort => Self::ValidityTooShort,
            ScheduleError::QuorumOutOfRange => Self::QuorumOutOfRange,
        }
    }
}

/// Calls.
impl<T: Config> Pallet<T> {
    pub(crate) fn do_respond(worker: T::AccountId, round: u32, digest: H256) -> DispatchResult {
        T::Participants::ensure_active(&worker, Role::Worker)?;
        let current = Self::current(round)?;
        let now = frame_system::Pallet::<T>::block_number();
        ensure!(current.takes_responses(now), Error::<T>::WindowClosed);
        ensure!(
            !Responses::<T>::contains_key(round, &worker),
            Error::<T>::AlreadyResponded
        );
        let capability = T::Capabilities::declared(&worker)?.min(max_provable(current.window_ms));
        Responses::<T>::insert(round, &worker, ResponseOf::<T>::new(capability, digest));
        Self::deposit_event(Event::Responded {
            round,
            worker,
            capability,
            digest,
        });
        Ok(())
    }

    /// Takes down a vote, and says whether the voter pays for it.
    pub(crate) fn do_vote(
        verifier: T::AccountId,
        round: u32,
        worker: T::AccountId,
        vote: Attestation,
    ) -> Result<Pays, DispatchError> {
        T::Participants::ensure_active(&verifier, Role::Verifier)?;
        ensure!(verifier != worker, Error::<T>::OwnResponse);
        let current = Self::current(round)?;
        let mut response = Responses::<T>::get(round, &worker).ok_or(Error::<T>::NoResponse)?;
        let before = response.decision(current.quorum);
        response
            .votes
            .attest(verifier.clone(), vote)
            .map_err(Error::<T>::from)?;
        let after = response.decision(current.quorum);
        let capability = response.capability;
        Responses::<T>::insert(round, &worker, response);
        Self::deposit_event(Event::Voted {
            round,
            worker: worker.clone(),
            verifier,
            vote,
        });
        if after != before {
            Self::decide(worker, capability, &current, after);
        }
        let is_of_use = !before.agrees_with(vote);
        Ok(if is_of_use { Pays::No } else { Pays::Yes })
    }

    pub(crate) fn do_set_schedule(schedule: Option<Schedule<BlockNumberFor<T>>>) -> DispatchResult {
        if let Some(schedule) = &schedule {
            schedule
                .validate(VotesOf::<T>::places_per_side())
                .map_err(Error::<T>::from)?;
        }
        CurrentSchedule::<T>::set(schedule);
        Self::deposit_event(Event::ScheduleSet { schedule });
        Ok(())
    }
}

/// Hooks.
impl<T: Config> Pallet<T> {
    pub(crate) fn open_round(now: BlockNumberFor<T>, schedule: &Schedule<BlockNumberFor<T>>) {
        let last = CurrentRound::<T>::get().map_or(0, |round| round.number);
        // Saturating: there is at most one round per block, and block numbers would run out first.
        let number = last.saturating_add(1);
        let seed = T::Seed::seed(&(b"hardware", number).encode());
        let round = schedule.open(number, seed, now, T::BlockTimeMs::get());
        CurrentRound::<T>::put(round);
        Self::deposit_event(Event::RoundOpened {
            round: number,
            seed,
            closes_at: round.closes_at,
        });
    }

    /// Forgets up to [`MAX_SWEPT`] responses of the oldest past round that may have any, and says how many.
    pub(crate) fn sweep() -> u32 {
        let Some(current) = CurrentRound::<T>::get() else {
            return 0;
        };
        let oldest = FirstKept::<T>::get();
        if oldest >= current.number {
            return 0;
        }
        let swept = Responses::<T>::clear_prefix(oldest, MAX_SWEPT, None);
        if swept.maybe_cursor.is_none() {
            // Saturating: it stays at most the number of the current round.
            FirstKept::<T>::put(oldest.saturating_add(1));
        }
        swept.unique
    }
}

/// What the calls have in common.
impl<T: Config> Pallet<T> {
    fn current(round: u32) -> Result<HardwareRound<BlockNumberFor<T>>, Error<T>> {
        CurrentRound::<T>::get()
            .filter(|current| current.number == round)
            .ok_or(Error::NotCurrentRound)
    }

    /// Tells the registry, and everybody, what the votes on a response have come to.
    fn decide(worker: T::AccountId, capability: u32, round: &HardwareRound<BlockNumberFor<T>>, decision: Decision) {
        match decision {
            Decision::Proven => {
                let until = round.proven_until;
                T::Capabilities::prove(&worker, capability, until);
                Self::deposit_event(Event::CapabilityProven {
                    worker,
                    capability,
                    until,
                });
            }
            Decision::Refuted => {
                T::Capabilities::refute(&worker);
                Self::deposit_event(Event::CapabilityRefuted { worker });
            }
            Decision::Open => {}
        }
    }
}
