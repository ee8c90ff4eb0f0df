//! What must hold of the storage after every block.

use crate::{Config, Pallet, Records};
use agora_math::reputation::Score;
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks of every record that
    /// 1. successes weigh no more than all outcomes, and these no more than a history can;
    /// 2. confidence is at most the number of outcomes;
    /// 3. no outcome lies in the future.
    ///
    /// Complexity: O(records).
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let now = frame_system::Pallet::<T>::block_number();
        let heaviest = Score::heaviest(T::Decay::get());
        for (_, _, record) in Records::<T>::iter() {
            ensure!(
                record.score.right <= record.score.total,
                "success weighs more than all outcomes"
            );
            ensure!(record.score.total <= heaviest, "a history is heavier than one can be");
            ensure!(
                record.score.confidence <= record.score.count,
                "confidence without outcomes"
            );
            ensure!(record.last_block <= now, "an outcome of the future");
        }
        Ok(())
    }
}
