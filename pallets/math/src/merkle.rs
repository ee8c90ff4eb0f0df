//! Binary Merkle trees and Merkle mountain ranges, specified to the byte.
//!
//! What the market commits to by a small tree is committed to here: the states of a computation, the results that a
//! block settles, and all results ever. (Content is addressed by BLAKE3, whose own tree serves there.)
//! `H` is BLAKE2b with an output of 32 bytes, without key, and `‖` joins bytes; numbers are little endian.
//!
//! # The tree
//! - Hash of a leaf: `leaf_hash(data) = H(0x00 ‖ data)`.
//! - Hash of an inner node: `H(0x01 ‖ left ‖ right)`.
//! - The top of a list of leaf hashes: neighbours are joined pairwise from the left, level by level, until one hash is
//!   left. A last hash without a neighbour goes up to the next level unchanged. The top of a single leaf is its hash;
//!   the top of no leaves is `H` of no bytes.
//!
//! The first byte makes it impossible to take a leaf for a node. The same shape results from splitting a list at the
//! largest power of two below its length (RFC 6962, section 2.1).
//!
//! # The root
//! A top alone does not say how many leaves are under it, and so not where a leaf is. The root of a list does:
//! `root(leaf_hashes) = H(0x03 ‖ number of leaves (u64) ‖ top)`; of no leaves, `H` of no bytes.
//!
//! | What | Root |
//! |---|---|
//! | states root of a claim | `root` of the leaf hashes of the digests of the states before the output |
//! | results of a block | `root` of the leaf hashes of the SCALE-encoded results, in the order of settlement |
//!
//! # The mountain range
//! Each block appends one leaf, the SCALE-encoded [`BlockLeaf`] of its parent, to the Merkle mountain range of the SDK's
//! `pallet-mmr` with BLAKE2b-256: hash of a leaf `H(leaf)`, of a node `H(left ‖ right)`, and the peaks are joined from
//! the right to the left by `H(right ‖ left)`. (The encoding of a [`BlockLeaf`] is not 64 bytes long, so that here too
//! a leaf cannot be taken for a node.) What the header carries is the
//! `compute_root = H(0x04 ‖ number of leaves (u64) ‖ root of the range)`, which binds positions as above.
//!
//! Nothing here panics, whatever a proof contains: its length follows from the position that it claims, and everything
//! else is refused before it is hashed.

mod mountain;

pub use mountain::{
    BlockLeaf, MAX_MOUNTAIN_LEAVES, MountainProof, VerifyError, compute_root, verify_mountain, verify_result,
};

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use sp_crypto_hashing::blake2_256;

/// A BLAKE2b-256 hash.
pub type Hash = [u8; 32];

const LEAF: u8 = 0;
const NODE: u8 = 1;
const LIST: u8 = 3;

/// Hashes the content of one leaf: `H(0x00 ‖ data)`.
///
/// Complexity: O(n) in the length of `data`.
pub fn leaf_hash(data: &[u8]) -> Hash {
    let mut preimage = Vec::with_capacity(data.len().saturating_add(1));
    preimage.push(LEAF);
    preimage.extend_from_slice(data);
    blake2_256(&preimage)
}

/// Hashes an inner node: `H(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut preimage = Vec::with_capacity(65);
    preimage.push(NODE);
    preimage.extend_from_slice(left);
    preimage.extend_from_slice(right);
    blake2_256(&preimage)
}

/// Binds a top to a count: `H(domain ‖ count (u64, little endian) ‖ top)`.
fn bind(domain: u8, count: u64, top: &Hash) -> Hash {
    let mut preimage = Vec::with_capacity(41);
    preimage.push(domain);
    preimage.extend_from_slice(&count.to_le_bytes());
    preimage.extend_from_slice(top);
    blake2_256(&preimage)
}

/// Returns the next level of a tree.
fn join(level: &[Hash]) -> Vec<Hash> {
    level
        .chunks(2)
        .filter_map(|pair| match pair {
            [left, right] => Some(node_hash(left, right)),
            [last] => Some(*last),
            _ => None,
        })
        .collect()
}

/// Returns the top of a tree, which binds neither number nor length. The top of no leaves is `H` of no bytes.
fn top(leaf_hashes: &[Hash]) -> Hash {
    let mut level = leaf_hashes.to_vec();
    while level.len() > 1 {
        level = join(&level);
    }
    level.first().copied().unwrap_or_else(|| blake2_256(&[]))
}

/// Returns the root of a list of leaf hashes: `H(0x03 ‖ number of leaves (u64) ‖ top)`; of an empty list, `H` of no bytes.
///
/// Complexity: O(n), each leaf costing about one hash of 65 bytes.
pub fn root(leaf_hashes: &[Hash]) -> Hash {
    match leaf_hashes.len() {
        0 => blake2_256(&[]),
        count => bind(LIST, count as u64, &top(leaf_hashes)),
    }
}

/// A root that grows leaf by leaf, in O(log n) memory.
///
/// ```
/// use agora_math::merkle::{Accumulator, leaf_hash, root};
/// let leaves = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
/// let mut all = Accumulator::default();
/// leaves.iter().for_each(|leaf| all.push(*leaf));
/// assert_eq!(all.root(), root(&leaves));
/// ```
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Accumulator {
    count: u64,
    /// Tops of the complete subtrees, largest first: one for each bit that is set in `count`.
    peaks: Vec<Hash>,
}

impl Accumulator {
    /// Appends a leaf.
    pub fn push(&mut self, leaf_hash: Hash) {
        let mut hash = leaf_hash;
        for _ in 0..self.count.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        // Saturating: nobody pushes 2^64 leaves.
        self.count = self.count.saturating_add(1);
    }

    /// How many leaves it has.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Returns the same as [`root`] of all leaves.
    pub fn root(&self) -> Hash {
        let top = self
            .peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right));
        top.map_or_else(|| blake2_256(&[]), |top| bind(LIST, self.count, &top))
    }
}

/// Shows that a leaf is at a position of a tree.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// Position of the leaf, counted from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub leaf_count: u64,
    /// The hashes beside the path from the leaf to the top, lowest first. A level at which the path's hash has no
    /// neighbour has none.
    pub siblings: Vec<Hash>,
}

/// On which side of the path a sibling is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The sides of the siblings on the way up from `index`, lowest first: at most 64.
fn sides(index: u64, leaf_count: u64) -> impl Iterator<Item = Side> {
    let mut at = (index, leaf_count);
    core::iter::from_fn(move || {
        while at.1 > 1 {
            let (index, width) = at;
            at = (index >> 1, width.div_ceil(2));
            if index & 1 == 1 {
                return Some(Side::Left);
            } else if index | 1 < width {
                return Some(Side::Right);
            }
        }
        None
    })
}

impl Proof {
    /// Returns the top that follows from the leaf and the proof, or nothing if its length does not fit its position.
    fn top(&self, leaf_hash: &Hash) -> Option<Hash> {
        if self.index >= self.leaf_count {
            return None;
        }
        let mut siblings = self.siblings.iter();
        let mut hash = *leaf_hash;
        for side in sides(self.index, self.leaf_count) {
            let sibling = siblings.next()?;
            hash = match side {
                Side::Left => node_hash(sibling, &hash),
                Side::Right => node_hash(&hash, sibling),
            };
        }
        siblings.next().is_none().then_some(hash)
    }
}

/// Makes the proof for the leaf at `index`; nothing if there is no such leaf.
///
/// Complexity: O(n).
pub fn prove(leaf_hashes: &[Hash], index: usize) -> Option<Proof> {
    leaf_hashes.get(index)?;
    let mut siblings = Vec::new();
    let mut level = leaf_hashes.to_vec();
    let mut at = index;
    while level.len() > 1 {
        siblings.extend(level.get(at ^ 1).copied());
        level = join(&level);
        at >>= 1;
    }
    Some(Proof {
        index: index as u64,
        leaf_count: leaf_hashes.len() as u64,
        siblings,
    })
}

/// Whether `proof` shows that the list with `root` has `leaf_hash` at `proof.index`, and `proof.leaf_count` leaves.
///
/// Never panics. Complexity: O(log n), at most 64 hashes.
pub fn verify(root: &Hash, leaf_hash: &Hash, proof: &Proof) -> bool {
    proof
        .top(leaf_hash)
        .is_some_and(|top| bind(LIST, proof.leaf_count, &top) == *root)
}

#[cfg(test)]
mod tests;
