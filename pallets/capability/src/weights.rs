//! Weights of `pallet_agora_capability`: counted, to be measured by `make weights`.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(clippy::all, missing_docs, unused_parens, unused_imports, unused_variables)]
#![allow(clippy::arithmetic_side_effects, clippy::unnecessary_cast)]

use frame_support::{traits::Get, weights::{Weight, constants::ParityDbWeight}};
use core::marker::PhantomData;

/// What the calls and hooks of `pallet_agora_capability` weigh.
pub trait WeightInfo {
    fn answer() -> Weight;
    fn attest() -> Weight;
    fn set_schedule() -> Weight;
    fn open_round() -> Weight;
    fn no_round() -> Weight;
    fn sweep(n: u32, ) -> Weight;
}

/// Weights for a runtime with the database weights of `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn answer() -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(6, 1)) }
    fn attest() -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(30, 25)) }
    fn set_schedule() -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(0, 1)) }
    fn open_round() -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(5, 2)) }
    fn no_round() -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(1, 0)) }
    fn sweep(n: u32, ) -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(3, 1)).saturating_add(T::DbWeight::get().reads_writes(1, 1).saturating_mul(n.into())) }
}
impl WeightInfo for () {
    fn answer() -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 1)) }
    fn attest() -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(ParityDbWeight::get().reads_writes(30, 25)) }
    fn set_schedule() -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(ParityDbWeight::get().reads_writes(0, 1)) }
    fn open_round() -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(ParityDbWeight::get().reads_writes(5, 2)) }
    fn no_round() -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(ParityDbWeight::get().reads_writes(1, 0)) }
    fn sweep(n: u32, ) -> Weight { Weight::from_parts(30_000_000, 0).saturating_add(ParityDbWeight::get().reads_writes(3, 1)).saturating_add(ParityDbWeight::get().reads_writes(1, 1).saturating_mul(n.into())) }
}
