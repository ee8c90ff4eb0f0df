// PROVISIONAL: to be generated

//! Weights of `pallet_agora_reputation`.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_agora_reputation`.
pub trait WeightInfo {
    fn record() -> Weight;
    fn forget() -> Weight;
}

/// Weights for `pallet_agora_reputation` using the Substrate node and recommended hardware.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn record() -> Weight {
        Weight::from_parts(20_000_000, 3600)
            .saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    fn forget() -> Weight {
        Weight::from_parts(20_000_000, 3600)
            .saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
}

// For backwards compatibility and tests.
impl WeightInfo for () {
    fn record() -> Weight {
        Weight::from_parts(20_000_000, 3600)
            .saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
    fn forget() -> Weight {
        Weight::from_parts(20_000_000, 3600)
            .saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
}
