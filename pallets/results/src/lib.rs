#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod impls;
#[cfg(test)]
mod mock;
mod prove;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use prove::BlockHashes;
pub use types::{Place, SealedRoot};
pub use weights::WeightInfo;

#[allow(
    missing_docs,
    unused_qualifications,
    clippy::expect_used,
    reason = "in what the macros generate"
)]
#[frame_support::pallet]
pub mod pallet {
    use crate::{
        WeightInfo,
        types::{Place, SealedRoot},
    };
    use agora_primitives::{
        TaskId,
        results::{BlockResults, ResultLeaf},
    };
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_core::H256;
    use sp_mmr_primitives::LeafDataProvider;
    use sp_runtime::traits::{BlakeTwo256, Zero};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Puts the root of all settled results into the header.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What a chain decides about proofs. `pallet_mmr` must be configured with `BlakeTwo256`, and with this pallet as
    /// `LeafData` and `OnNewRoot`.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<Hash = H256, RuntimeEvent: From<Event<Self>>>
        + pallet_mmr::Config<Hashing = BlakeTwo256, LeafData: LeafDataProvider<LeafData = BlockResults>>
    {
        /// The most results that one block may settle. At least 1.
        #[pallet::constant]
        type MaxResultsPerBlock: Get<u32>;

        /// For how many blocks the chain itself remembers which block settled a task. Afterwards a node's off-chain
        /// storage does, whatever fork it was on: so more blocks than finality ever lags behind. At least 1, at most
        /// `BlockHashCount`.
        #[pallet::constant]
        type Retention: Get<BlockNumberFor<Self>>;

        /// Weights of the hooks and of appending a result.
        type WeightInfo: WeightInfo;
    }

    /// Results that one block settled, in order.
    pub type LeavesOf<T> =
        BoundedVec<ResultLeaf<<T as frame_system::Config>::AccountId>, <T as Config>::MaxResultsPerBlock>;

    /// Results of this block so far. Empty between blocks.
    #[pallet::storage]
    pub type Leaves<T: Config> = StorageValue<_, LeavesOf<T>, ValueQuery>;

    /// Results of the last block, from its end until the next one has indexed them under its hash.
    #[pallet::storage]
    pub type Sealed<T: Config> = StorageValue<_, LeavesOf<T>, ValueQuery>;

    /// Root and number of the results of the last block that ended.
    #[pallet::storage]
    pub type ResultsRoot<T: Config> = StorageValue<_, SealedRoot, ValueQuery>;

    /// Where the result of a task is: for `Retention` blocks.
    #[pallet::storage]
    pub type Places<T: Config> = StorageMap<_, Twox64Concat, TaskId, Place<BlockNumberFor<T>>, OptionQuery>;

    /// The tasks settled by each of the last `Retention` blocks, in order.
    #[pallet::storage]
    pub type SettledBy<T: Config> =
        StorageMap<_, Twox64Concat, BlockNumberFor<T>, BoundedVec<TaskId, T::MaxResultsPerBlock>, ValueQuery>;

    /// What has happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The block ended with results; the next block's compute root covers them.
        ResultsSealed {
            /// Root of this block's results.
            root: H256,
            /// How many.
            count: u32,
        },
    }

    /// Why a result is not taken.
    #[pallet::error]
    pub enum Error<T> {
        /// This block has settled as many results as it may. Settle in a later block.
        BlockFull,
        /// A result of this task was settled before. A task has one result.
        AlreadySettled,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            let (sealed, forgotten) = Self::index_off_chain(now);
            <T as Config>::WeightInfo::on_initialize(sealed, forgotten)
                .saturating_add(<T as Config>::WeightInfo::on_finalize(T::MaxResultsPerBlock::get()))
        }

        fn on_finalize(now: BlockNumberFor<T>) {
            Self::seal(now);
        }

        fn integrity_test() {
            assert!(
                T::MaxResultsPerBlock::get() > 0,
                "MaxResultsPerBlock must be at least 1"
            );
            let retention = T::Retention::get();
            assert!(!retention.is_zero(), "Retention must be at least 1 block");
            assert!(
                retention <= T::BlockHashCount::get(),
                "Retention must not be above BlockHashCount"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
