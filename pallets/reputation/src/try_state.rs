//! What must hold of the storage after every block.

use crate::{Config, Pallet, Records};
use agora_math::reputation::Score;
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks every record: success weighs no more than everything, everything no more than it can, confidence comes from
    /// counted outcomes, and none is of the future.
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
