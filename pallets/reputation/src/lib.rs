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
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::Record;
pub use weights::WeightInfo;

#[allow(
    missing_docs,
    unused_qualifications,
    clippy::expect_used,
    reason = "in what the macros generate"
)]
#[frame_support::pallet]
pub mod pallet {
    use crate::{Record, WeightInfo, types::GenesisRecord};
    use agora_primitives::reputation::{Level, OnLevelChanged, Outcome, Side};
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_runtime::{Perbill, traits::Zero};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Remembers how everybody's work went.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What a chain decides about reputation.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// What is left of the weight of all history when one outcome is added to it: above 0 and below 1.
        #[pallet::constant]
        type Decay: Get<Perbill>;

        /// After how many blocks half of the weight of history is left. At least 1.
        #[pallet::constant]
        type HalfLife: Get<BlockNumberFor<Self>>;

        /// How many outcomes there must be before a level above [`Level::Beginner`] is reached. At least 1.
        #[pallet::constant]
        type MinimumTasks: Get<u32>;

        /// Told when a worker's level changes.
        type OnLevelChanged: OnLevelChanged<Self::AccountId>;

        /// Weights of the calls and of [`agora_primitives::reputation::Reputation::record`].
        type WeightInfo: WeightInfo;
    }

    /// What is remembered, by account and side: at most 21 records per account.
    #[pallet::storage]
    pub type Records<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, Side, Record<BlockNumberFor<T>>, OptionQuery>;

    /// What has happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An outcome was recorded.
        OutcomeRecorded {
            /// Of whose work.
            who: T::AccountId,
            /// In which capacity.
            side: Side,
            /// How it went.
            outcome: Outcome,
            /// The level now.
            level: Level,
            /// The confidence score now.
            confidence: u32,
        },
        /// A level was reached, or fallen to.
        LevelChanged {
            /// By whom.
            who: T::AccountId,
            /// In which capacity.
            side: Side,
            /// The level before.
            from: Level,
            /// The level now.
            to: Level,
        },
        /// A record that had faded was removed.
        Forgotten {
            /// Whose record.
            who: T::AccountId,
            /// In which capacity.
            side: Side,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no record of this account and side. Nothing is to be forgotten.
        NoRecord,
        /// The record still counts. Wait until it has faded: some half-lives after its last outcome.
        NotFaded,
    }

    /// Records to begin with: account, side, successes, failures, confidence.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The records; each account and side at most once.
        pub records: Vec<GenesisRecord<T::AccountId>>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (who, side, right, wrong, confidence) in &self.records {
                assert!(
                    !Records::<T>::contains_key(who, side),
                    "one record per account and side at genesis"
                );
                let record = Record::at_genesis(*right, *wrong, *confidence, T::Decay::get());
                Records::<T>::insert(who, side, record);
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            let decay = T::Decay::get();
            assert!(
                !decay.is_zero() && decay < Perbill::one(),
                "Decay must be above 0 and below 1"
            );
            assert!(!T::HalfLife::get().is_zero(), "HalfLife must be at least 1 block");
            assert!(T::MinimumTasks::get() > 0, "MinimumTasks must be at least 1");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Removes a record whose history has faded: less than a 64th of one outcome is left of its weight.
        ///
        /// Origin: signed, by anybody. Free of charge when it succeeds, since it makes storage smaller.
        ///
        /// Events: `Forgotten`; `LevelChanged` if the record had a level. Errors: `NoRecord`, `NotFaded`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::forget())]
        pub fn forget(origin: OriginFor<T>, who: T::AccountId, side: Side) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::do_forget(&who, side)?;
            Ok(Pays::No.into())
        }
    }
}
