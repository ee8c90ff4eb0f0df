//! Benchmarks of the calls, and of recording an outcome as the other pallets do it.

#![allow(
    unused_qualifications,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "benchmarks are not part of a runtime that runs"
)]

use crate::{Call, Config, Event, Pallet, Records};
use agora_primitives::{
    participants::Specialisation,
    reputation::{Level, Outcome, Reputation, Side},
};
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use frame_system::RawOrigin;
use sp_runtime::traits::Saturating;

const SIDE: Side = Side::Worker(Specialisation::Synthetic);

/// Gives `who` one success fewer than a level needs.
fn almost_master<T: Config>(who: &T::AccountId) {
    for _ in 1..T::MinimumTasks::get() {
        Pallet::<T>::record(who, SIDE, Outcome::Right { confirmed: true });
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// The worst case: a worker reaches a level, so `OnLevelChanged` is called.
    #[benchmark]
    fn record() {
        let who: T::AccountId = whitelisted_caller();
        almost_master::<T>(&who);

        #[block]
        {
            Pallet::<T>::record(&who, SIDE, Outcome::Right { confirmed: true });
        }

        assert_eq!(Pallet::<T>::level(&who, SIDE), Level::Master);
    }

    /// The worst case: the worker loses its level together with the record.
    #[benchmark]
    fn forget() {
        let caller: T::AccountId = whitelisted_caller();
        let who: T::AccountId = account("worker", 0, 0);
        almost_master::<T>(&who);
        Pallet::<T>::record(&who, SIDE, Outcome::Right { confirmed: true });
        let now = frame_system::Pallet::<T>::block_number();
        let faded = now.saturating_add(T::HalfLife::get().saturating_mul(64u32.into()));
        frame_system::Pallet::<T>::set_block_number(faded);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), who.clone(), SIDE);

        assert!(!Records::<T>::contains_key(&who, SIDE));
        let event = Event::<T>::LevelChanged {
            who,
            side: SIDE,
            from: Level::Master,
            to: Level::Beginner,
        };
        frame_system::Pallet::<T>::assert_last_event(event.into());
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder::default().build(), crate::mock::Test);
}
