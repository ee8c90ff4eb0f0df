//! How long a slot lasts: chosen at genesis, never changed after.
//!
//! BABE cannot change its slot duration once blocks are produced, so there is no call for it. Keeping it in state rather
//! than in code lets one Wasm serve a production chain (3 s) and a development chain with fast blocks.

#![deny(missing_docs)]

pub use pallet::*;

/// Slot duration of a chain whose genesis says nothing else, in milliseconds.
pub const DEFAULT_SLOT_DURATION_MS: u64 = 3_000;
/// The shortest slot: below it a block cannot be authored, sent and imported in time even on one machine.
pub const MIN_SLOT_DURATION_MS: u64 = 250;
/// The longest slot: one minute.
pub const MAX_SLOT_DURATION_MS: u64 = 60_000;

/// Why a slot duration is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotDurationError {
    /// It is below [`MIN_SLOT_DURATION_MS`] or above [`MAX_SLOT_DURATION_MS`].
    OutOfRange,
    /// It is odd: the timestamp pallet's minimum period is half of it.
    Odd,
}

/// Checks a slot duration in milliseconds.
pub const fn check(slot_duration_ms: u64) -> Result<(), SlotDurationError> {
    if slot_duration_ms < MIN_SLOT_DURATION_MS || slot_duration_ms > MAX_SLOT_DURATION_MS {
        Err(SlotDurationError::OutOfRange)
    } else if !slot_duration_ms.is_multiple_of(2) {
        Err(SlotDurationError::Odd)
    } else {
        Ok(())
    }
}

/// Keeps the slot duration.
#[allow(unused_qualifications, clippy::expect_used, reason = "the macros generate them")]
#[frame_support::pallet]
pub mod pallet {
    use super::{DEFAULT_SLOT_DURATION_MS, check};
    use core::marker::PhantomData;
    use frame_support::{pallet_prelude::*, traits::ConstU64};

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Needs nothing.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// Slot duration in milliseconds.
    #[pallet::storage]
    pub type SlotDurationMs<T> = StorageValue<_, u64, ValueQuery, ConstU64<DEFAULT_SLOT_DURATION_MS>>;

    /// What the chain starts with.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Slot duration in milliseconds: even, from 250 to 60,000.
        pub slot_duration_ms: u64,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                slot_duration_ms: DEFAULT_SLOT_DURATION_MS,
                _config: PhantomData,
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let checked = check(self.slot_duration_ms);
            assert!(
                checked.is_ok(),
                "slot duration of {} ms: {checked:?}",
                self.slot_duration_ms
            );
            SlotDurationMs::<T>::put(self.slot_duration_ms);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<frame_system::pallet_prelude::BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert_eq!(check(DEFAULT_SLOT_DURATION_MS), Ok(()));
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: frame_system::pallet_prelude::BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            ensure!(
                check(SlotDurationMs::<T>::get()).is_ok(),
                "the slot duration is one that genesis would refuse"
            );
            Ok(())
        }
    }

    /// The slot duration, in milliseconds: BABE's expected block time.
    pub struct SlotDuration<T>(PhantomData<T>);

    impl<T: Config> Get<u64> for SlotDuration<T> {
        fn get() -> u64 {
            SlotDurationMs::<T>::get()
        }
    }

    /// Half the slot duration, in milliseconds: the least time between two blocks. BABE doubles it.
    pub struct MinimumPeriod<T>(PhantomData<T>);

    impl<T: Config> Get<u64> for MinimumPeriod<T> {
        fn get() -> u64 {
            SlotDurationMs::<T>::get().wrapping_div(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_even_durations_within_the_range() {
        for ms in [
            MIN_SLOT_DURATION_MS,
            1_000,
            DEFAULT_SLOT_DURATION_MS,
            MAX_SLOT_DURATION_MS,
        ] {
            assert_eq!(check(ms), Ok(()), "{ms}");
        }
    }

    #[test]
    fn refuses_durations_out_of_range() {
        for ms in [0, MIN_SLOT_DURATION_MS - 2, MAX_SLOT_DURATION_MS + 2, u64::MAX - 1] {
            assert_eq!(check(ms), Err(SlotDurationError::OutOfRange), "{ms}");
        }
    }

    #[test]
    fn refuses_odd_durations() {
        assert_eq!(check(MIN_SLOT_DURATION_MS + 1), Err(SlotDurationError::Odd));
    }
}
