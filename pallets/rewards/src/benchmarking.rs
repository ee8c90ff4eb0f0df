//! What the calls and planning cost.

#![allow(
    unused_qualifications,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "benchmarks are not part of a runtime that runs"
)]

use crate::{Call, Config, Pallet, Presets, types::Split};
use agora_primitives::money::{Payroll, PresetId, RewardPlanner};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::traits::{Contains, EnsureOrigin};
use sp_runtime::traits::Bounded;

/// The most paid accounts that are measured.
const MAX_RECIPIENTS: u32 = 100;

/// A preset that nothing refers to.
fn unused<T: Config>() -> PresetId {
    (0..=PresetId::MAX)
        .rev()
        .find(|id| !T::InUse::contains(id))
        .expect("not all presets are in use")
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_preset() -> Result<(), BenchmarkError> {
        let origin = T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let id = unused::<T>();
        Presets::<T>::remove(id);

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, id, Split::PEERS);

        assert_eq!(Presets::<T>::get(id), Some(Split::PEERS));
        Ok(())
    }

    #[benchmark]
    fn remove_preset() -> Result<(), BenchmarkError> {
        let origin = T::AdminOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let id = unused::<T>();
        Presets::<T>::insert(id, Split::PEERS);

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, id);

        assert!(!Presets::<T>::contains_key(id));
        Ok(())
    }

    /// `n`: how many accounts are paid, half of them workers.
    #[benchmark]
    fn plan(n: Linear<1, MAX_RECIPIENTS>) {
        let (workers, verifiers) = (n / 2, n - n / 2);
        let accounts =
            |name, count: u32| -> Vec<T::AccountId> { (0..count).map(|index| account(name, index, 0)).collect() };
        let payroll = Payroll {
            best: account("best", 0, 0),
            also_correct: accounts("worker", workers),
            verifiers: accounts("verifier", verifiers),
            attested: verifiers,
        };
        let reward = T::Balance::max_value();
        let planned;

        #[block]
        {
            planned = <Pallet<T> as RewardPlanner<T::AccountId>>::plan(&Split::PEERS, reward, &payroll);
        }

        assert_eq!(planned.map(|payments| payments.len() as u32), Ok(n + 2));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder::default().build(), crate::mock::Test);
}
