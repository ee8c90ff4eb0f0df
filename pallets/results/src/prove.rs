//! Making proofs: in off-chain context only, with the node's off-chain storage at hand.

use crate::{
    Config, Pallet, Places,
    types::{self, Place},
};
use agora_math::merkle;
use agora_primitives::{
    TaskId,
    results::{ProofError, ResultLeaf, ResultProof},
};
use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeAll};
use core::marker::PhantomData;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::{H256, offchain::StorageKind};
use sp_runtime::traits::{One, Saturating};

/// Reads and decodes a value of the node's off-chain storage.
fn read<V: Decode>(key: &[u8], missing: ProofError) -> Result<V, ProofError> {
    let bytes = sp_io::offchain::local_storage_get(StorageKind::PERSISTENT, key).ok_or(missing)?;
    V::decode_all(&mut bytes.as_slice()).map_err(|_| ProofError::DataCorrupt)
}

/// Hashes of all blocks, for `pallet_mmr`'s proofs: the chain's own for the newest ones, and those that this pallet has
/// indexed off chain for all before them. For off-chain context only.
pub struct BlockHashes<T>(PhantomData<T>);

impl<T: Config> pallet_mmr::BlockHashProvider<BlockNumberFor<T>, H256> for BlockHashes<T> {
    fn block_hash(block: BlockNumberFor<T>) -> H256 {
        let known = frame_system::Pallet::<T>::block_hash(block);
        if known.is_zero() {
            read(&types::hash_key(block), ProofError::DataMissing).unwrap_or_default()
        } else {
            known
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Proves the result of `task` to the holder of the header of `best_known_block`, or of the current block.
    ///
    /// For off-chain context only (a runtime API call with the off-chain database at hand): it reads what a node with
    /// off-chain indexing has stored.
    ///
    /// Errors: [`ProofError`]. Complexity: O(r + log n), for r results in the block and n blocks.
    pub fn result_proof(
        task: TaskId,
        best_known_block: Option<BlockNumberFor<T>>,
    ) -> Result<ResultProof<T::AccountId>, ProofError> {
        let now = frame_system::Pallet::<T>::block_number();
        let best = best_known_block.unwrap_or(now);
        let Place { block, index } = Self::place(task)?;
        if block >= now {
            return Err(ProofError::TooRecent);
        }
        if best > now || block >= best {
            return Err(ProofError::BlockOutOfRange);
        }
        let leaves = Self::leaves_of(block)?;
        let position = index as usize;
        let leaf = leaves
            .get(position)
            .filter(|leaf| leaf.task == task)
            .ok_or(ProofError::DataCorrupt)?
            .clone();
        let path = merkle::prove(&types::leaf_hashes(&leaves), position).ok_or(ProofError::DataCorrupt)?;

        // Saturating: below `best`. The block after it appended its leaf.
        let appended_by = block.saturating_add(One::one());
        let (blocks, mountain) = pallet_mmr::Pallet::<T>::generate_proof(vec![appended_by], Some(best))
            .map_err(|_| ProofError::DataMissing)?;
        let (Some(block), Some(leaf_index)) = (blocks.first(), mountain.leaf_indices.first()) else {
            return Err(ProofError::DataCorrupt);
        };
        Ok(ResultProof {
            leaf,
            index,
            siblings: path.siblings.into_iter().map(H256).collect(),
            block: *block,
            leaf_index: *leaf_index,
            leaf_count: mountain.leaf_count,
            items: mountain.items,
        })
    }

    /// Finds where the result of `task` is: in the state for the newest blocks, off chain for all before them.
    fn place(task: TaskId) -> Result<Place<BlockNumberFor<T>>, ProofError> {
        match Places::<T>::get(task) {
            Some(place) => Ok(place),
            None => read(&types::task_key(task), ProofError::UnknownTask),
        }
    }

    /// Reads all results of a block.
    fn leaves_of(block: BlockNumberFor<T>) -> Result<Vec<ResultLeaf<T::AccountId>>, ProofError> {
        let hash = <BlockHashes<T> as pallet_mmr::BlockHashProvider<_, _>>::block_hash(block);
        read(&types::block_key(hash), ProofError::DataMissing)
    }
}
