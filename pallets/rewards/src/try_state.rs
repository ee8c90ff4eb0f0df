//! What must hold after every block.

use crate::{Config, Pallet, Presets};
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks that
    /// 1. every preset is whole and favours the best answer;
    /// 2. there are no more presets than allowed, and as many as are counted.
    ///
    /// Complexity: O(presets).
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut presets = 0usize;
        for split in Presets::<T>::iter_values() {
            ensure!(split.validate().is_ok(), "a reward preset is not valid");
            presets = presets.saturating_add(1);
        }
        ensure!(
            presets <= T::MaxPresets::get() as usize,
            "there are too many reward presets"
        );
        ensure!(
            presets == Presets::<T>::count() as usize,
            "reward presets and their count differ"
        );
        Ok(())
    }
}
