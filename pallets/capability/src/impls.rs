//! What the calls and the hook at the start of a block do.

use crate::{
    Config, CurrentRound, CurrentSchedule, Error, Event, FirstKept, OpenVotes, Pallet, PastRounds, ResponseOf,
    Responses, Votes,
    types::{HardwareRound, Schedule, ScheduleError, Vote},
};
use agora_primitives::{
    capability::{
        Ballot, Capabilities, challenge_job, decoy_mark, is_drawn, max_provable, shows_decoy, vote_commitment,
    },
    job::{ChunkProof, Limits as _},
    judging::{Attestation, Seed},
    money::{Escrow, Purpose, Scope},
    participants::{Participants, Role},
};
use codec::Encode;
use frame_support::{ensure, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{
    DispatchResult,
    traits::{CheckedDiv, UniqueSaturatedInto},
};

/// The scope in which a worker's fees are held.
pub(crate) const FEE: (Purpose, Scope) = (Purpose::ChallengeFee, Scope::Role(Role::Worker));
/// The scope in which a verifier's bond is held.
pub(crate) const BOND: (Purpose, Scope) = (Purpose::RoleBond, Scope::Role(Role::Verifier));

impl<T> From<ScheduleError> for Error<T> {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::WindowTooShort => Self::WindowTooShort,
            ScheduleError::VotingTooShort => Self::VotingTooShort,
            ScheduleError::PeriodTooShort => Self::PeriodTooShort,
            ScheduleError::ValidityTooShort => Self::ValidityTooShort,
            ScheduleError::TooManySeats => Self::TooManySeats,
            ScheduleError::QuorumOutOfRange => Self::QuorumOutOfRange,
        }
    }
}

/// Calls.
impl<T: Config> Pallet<T> {
    pub(crate) fn do_respond(worker: T::AccountId, round: u32, digest: H256) -> DispatchResult {
        T::Participants::ensure_active(&worker, Role::Worker)?;
        let current = Self::current(round)?;
        ensure!(current.takes_responses(Self::now()), Error::<T>::WindowClosed);
        ensure!(
            !Responses::<T>::contains_key(round, &worker),
            Error::<T>::AlreadyResponded
        );
        let capability = T::Capabilities::declared(&worker)?.min(max_provable(current.window_ms));
        let fee = T::ResponseFee::get();
        T::Escrow::hold(FEE.0, FEE.1, &worker, fee)?;
        Responses::<T>::insert(round, &worker, ResponseOf::<T>::new(capability, digest, fee));
        Self::deposit_event(Event::Responded {
            round,
            worker,
            capability,
            digest,
        });
        Ok(())
    }

    pub(crate) fn do_commit_vote(
        verifier: T::AccountId,
        round: u32,
        worker: T::AccountId,
        digest: H256,
        commitment: H256,
    ) -> DispatchResult {
        T::Participants::ensure_active(&verifier, Role::Verifier)?;
        ensure!(verifier != worker, Error::<T>::OwnResponse);
        let mut current = Self::current(round)?;
        ensure!(current.takes_votes(Self::now()), Error::<T>::VotingClosed);
        let mut response = Responses::<T>::get(round, &worker).ok_or(Error::<T>::NoResponse)?;
        ensure!(response.digest == digest, Error::<T>::OtherResponse);
        let key = (round, &verifier, &worker);
        ensure!(!Votes::<T>::contains_key(key), Error::<T>::AlreadyVoted);
        let weight = Self::votes_backed_by(&verifier);
        let open = OpenVotes::<T>::get(&verifier);
        ensure!(open < weight, Error::<T>::NoBondLeft);

        Votes::<T>::insert(key, Vote { weight, commitment });
        // Below a `u32`.
        OpenVotes::<T>::insert(&verifier, open.saturating_add(1));
        // Saturating: 2³² votes would have to be cast on one response.
        response.weight = response.weight.saturating_add(weight.into());
        if response.weight > current.most_weight {
            current.most_weight = response.weight;
            CurrentRound::<T>::put(current);
        }
        Responses::<T>::insert(round, &worker, response);
        Self::deposit_event(Event::VoteCommitted {
            round,
            worker,
            verifier,
            weight,
        });
        Ok(())
    }

    pub(crate) fn do_reveal_vote(
        verifier: T::AccountId,
        round: u32,
        worker: T::AccountId,
        vote: Attestation,
        salt: [u8; 32],
    ) -> DispatchResult {
        let current = Self::revealing(round)?;
        let key = (round, &verifier, &worker);
        let committed = Votes::<T>::get(key).ok_or(Error::<T>::NoVote)?;
        let mut response = Responses::<T>::get(round, &worker).ok_or(Error::<T>::NoResponse)?;
        let ballot = Ballot {
            round_seed: current.seed,
            worker: &worker,
            digest: response.digest,
            verifier: &verifier,
            vote,
        };
        ensure!(
            vote_commitment(&ballot, &salt) == committed.commitment,
            Error::<T>::OtherVote
        );
        let lots = current.lots(response.weight).ok_or(Error::<T>::NotRevealing)?;
        ensure!(
            is_drawn(&lots, &worker, &verifier, committed.weight),
            Error::<T>::NotDrawn
        );
        let counted = (verifier.clone(), vote);
        response.votes.try_push(counted).map_err(|_| Error::<T>::TooManyVotes)?;
        Responses::<T>::insert(round, &worker, response);
        Votes::<T>::remove(key);
        Self::deposit_event(Event::Voted {
            round,
            worker,
            verifier,
            vote,
        });
        Ok(())
    }

    pub(crate) fn do_show_decoy(
        worker: T::AccountId,
        round: u32,
        secret: &[u8; 32],
        proof: &ChunkProof,
    ) -> DispatchResult {
        let current = Self::revealing(round)?;
        let mut response = Responses::<T>::get(round, &worker).ok_or(Error::<T>::NoResponse)?;
        ensure!(!response.is_decoy, Error::<T>::AlreadyShown);
        let job = challenge_job(current.seed, &worker, response.capability, current.window_ms);
        let mark = decoy_mark(current.seed, &worker, secret);
        ensure!(
            shows_decoy(response.digest, job.max_output_bytes(), &mark, proof),
            Error::<T>::NoDecoy
        );
        response.is_decoy = true;
        Responses::<T>::insert(round, &worker, response);
        Self::deposit_event(Event::DecoyShown { round, worker });
        Ok(())
    }

    pub(crate) fn do_set_schedule(schedule: Option<Schedule<BlockNumberFor<T>>>) -> DispatchResult {
        if let Some(schedule) = &schedule {
            schedule.validate(T::MaxVotes::get()).map_err(Error::<T>::from)?;
        }
        CurrentSchedule::<T>::set(schedule);
        Self::deposit_event(Event::ScheduleSet { schedule });
        Ok(())
    }
}

/// The hook at the start of a block.
impl<T: Config> Pallet<T> {
    /// Opens the round after `last`, which is over.
    pub(crate) fn open_round(
        now: BlockNumberFor<T>,
        last: Option<HardwareRound<BlockNumberFor<T>>>,
        schedule: &Schedule<BlockNumberFor<T>>,
    ) {
        if let Some(last) = last.filter(|last| last.number >= FirstKept::<T>::get()) {
            PastRounds::<T>::insert(last.number, last);
        }
        // Saturating: there is at most one round per block, and block numbers would run out first.
        let number = last.map_or(0, |round| round.number).saturating_add(1);
        let seed = T::Seed::seed(&(b"hardware", number).encode());
        let round = schedule.open(number, seed, now, T::BlockTimeMs::get());
        CurrentRound::<T>::put(round);
        Self::deposit_event(Event::RoundOpened {
            round: number,
            seed,
            closes_at: round.closes_at,
        });
    }

    /// Draws the votes of `round` that count.
    pub(crate) fn draw_votes(round: HardwareRound<BlockNumberFor<T>>) {
        let draw = T::Seed::seed(&(b"hardware votes", round.number).encode());
        CurrentRound::<T>::put(HardwareRound {
            draw: Some(draw),
            ..round
        });
        Self::deposit_event(Event::VotesDrawn {
            round: round.number,
            draw,
        });
    }
}

/// What the calls have in common.
impl<T: Config> Pallet<T> {
    fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    fn current(round: u32) -> Result<HardwareRound<BlockNumberFor<T>>, Error<T>> {
        CurrentRound::<T>::get()
            .filter(|current| current.number == round)
            .ok_or(Error::NotCurrentRound)
    }

    /// The current round, after the draw and before its end.
    fn revealing(round: u32) -> Result<HardwareRound<BlockNumberFor<T>>, Error<T>> {
        let current = Self::current(round)?;
        ensure!(
            current.draw.is_some() && !current.is_over(Self::now()),
            Error::<T>::NotRevealing
        );
        Ok(current)
    }

    /// How many votes at a time the bond of `verifier` backs, which is what each of them weighs.
    fn votes_backed_by(verifier: &T::AccountId) -> u32 {
        T::Escrow::held(BOND.0, BOND.1, verifier)
            .checked_div(&T::VoteBond::get())
            .map_or(u32::MAX, UniqueSaturatedInto::unique_saturated_into)
    }
}
