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

pub use pallet::*;
pub use plan::plan;
pub use types::{InvalidSplit, Split, default_presets};
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod impls;
#[cfg(test)]
mod mock;
mod plan;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
pub mod weights;

/// The pallet: see the crate's documentation.
#[frame_support::pallet]
pub mod pallet {
    use crate::{
        types::{InvalidSplit, Split, default_presets},
        weights::WeightInfo,
    };
    use agora_primitives::money::PresetId;
    use alloc::vec::Vec;
    use core::marker::PhantomData;
    use frame_support::{pallet_prelude::*, traits::Contains};
    use frame_system::pallet_prelude::*;

    /// The storage layout this code reads and writes.
    pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// What a runtime gives to this pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// Who may set and remove presets.
        type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// The unit of money.
        type Balance: frame_support::traits::tokens::Balance;

        /// Presets that something still refers to and that cannot be removed, for example those of task classes.
        type InUse: Contains<PresetId>;

        /// The most presets there may be, from 1 to 256.
        #[pallet::constant]
        type MaxPresets: Get<u32>;

        /// Weights of the calls and of planning.
        type WeightInfo: WeightInfo;
    }

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The presets. At most `MaxPresets`; each is valid.
    #[pallet::storage]
    pub type Presets<T: Config> = CountedStorageMap<_, Twox64Concat, PresetId, Split>;

    /// The presets at genesis.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Names and splits; by default those of [`default_presets`].
        pub presets: Vec<(PresetId, Split)>,
        /// Nothing.
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                presets: default_presets(),
                _config: PhantomData,
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (id, split) in &self.presets {
                assert!(!Presets::<T>::contains_key(id), "reward preset {id} is there twice");
                let set = Pallet::<T>::do_set_preset(*id, *split);
                assert!(set.is_ok(), "reward preset {id} is refused: {set:?}");
            }
        }
    }

    /// What happened to presets.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A preset is new or has changed. Tasks that are settled from now on are divided by it.
        PresetSet {
            /// Its name.
            id: PresetId,
            /// How it divides.
            split: Split,
        },
        /// A preset is gone.
        PresetRemoved {
            /// Its name.
            id: PresetId,
        },
    }

    /// Why a preset was refused, or a reward not divided.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such preset. Name one of `Presets`.
        UnknownPreset,
        /// The five parts do not add up to exactly 1,000,000 parts per million.
        SplitNotWhole,
        /// The best answer would get less than half of the workers' part. Make `best_share` at least 500,000.
        BestShareTooSmall,
        /// There are `MaxPresets` presets. Change or remove one.
        TooManyPresets,
        /// Something still refers to the preset. Change that first.
        PresetInUse,
        /// The reward is more than can be divided.
        RewardTooLarge,
    }

    impl<T> From<InvalidSplit> for Error<T> {
        fn from(why: InvalidSplit) -> Self {
            match why {
                InvalidSplit::NotWhole => Self::SplitNotWhole,
                InvalidSplit::BestShareTooSmall => Self::BestShareTooSmall,
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                (1..=256).contains(&T::MaxPresets::get()),
                "MaxPresets must be from 1 to 256"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Makes or changes the preset `id`. Tasks that are settled from now on are divided by the new split.
        ///
        /// Origin: `AdminOrigin`. Events: `PresetSet`.
        /// Errors: `SplitNotWhole`, `BestShareTooSmall`, `TooManyPresets`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::set_preset())]
        pub fn set_preset(origin: OriginFor<T>, id: PresetId, split: Split) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::do_set_preset(id, split)?;
            Self::deposit_event(Event::PresetSet { id, split });
            Ok(())
        }

        /// Removes the preset `id`.
        ///
        /// Origin: `AdminOrigin`. Events: `PresetRemoved`. Errors: `UnknownPreset`, `PresetInUse`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::remove_preset())]
        pub fn remove_preset(origin: OriginFor<T>, id: PresetId) -> DispatchResult {
            T::AdminOrigin::ensure_origin(origin)?;
            Self::do_remove_preset(id)?;
            Self::deposit_event(Event::PresetRemoved { id });
            Ok(())
        }
    }
}
