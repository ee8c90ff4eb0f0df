//! Taking results, sealing them at the end of a block, and handing their root to the mountain range.

use crate::{
    Config, Error, Event, Leaves, Pallet, Places, ResultsRoot, Sealed, SettledBy,
    types::{self, Place, SealedRoot},
};
use agora_math::merkle::{self, BlockLeaf};
use agora_primitives::{
    TaskId,
    results::{BlockResults, ResultLeaf, ResultSink, compute_root_item},
};
use codec::Encode;
use frame_support::{
    BoundedVec, ensure,
    traits::{Defensive, Get},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_io::offchain_index;
use sp_mmr_primitives::{LeafDataProvider, OnNewRoot};
use sp_runtime::{
    DispatchResult, SaturatedConversion,
    traits::{CheckedSub, One, Saturating},
};

impl<T: Config> Pallet<T> {
    /// The compute root that this block's header carries.
    pub fn compute_root() -> H256 {
        Self::bind(&pallet_mmr::Pallet::<T>::mmr_root())
    }

    fn bind(mountain_root: &H256) -> H256 {
        merkle::compute_root(pallet_mmr::Pallet::<T>::mmr_leaves(), &mountain_root.0).into()
    }

    /// Indexes off chain what the parent block sealed, and what is too old to be remembered on chain. Returns how many
    /// results were indexed and how many forgotten.
    ///
    /// The parent's results are written here and not when it ended, because only now its hash is known: two blocks with
    /// one parent never write to the same key.
    pub(crate) fn index_off_chain(now: BlockNumberFor<T>) -> (u32, u32) {
        let sealed = Sealed::<T>::take();
        if !sealed.is_empty() {
            let parent = frame_system::Pallet::<T>::parent_hash();
            offchain_index::set(&types::block_key(parent), &sealed.encode());
        }
        let forgotten = now.checked_sub(&T::Retention::get()).map_or(0, Self::forget);
        (sealed.len().saturated_into(), forgotten)
    }

    /// Moves the places of the tasks that `block` settled, and its hash, from the state to off-chain storage.
    fn forget(block: BlockNumberFor<T>) -> u32 {
        let hash = frame_system::Pallet::<T>::block_hash(block);
        offchain_index::set(&types::hash_key(block), &hash.encode());
        let tasks = SettledBy::<T>::take(block);
        for task in &tasks {
            if let Some(place) = Places::<T>::take(task).defensive() {
                offchain_index::set(&types::task_key(*task), &place.encode());
            }
        }
        tasks.len().saturated_into()
    }

    /// Computes the root of this block's results and puts them aside for the next block.
    pub(crate) fn seal(now: BlockNumberFor<T>) {
        let leaves = Leaves::<T>::take();
        let sealed = SealedRoot::of(&leaves);
        ResultsRoot::<T>::put(sealed);
        if leaves.is_empty() {
            return;
        }
        let tasks = leaves.iter().map(|leaf| leaf.task).collect();
        // Not truncated: both have the same bound.
        SettledBy::<T>::insert(now, BoundedVec::<TaskId, T::MaxResultsPerBlock>::truncate_from(tasks));
        Sealed::<T>::put(leaves);
        Self::deposit_event(Event::ResultsSealed {
            root: sealed.root,
            count: sealed.count,
        });
    }
}

impl<T: Config> ResultSink<T::AccountId> for Pallet<T> {
    fn append(leaf: ResultLeaf<T::AccountId>) -> DispatchResult {
        let task = leaf.task;
        ensure!(!Places::<T>::contains_key(task), Error::<T>::AlreadySettled);
        let index = Leaves::<T>::decode_len().unwrap_or(0).saturated_into();
        Leaves::<T>::try_append(leaf).map_err(|()| Error::<T>::BlockFull)?;
        let block = frame_system::Pallet::<T>::block_number();
        Places::<T>::insert(task, Place { block, index });
        Ok(())
    }
}

/// The leaf that this block adds to the mountain range. It describes the parent: `pallet_mmr` appends it when this block
/// begins.
impl<T: Config> LeafDataProvider for Pallet<T> {
    type LeafData = BlockResults;

    fn leaf_data() -> BlockResults {
        let SealedRoot { root, count } = ResultsRoot::<T>::get();
        // Saturating: block 0 adds no leaf.
        let parent = frame_system::Pallet::<T>::block_number().saturating_sub(One::one());
        BlockResults {
            version: BlockLeaf::VERSION,
            block: parent.saturated_into(),
            block_hash: frame_system::Pallet::<T>::parent_hash(),
            results_root: root,
            count,
        }
    }
}

/// Puts the compute root into the header. `pallet_mmr` calls this when the new leaf is already counted.
impl<T: Config> OnNewRoot<H256> for Pallet<T> {
    fn on_new_root(root: &H256) {
        frame_system::Pallet::<T>::deposit_log(compute_root_item(Self::bind(root)));
    }
}

/// Whether `block` is one whose places are still remembered on chain at `now`.
#[cfg(any(feature = "std", feature = "try-runtime"))]
pub(crate) fn is_remembered<T: Config>(block: BlockNumberFor<T>, now: BlockNumberFor<T>) -> bool {
    block <= now && now.saturating_sub(block) < T::Retention::get()
}
