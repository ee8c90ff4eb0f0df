// PROVISIONAL: to be generated
#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]
#![allow(dead_code)]

use frame_support::{traits::Get, weights::{Weight, constants::RocksDbWeight}};
use core::marker::PhantomData;

/// Weight functions needed for `pallet_agora_tasks`.
pub trait WeightInfo {
    fn publish() -> Weight;
    fn invite() -> Weight;
    fn cancel() -> Weight;
    fn accept() -> Weight;
    fn commit() -> Weight;
    fn reveal() -> Weight;
    fn set_class() -> Weight;
    fn remove_class() -> Weight;
    fn expire(n: u32, ) -> Weight;
    fn start_reveal() -> Weight;
    fn judge(n: u32, ) -> Weight;
    fn replicate(n: u32, ) -> Weight;
    fn fail(n: u32, ) -> Weight;
    fn reopen(n: u32, ) -> Weight;
    fn rule(n: u32, ) -> Weight;
    fn settle(n: u32, ) -> Weight;
    fn purge() -> Weight;
    fn reschedule() -> Weight;
    fn on_idle_base() -> Weight;
    fn on_idle_bucket() -> Weight;
}

/// Weights for `pallet_agora_tasks` using the Substrate node and recommended hardware.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn publish() -> Weight {
        Weight::from_parts(60_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(8, 7))
    }
    fn invite() -> Weight {
        Weight::from_parts(200_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(40, 1))
    }
    fn cancel() -> Weight {
        Weight::from_parts(150_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(14, 12))
    }
    fn accept() -> Weight {
        Weight::from_parts(90_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(9, 7))
    }
    fn commit() -> Weight {
        Weight::from_parts(20_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(2, 2))
    }
    fn reveal() -> Weight {
        Weight::from_parts(25_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(3, 2))
    }
    fn set_class() -> Weight {
        Weight::from_parts(20_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    fn remove_class() -> Weight {
        Weight::from_parts(15_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    fn expire(n: u32, ) -> Weight {
        Weight::from_parts(200_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(7_u64.saturating_mul(n.into()), 6_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().reads_writes(16, 12))
    }
    fn start_reveal() -> Weight {
        Weight::from_parts(30_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(6, 3))
    }
    fn judge(n: u32, ) -> Weight {
        Weight::from_parts(60_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(3_u64.saturating_mul(n.into()), 1_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().reads_writes(8, 5))
    }
    fn replicate(n: u32, ) -> Weight {
        Weight::from_parts(250_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(3_u64.saturating_mul(n.into()), 1_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().reads_writes(48, 4))
    }
    fn fail(n: u32, ) -> Weight {
        Weight::from_parts(200_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(7_u64.saturating_mul(n.into()), 6_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().reads_writes(16, 12))
    }
    fn reopen(n: u32, ) -> Weight {
        Weight::from_parts(250_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(1_u64.saturating_mul(n.into()), 0_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().reads_writes(48, 4))
    }
    fn rule(n: u32, ) -> Weight {
        Weight::from_parts(300_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(9_u64.saturating_mul(n.into()), 7_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().reads_writes(24, 20))
    }
    fn settle(n: u32, ) -> Weight {
        Weight::from_parts(300_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(9_u64.saturating_mul(n.into()), 7_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().reads_writes(24, 20))
    }
    fn purge() -> Weight {
        Weight::from_parts(40_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(3, 5))
    }
    fn reschedule() -> Weight {
        Weight::from_parts(30_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(6, 3))
    }
    fn on_idle_base() -> Weight {
        Weight::from_parts(5_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    fn on_idle_bucket() -> Weight {
        Weight::from_parts(5_000_000, 4_000)
            .saturating_add(T::DbWeight::get().reads_writes(1, 0))
    }
}

// For backwards compatibility and tests.
impl WeightInfo for () {
    fn publish() -> Weight {
        Weight::from_parts(60_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(8, 7))
    }
    fn invite() -> Weight {
        Weight::from_parts(200_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(40, 1))
    }
    fn cancel() -> Weight {
        Weight::from_parts(150_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(14, 12))
    }
    fn accept() -> Weight {
        Weight::from_parts(90_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(9, 7))
    }
    fn commit() -> Weight {
        Weight::from_parts(20_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(2, 2))
    }
    fn reveal() -> Weight {
        Weight::from_parts(25_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(3, 2))
    }
    fn set_class() -> Weight {
        Weight::from_parts(20_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
    fn remove_class() -> Weight {
        Weight::from_parts(15_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
    fn expire(n: u32, ) -> Weight {
        Weight::from_parts(200_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(7_u64.saturating_mul(n.into()), 6_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().reads_writes(16, 12))
    }
    fn start_reveal() -> Weight {
        Weight::from_parts(30_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(6, 3))
    }
    fn judge(n: u32, ) -> Weight {
        Weight::from_parts(60_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(3_u64.saturating_mul(n.into()), 1_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().reads_writes(8, 5))
    }
    fn replicate(n: u32, ) -> Weight {
        Weight::from_parts(250_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(3_u64.saturating_mul(n.into()), 1_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().reads_writes(48, 4))
    }
    fn fail(n: u32, ) -> Weight {
        Weight::from_parts(200_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(7_u64.saturating_mul(n.into()), 6_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().reads_writes(16, 12))
    }
    fn reopen(n: u32, ) -> Weight {
        Weight::from_parts(250_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(1_u64.saturating_mul(n.into()), 0_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().reads_writes(48, 4))
    }
    fn rule(n: u32, ) -> Weight {
        Weight::from_parts(300_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(9_u64.saturating_mul(n.into()), 7_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().reads_writes(24, 20))
    }
    fn settle(n: u32, ) -> Weight {
        Weight::from_parts(300_000_000, 4_000)
            .saturating_add(Weight::from_parts(60_000_000, 2_600).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads_writes(9_u64.saturating_mul(n.into()), 7_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().reads_writes(24, 20))
    }
    fn purge() -> Weight {
        Weight::from_parts(40_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(3, 5))
    }
    fn reschedule() -> Weight {
        Weight::from_parts(30_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(6, 3))
    }
    fn on_idle_base() -> Weight {
        Weight::from_parts(5_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
    fn on_idle_bucket() -> Weight {
        Weight::from_parts(5_000_000, 4_000)
            .saturating_add(RocksDbWeight::get().reads_writes(1, 0))
    }
}
