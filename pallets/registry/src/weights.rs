// PROVISIONAL: to be generated

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]
#![allow(dead_code)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_agora_registry`.
pub trait WeightInfo {
	fn register() -> Weight;
	fn update_profile() -> Weight;
	fn add_bond() -> Weight;
	fn heartbeat() -> Weight;
	fn request_exit() -> Weight;
	fn withdraw_bond() -> Weight;
	fn ban() -> Weight;
	fn lift_ban() -> Weight;
	fn draw_workers(c: u32, ) -> Weight;
	fn draw_inactive(c: u32, ) -> Weight;
}

/// Weights for `pallet_agora_registry` using the Substrate node and recommended hardware.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register() -> Weight {
		Weight::from_parts(90_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads_writes(38_u64, 7_u64))
	}
	fn update_profile() -> Weight {
		Weight::from_parts(50_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads_writes(23_u64, 22_u64))
	}
	fn add_bond() -> Weight {
		Weight::from_parts(90_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads_writes(27_u64, 25_u64))
	}
	fn heartbeat() -> Weight {
		Weight::from_parts(60_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads_writes(25_u64, 23_u64))
	}
	fn request_exit() -> Weight {
		Weight::from_parts(50_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads_writes(23_u64, 22_u64))
	}
	fn withdraw_bond() -> Weight {
		Weight::from_parts(110_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads_writes(50_u64, 29_u64))
	}
	fn ban() -> Weight {
		Weight::from_parts(50_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads_writes(23_u64, 23_u64))
	}
	fn lift_ban() -> Weight {
		Weight::from_parts(60_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads_writes(25_u64, 23_u64))
	}
	fn draw_workers(c: u32, ) -> Weight {
		Weight::from_parts(10_000_000, 6000)
			.saturating_add(Weight::from_parts(30_000_000, 5000).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(23_u64))
			.saturating_add(T::DbWeight::get().reads((25_u64).saturating_mul(c.into())))
	}
	fn draw_inactive(c: u32, ) -> Weight {
		Weight::from_parts(10_000_000, 6000)
			.saturating_add(Weight::from_parts(60_000_000, 5000).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(23_u64))
			.saturating_add(T::DbWeight::get().reads_writes((25_u64).saturating_mul(c.into()), (22_u64).saturating_mul(c.into())))
	}
}

// For backwards compatibility and tests.
impl WeightInfo for () {
	fn register() -> Weight {
		Weight::from_parts(90_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads_writes(38_u64, 7_u64))
	}
	fn update_profile() -> Weight {
		Weight::from_parts(50_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads_writes(23_u64, 22_u64))
	}
	fn add_bond() -> Weight {
		Weight::from_parts(90_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads_writes(27_u64, 25_u64))
	}
	fn heartbeat() -> Weight {
		Weight::from_parts(60_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads_writes(25_u64, 23_u64))
	}
	fn request_exit() -> Weight {
		Weight::from_parts(50_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads_writes(23_u64, 22_u64))
	}
	fn withdraw_bond() -> Weight {
		Weight::from_parts(110_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads_writes(50_u64, 29_u64))
	}
	fn ban() -> Weight {
		Weight::from_parts(50_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads_writes(23_u64, 23_u64))
	}
	fn lift_ban() -> Weight {
		Weight::from_parts(60_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads_writes(25_u64, 23_u64))
	}
	fn draw_workers(c: u32, ) -> Weight {
		Weight::from_parts(10_000_000, 6000)
			.saturating_add(Weight::from_parts(30_000_000, 5000).saturating_mul(c.into()))
			.saturating_add(RocksDbWeight::get().reads(23_u64))
			.saturating_add(RocksDbWeight::get().reads((25_u64).saturating_mul(c.into())))
	}
	fn draw_inactive(c: u32, ) -> Weight {
		Weight::from_parts(10_000_000, 6000)
			.saturating_add(Weight::from_parts(60_000_000, 5000).saturating_mul(c.into()))
			.saturating_add(RocksDbWeight::get().reads(23_u64))
			.saturating_add(RocksDbWeight::get().reads_writes((25_u64).saturating_mul(c.into()), (22_u64).saturating_mul(c.into())))
	}
}
