//! The mountain range over all blocks, and the way from a result to a header: see [`merkle`](super) for the layout.

use super::{Hash, Proof, bind, leaf_hash, sides, verify};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use sp_crypto_hashing::blake2_256;

/// The most leaves of a mountain range in a proof: one per block, and blocks are counted in 32 bits.
pub const MAX_MOUNTAIN_LEAVES: u64 = u32::MAX as u64;

/// Begins the preimage of a compute root; the other first bytes are in [`merkle`](super).
const MOUNTAIN: u8 = 4;

/// What one block adds to the mountain range: the root of the results that its parent settled.
///
/// SCALE encoding, 77 bytes: `version ‖ block ‖ block_hash ‖ results_root ‖ count`.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockLeaf {
    /// Version of this layout: [`BlockLeaf::VERSION`].
    pub version: u8,
    /// Number of the block that settled the results.
    pub block: u64,
    /// Hash of that block.
    pub block_hash: Hash,
    /// [`root`](super::root) of the results.
    pub results_root: Hash,
    /// How many results.
    pub count: u32,
}

impl BlockLeaf {
    /// The layout described here.
    pub const VERSION: u8 = 1;
}

/// Shows that a leaf is in a mountain range.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MountainProof {
    /// Position of the leaf, counted from 0.
    pub leaf_index: u64,
    /// How many leaves the range has.
    pub leaf_count: u64,
    /// Peaks to the left of the leaf's, then the siblings on the path to its peak, then, if there are peaks to the right,
    /// these joined into one.
    pub items: Vec<Hash>,
}

/// Joins hashes as `pallet-mmr` does with `BlakeTwo256`.
pub(super) struct Blake2Merge;

impl mmr_lib::Merge for Blake2Merge {
    type Item = Hash;

    fn merge(left: &Hash, right: &Hash) -> mmr_lib::Result<Hash> {
        Ok(blake2_256([left.as_slice(), right.as_slice()].concat().as_slice()))
    }
}

/// Returns how many items a proof has, for a leaf that exists.
pub(super) fn mountain_items(leaf_index: u64, leaf_count: u64) -> usize {
    // Going through the peaks from the left, `leaf_index` becomes the position within its mountain.
    let mut index = leaf_index;
    let mut left = 0usize;
    for height in (0..u64::BITS).rev() {
        let width = 1u64.wrapping_shl(height);
        if leaf_count & width == 0 {
            continue;
        }
        if index < width {
            let lower = leaf_count & width.wrapping_sub(1);
            // Saturating: three numbers of at most 64.
            return left
                .saturating_add(height as usize)
                .saturating_add(usize::from(lower != 0));
        }
        index = index.wrapping_sub(width);
        left = left.saturating_add(1);
    }
    left
}

/// Returns what a header carries for a mountain range: `H(0x04 ‖ number of leaves (u64) ‖ root)`.
pub fn compute_root(leaf_count: u64, mountain_root: &Hash) -> Hash {
    bind(MOUNTAIN, leaf_count, mountain_root)
}

/// Checks that the range with `compute_root` has a leaf with the given content at the position claimed.
///
/// Never panics. Errors: `Position`, `Length`, `NotInMountain`. Complexity: O(log n), at most 64 hashes.
pub fn verify_mountain(compute_root: &Hash, leaf: &[u8], proof: &MountainProof) -> Result<(), VerifyError> {
    let MountainProof {
        leaf_index,
        leaf_count,
        items,
    } = proof;
    if leaf_index >= leaf_count || *leaf_count > MAX_MOUNTAIN_LEAVES {
        return Err(VerifyError::Position);
    }
    if items.len() != mountain_items(*leaf_index, *leaf_count) {
        return Err(VerifyError::Length);
    }
    let size = mmr_lib::leaf_index_to_mmr_size(leaf_count.saturating_sub(1));
    let position = mmr_lib::leaf_index_to_pos(*leaf_index);
    let mountain_root = mmr_lib::MerkleProof::<Hash, Blake2Merge>::new(size, items.clone())
        .calculate_root(alloc::vec![(position, blake2_256(leaf))])
        .map_err(|_| VerifyError::NotInMountain)?;
    if self::compute_root(*leaf_count, &mountain_root) == *compute_root {
        Ok(())
    } else {
        Err(VerifyError::NotInMountain)
    }
}

/// Why a proof proves nothing.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerifyError {
    /// The block's leaf has a layout that this version does not know.
    Version,
    /// A position is not below the count that it belongs to, or a count is too large or differs from the block's.
    Position,
    /// The proof has too few or too many hashes for its position.
    Length,
    /// The result is not among the block's results.
    NotInBlock,
    /// The block is not in the mountain range with this root.
    NotInMountain,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "the block's leaf has an unknown layout; a newer client is needed",
            Self::Position => "a position in the proof is not below its count",
            Self::Length => "the proof has too few or too many hashes",
            Self::NotInBlock => "the result is not among the results of its block",
            Self::NotInMountain => "the block is not under this compute root",
        })
    }
}

impl core::error::Error for VerifyError {}

/// Checks that a settled result is under the `compute_root` of a header.
///
/// `result`: SCALE encoding of the result. `path`: from it to the root of the results that `block` settled. `mountain`:
/// from `block`'s leaf to `compute_root`. Nothing else is needed: no node is asked.
///
/// Never panics. Errors: [`VerifyError`]. Complexity: O(log n), at most 160 hashes.
pub fn verify_result(
    compute_root: &Hash,
    result: &[u8],
    path: &Proof,
    block: &BlockLeaf,
    mountain: &MountainProof,
) -> Result<(), VerifyError> {
    if block.version != BlockLeaf::VERSION {
        return Err(VerifyError::Version);
    }
    if path.index >= path.leaf_count || path.leaf_count != u64::from(block.count) {
        return Err(VerifyError::Position);
    }
    if path.siblings.len() != sides(path.index, path.leaf_count).count() {
        return Err(VerifyError::Length);
    }
    if !verify(&block.results_root, &leaf_hash(result), path) {
        return Err(VerifyError::NotInBlock);
    }
    verify_mountain(compute_root, &block.encode(), mountain)
}
