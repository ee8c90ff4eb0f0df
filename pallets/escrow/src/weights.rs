// PROVISIONAL: to be generated
#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]
#![allow(dead_code)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_agora_escrow`.
pub trait WeightInfo {
    fn deposit() -> Weight;
    fn withdraw() -> Weight;
    fn hold() -> Weight;
    fn release() -> Weight;
    fn pay() -> Weight;
    fn pay_replaced() -> Weight;
}

/// Weights for `pallet_agora_escrow` using the Substrate node and recommended hardware.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn deposit() -> Weight {
        Weight::from_parts(50_000_000, 3_800)
            .saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    fn withdraw() -> Weight {
        Weight::from_parts(45_000_000, 3_800)
            .saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    fn hold() -> Weight {
        Weight::from_parts(50_000_000, 3_800)
            .saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    fn release() -> Weight {
        Weight::from_parts(45_000_000, 3_800)
            .saturating_add(T::DbWeight::get().reads_writes(3, 3))
    }
    fn pay() -> Weight {
        Weight::from_parts(60_000_000, 6_200)
            .saturating_add(T::DbWeight::get().reads_writes(4, 4))
    }
    fn pay_replaced() -> Weight {
        Weight::from_parts(70_000_000, 8_800)
            .saturating_add(T::DbWeight::get().reads_writes(5, 4))
    }
}

// For backwards compatibility and tests.
impl WeightInfo for () {
    fn deposit() -> Weight {
        Weight::from_parts(50_000_000, 3_800)
            .saturating_add(RocksDbWeight::get().reads_writes(3, 3))
    }
    fn withdraw() -> Weight {
        Weight::from_parts(45_000_000, 3_800)
            .saturating_add(RocksDbWeight::get().reads_writes(3, 3))
    }
    fn hold() -> Weight {
        Weight::from_parts(50_000_000, 3_800)
            .saturating_add(RocksDbWeight::get().reads_writes(3, 3))
    }
    fn release() -> Weight {
        Weight::from_parts(45_000_000, 3_800)
            .saturating_add(RocksDbWeight::get().reads_writes(3, 3))
    }
    fn pay() -> Weight {
        Weight::from_parts(60_000_000, 6_200)
            .saturating_add(RocksDbWeight::get().reads_writes(4, 4))
    }
    fn pay_replaced() -> Weight {
        Weight::from_parts(70_000_000, 8_800)
            .saturating_add(RocksDbWeight::get().reads_writes(5, 4))
    }
}
