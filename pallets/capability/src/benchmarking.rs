//! What calls and hooks cost.

#![allow(
    unused_qualifications,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "benchmarks are not part of a runtime that runs"
)]

use super::*;
use agora_primitives::{capability::Decision, judging::Attestation};
use frame_benchmarking::v2::*;
use frame_support::{
    ensure,
    traits::{EnsureOrigin, Get, Hooks},
};
use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};
use sp_core::H256;

/// Sets up what benchmarks need outside this pallet.
pub trait BenchmarkHelper<AccountId> {
    /// Makes `who` an active worker.
    fn prepare_worker(who: &AccountId);
    /// Makes `who` an active verifier.
    fn prepare_verifier(who: &AccountId);
}

/// For chains whose `Participants` is a no-op.
impl<AccountId> BenchmarkHelper<AccountId> for () {
    fn prepare_worker(_: &AccountId) {}
    fn prepare_verifier(_: &AccountId) {}
}

/// A schedule with the highest quorum.
fn schedule<T: Config>() -> Schedule<BlockNumberFor<T>> {
    Schedule {
        period: 1_000u32.into(),
        window: 10u32.into(),
        validity: 2_000u32.into(),
        quorum: VotesOf::<T>::places_per_side(),
    }
}

fn open<T: Config>() -> u32 {
    Pallet::<T>::open_round(frame_system::Pallet::<T>::block_number(), &schedule::<T>());
    CurrentRound::<T>::get().unwrap().number
}

fn worker<T: Config>() -> T::AccountId {
    let who = account("worker", 0, 0);
    T::BenchmarkHelper::prepare_worker(&who);
    who
}

fn verifier<T: Config>(index: u32) -> T::AccountId {
    let who = account("verifier", index, 0);
    T::BenchmarkHelper::prepare_verifier(&who);
    who
}

fn response_of<T: Config>(round: u32, who: &T::AccountId) {
    let origin = RawOrigin::Signed(who.clone()).into();
    Pallet::<T>::respond(origin, round, H256::repeat_byte(1)).unwrap();
}

fn side(index: u32) -> Attestation {
    Attestation::of(index.is_multiple_of(2))
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn respond() {
        let round = open::<T>();
        let who = worker::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), round, H256::repeat_byte(1));

        assert!(Responses::<T>::contains_key(round, who));
    }

    /// The vote that makes the response count, when all places of the other side but one are taken.
    #[benchmark]
    fn vote() {
        let round = open::<T>();
        let who = worker::<T>();
        response_of::<T>(round, &who);
        let places = VotesOf::<T>::places_per_side();
        for index in 0..2 * places - 2 {
            let origin = RawOrigin::Signed(verifier::<T>(index)).into();
            Pallet::<T>::vote(origin, round, who.clone(), side(index)).unwrap();
        }
        let caller = verifier::<T>(2 * places);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), round, who.clone(), Attestation::Valid);

        let voted = Responses::<T>::get(round, who).unwrap();
        assert_eq!(voted.votes.len() as u32, 2 * places - 1);
        assert_eq!(voted.decision(places), Decision::Proven);
    }

    #[benchmark]
    fn set_schedule() -> Result<(), BenchmarkError> {
        let origin = T::ScheduleOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, Some(schedule::<T>()));

        ensure!(CurrentSchedule::<T>::get() == Some(schedule::<T>()), "set");
        Ok(())
    }

    #[benchmark]
    fn open_round() {
        open::<T>();
        let schedule = schedule::<T>();
        CurrentSchedule::<T>::put(schedule);

        #[block]
        {
            Pallet::<T>::on_initialize(schedule.period);
        }

        assert_eq!(CurrentRound::<T>::get().unwrap().number, 2);
    }

    #[benchmark]
    fn no_round() {
        let schedule = schedule::<T>();
        CurrentSchedule::<T>::put(schedule);

        #[block]
        {
            Pallet::<T>::on_initialize(1u32.into());
        }

        assert!(CurrentRound::<T>::get().is_none());
    }

    #[benchmark]
    fn sweep(n: Linear<0, MAX_SWEPT>) {
        FirstKept::<T>::put(1);
        let round = open::<T>();
        for index in 0..n {
            let who: T::AccountId = account("past", index, 0);
            let mut past = ResponseOf::<T>::new(1, H256::zero());
            for voter in 0..T::MaxVotes::get() {
                past.votes.attest(account("voter", voter, 0), side(voter)).unwrap();
            }
            Responses::<T>::insert(round, who, past);
        }
        open::<T>();

        #[block]
        {
            Pallet::<T>::sweep();
        }

        // Not what `sweep` says: it counts keys in the database, and those of the benchmark's own test are not there yet.
        assert_eq!(Responses::<T>::iter_prefix(round).count(), 0);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
