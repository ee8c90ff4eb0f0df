//! What must hold of the storage after every block.

use crate::{Config, Leaves, Pallet, Places, ResultsRoot, Sealed, SealedRoot, SettledBy, impls::is_remembered};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks that
    /// 1. every remembered result has its place, and every place a result;
    /// 2. nothing is remembered for longer than `Retention`;
    /// 3. the root is that of the results of the last block.
    ///
    /// Complexity: O(remembered results).
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let now = frame_system::Pallet::<T>::block_number();
        let mut expected = 0usize;
        let check = |task, block, position: usize| {
            let place = Places::<T>::get(task).ok_or("a settled task without a place")?;
            ensure!(
                place.block == block && place.index as usize == position,
                "a task in another place"
            );
            Ok::<_, TryRuntimeError>(())
        };
        for (block, tasks) in SettledBy::<T>::iter() {
            ensure!(!tasks.is_empty(), "a list of no tasks");
            ensure!(is_remembered::<T>(block, now), "a block remembered for too long");
            for (position, task) in tasks.iter().enumerate() {
                check(*task, block, position)?;
            }
            expected = expected.saturating_add(tasks.len());
        }
        let leaves = Leaves::<T>::get();
        for (position, leaf) in leaves.iter().enumerate() {
            check(leaf.task, now, position)?;
        }
        expected = expected.saturating_add(leaves.len());
        ensure!(
            Places::<T>::iter().count() == expected,
            "a place without a settled task"
        );

        let sealed = Sealed::<T>::get();
        if !sealed.is_empty() {
            ensure!(
                ResultsRoot::<T>::get() == SealedRoot::of(&sealed),
                "a root of other results"
            );
        }
        Ok(())
    }
}
