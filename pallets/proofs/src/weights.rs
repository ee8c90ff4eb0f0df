// PROVISIONAL: to be generated

//! Weights of `pallet_agora_proofs`.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_agora_proofs`.
pub trait WeightInfo {
    fn append() -> Weight;
    fn on_initialize(s: u32, f: u32, ) -> Weight;
    fn on_finalize(n: u32, ) -> Weight;
}

/// Weights for `pallet_agora_proofs` using the Substrate node and recommended hardware.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn append() -> Weight {
        Weight::from_parts(15_000_000, 36500)
            .saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    fn on_initialize(s: u32, f: u32, ) -> Weight {
        Weight::from_parts(15_000_000, 36500)
            .saturating_add(Weight::from_parts(200_000, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(4_000_000, 2600).saturating_mul(f.into()))
            .saturating_add(T::DbWeight::get().reads_writes(5, 2))
            .saturating_add(T::DbWeight::get().reads_writes(1, 1).saturating_mul(f.into()))
    }
    fn on_finalize(n: u32, ) -> Weight {
        Weight::from_parts(12_000_000, 36500)
            .saturating_add(Weight::from_parts(2_500_000, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(1, 4))
    }
}

// For backwards compatibility and tests.
impl WeightInfo for () {
    fn append() -> Weight {
        Weight::from_parts(15_000_000, 36500)
            .saturating_add(RocksDbWeight::get().reads_writes(2, 2))
    }
    fn on_initialize(s: u32, f: u32, ) -> Weight {
        Weight::from_parts(15_000_000, 36500)
            .saturating_add(Weight::from_parts(200_000, 0).saturating_mul(s.into()))
            .saturating_add(Weight::from_parts(4_000_000, 2600).saturating_mul(f.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(5, 2))
            .saturating_add(RocksDbWeight::get().reads_writes(1, 1).saturating_mul(f.into()))
    }
    fn on_finalize(n: u32, ) -> Weight {
        Weight::from_parts(12_000_000, 36500)
            .saturating_add(Weight::from_parts(2_500_000, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(1, 4))
    }
}
