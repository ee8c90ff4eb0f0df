// PROVISIONAL: to be generated

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_agora_judging`.
pub trait WeightInfo {
    fn attest() -> Weight;
    fn open_challenge() -> Weight;
    fn close_challenge(n: u32, ) -> Weight;
}

/// Weights for `pallet_agora_judging` using the Substrate node and recommended hardware.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn attest() -> Weight {
        Weight::from_parts(60_000_000, 6000)
            .saturating_add(T::DbWeight::get().reads_writes(6, 4))
    }
    fn open_challenge() -> Weight {
        Weight::from_parts(15_000_000, 4000)
            .saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    fn close_challenge(n: u32, ) -> Weight {
        Weight::from_parts(20_000_000, 6000)
            .saturating_add(Weight::from_parts(90_000_000, 6000).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(2, 2))
            .saturating_add(T::DbWeight::get().reads_writes(5, 5).saturating_mul(n.into()))
    }
}

// For backwards compatibility and tests.
impl WeightInfo for () {
    fn attest() -> Weight {
        Weight::from_parts(60_000_000, 6000)
            .saturating_add(RocksDbWeight::get().reads_writes(6, 4))
    }
    fn open_challenge() -> Weight {
        Weight::from_parts(15_000_000, 4000)
            .saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
    fn close_challenge(n: u32, ) -> Weight {
        Weight::from_parts(20_000_000, 6000)
            .saturating_add(Weight::from_parts(90_000_000, 6000).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(2, 2))
            .saturating_add(RocksDbWeight::get().reads_writes(5, 5).saturating_mul(n.into()))
    }
}
