//! Benchmarks of appending a result, as the other pallets do it, and of the hooks.

#![allow(
    unused_qualifications,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "benchmarks are not part of a runtime that runs"
)]

use crate::{Config, Leaves, Pallet, Places, ResultsRoot, Sealed, SettledBy};
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim},
    results::{ResultLeaf, ResultSink},
};
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use sp_core::H256;

fn leaf<T: Config>(task: u64) -> ResultLeaf<T::AccountId> {
    ResultLeaf {
        task: TaskId(task),
        job: H256::repeat_byte(1),
        // The longer of the two.
        claim: Claim::Output {
            output: BlobRef::to(b"output"),
            states_root: H256::repeat_byte(3),
        },
        winner: whitelisted_caller(),
    }
}

/// Appends `count` results to this block, of tasks from `first` on.
fn append_many<T: Config>(first: u64, count: u32) {
    for task in first..first + u64::from(count) {
        Pallet::<T>::append(leaf::<T>(task)).unwrap();
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// The worst case: the last result that the block takes.
    #[benchmark]
    fn append() {
        let others = T::MaxResultsPerBlock::get() - 1;
        append_many::<T>(0, others);

        #[block]
        {
            Pallet::<T>::append(leaf::<T>(others.into())).unwrap();
        }

        assert_eq!(Leaves::<T>::decode_len(), Some(T::MaxResultsPerBlock::get() as usize));
    }

    /// `s` results of the parent are indexed, `f` results of an old block forgotten.
    #[benchmark]
    fn on_initialize(s: Linear<0, { T::MaxResultsPerBlock::get() }>, f: Linear<0, { T::MaxResultsPerBlock::get() }>) {
        let old = frame_system::Pallet::<T>::block_number();
        append_many::<T>(0, f);
        Pallet::<T>::seal(old);
        Sealed::<T>::kill();
        let now = old + T::Retention::get();
        frame_system::Pallet::<T>::set_block_number(now - 1u32.into());
        if T::Retention::get() > 1u32.into() {
            append_many::<T>(1 << 32, s);
            Pallet::<T>::seal(now - 1u32.into());
        }
        frame_system::Pallet::<T>::set_block_number(now);

        #[block]
        {
            Pallet::<T>::index_off_chain(now);
        }

        assert!(Sealed::<T>::get().is_empty());
        assert!(!SettledBy::<T>::contains_key(old));
        assert!(!Places::<T>::contains_key(TaskId(0)));
    }

    /// The block ends with `n` results.
    #[benchmark]
    fn on_finalize(n: Linear<0, { T::MaxResultsPerBlock::get() }>) {
        append_many::<T>(0, n);
        let now = frame_system::Pallet::<T>::block_number();

        #[block]
        {
            Pallet::<T>::seal(now);
        }

        assert_eq!(ResultsRoot::<T>::get().count, n);
        assert!(!Leaves::<T>::exists());
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::Chain::new().ext, crate::mock::Test);
}
