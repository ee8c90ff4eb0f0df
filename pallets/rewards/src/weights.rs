// PROVISIONAL: to be generated
#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]
#![allow(dead_code)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_agora_rewards`.
pub trait WeightInfo {
    fn set_preset() -> Weight;
    fn remove_preset() -> Weight;
    fn plan(n: u32, ) -> Weight;
}

/// Weights for `pallet_agora_rewards` using the Substrate node and recommended hardware.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn set_preset() -> Weight {
        Weight::from_parts(15_000_000, 3_510)
            .saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    fn remove_preset() -> Weight {
        Weight::from_parts(15_000_000, 3_510)
            .saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    fn plan(n: u32, ) -> Weight {
        Weight::from_parts(10_000_000, 3_510)
            .saturating_add(Weight::from_parts(500_000, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(1, 0))
    }
}

// For backwards compatibility and tests.
impl WeightInfo for () {
    fn set_preset() -> Weight {
        Weight::from_parts(15_000_000, 3_510)
            .saturating_add(RocksDbWeight::get().reads_writes(2, 2))
    }
    fn remove_preset() -> Weight {
        Weight::from_parts(15_000_000, 3_510)
            .saturating_add(RocksDbWeight::get().reads_writes(2, 2))
    }
    fn plan(n: u32, ) -> Weight {
        Weight::from_parts(10_000_000, 3_510)
            .saturating_add(Weight::from_parts(500_000, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(1, 0))
    }
}
