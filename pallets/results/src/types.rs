//! What is stored, and under which keys a node finds it off chain.

use agora_math::merkle;
use agora_primitives::{TaskId, results::ResultLeaf};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// Where the result of a task is.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<BlockNumber> {
    /// The block that settled it.
    pub block: BlockNumber,
    /// Position among that block's results.
    pub index: u32,
}

/// Root and number of a block's results.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealedRoot {
    /// [`merkle::root`] of the results.
    pub root: H256,
    /// How many.
    pub count: u32,
}

impl SealedRoot {
    /// Computes the root of `leaves`.
    pub fn of<AccountId: Encode>(leaves: &[ResultLeaf<AccountId>]) -> Self {
        // Saturating: a block's results are bounded by a 32-bit number.
        Self {
            root: merkle::root(&leaf_hashes(leaves)).into(),
            count: leaves.len().try_into().unwrap_or(u32::MAX),
        }
    }
}

/// The root of no results.
impl Default for SealedRoot {
    fn default() -> Self {
        Self::of::<()>(&[])
    }
}

/// Hashes the encodings of `leaves`.
pub fn leaf_hashes<AccountId: Encode>(leaves: &[ResultLeaf<AccountId>]) -> Vec<merkle::Hash> {
    leaves
        .iter()
        .map(|leaf| leaf.using_encoded(merkle::leaf_hash))
        .collect()
}

/// Begins every key of this pallet in a node's off-chain storage; the last byte counts versions.
pub const INDEXING_PREFIX: &[u8] = b"agora/results/1";

/// A key in a node's off-chain storage: SCALE of (prefix, one of these).
#[derive(Encode)]
enum Key<BlockNumber> {
    /// All results of the block with this hash. A block's content follows from its hash: forks cannot clash.
    #[codec(index = 0)]
    Block(H256),
    /// Where a task's result is. Written when the block is `Retention` blocks old.
    #[codec(index = 1)]
    Task(TaskId),
    /// Hash of the block with this number. Written when it is `Retention` blocks old.
    #[codec(index = 2)]
    Hash(BlockNumber),
}

/// Key of all results of a block.
pub fn block_key(hash: H256) -> Vec<u8> {
    (INDEXING_PREFIX, Key::<()>::Block(hash)).encode()
}

/// Key of a task's [`Place`].
pub fn task_key(task: TaskId) -> Vec<u8> {
    (INDEXING_PREFIX, Key::<()>::Task(task)).encode()
}

/// Key of the hash of a block.
pub fn hash_key<BlockNumber: Encode>(block: BlockNumber) -> Vec<u8> {
    (INDEXING_PREFIX, Key::Hash(block)).encode()
}
