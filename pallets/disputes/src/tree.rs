//! Nodes of the trees that a claim stands on, opened four levels at once: the binary tree of a states root, and the BLAKE3
//! tree of a blob. How many leaves a tree has follows from the job, and so does its shape.

use crate::Error;
use agora_jobs::{BlobRef, H256, blob::CHUNK_BYTES};
use agora_math::merkle;
use alloc::vec::Vec;
use blake3::{
    Hasher,
    hazmat::{self, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_crypto_hashing::blake2_256;

/// The most children of a node.
pub const ARITY: usize = 16;
/// Levels of the binary tree between a node and its children.
const LEVELS: u32 = 4;
/// The prefix of the root of a list: `H(0x03 ‖ count ‖ top)`.
const LIST: u8 = 3;

/// Which tree.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tree {
    /// That of the digests of the states before the output. Its leaves are digests.
    States,
    /// That of a blob. Its leaves are chunks.
    Blob,
}

/// A node of a tree.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    /// Which tree.
    pub tree: Tree,
    /// Where it begins: the number of its first state, or of its first byte.
    pub first: u64,
    /// How many states or bytes are below it.
    pub len: u64,
    /// Whether it is the root.
    pub root: bool,
    /// Its hash; the digest itself if it is a single state, and not the root.
    pub hash: H256,
}

/// The children of a node, without those that it does not have: they are zero.
pub type Children = [H256; ARITY];

impl Tree {
    /// States, or bytes, of a leaf.
    const fn leaf(self) -> u64 {
        match self {
            Self::States => 1,
            Self::Blob => CHUNK_BYTES as u64,
        }
    }

    /// How much of `len` is below the left child. `None`: a leaf has no children.
    fn left(self, len: u64) -> Option<u64> {
        let leaves = len.div_ceil(self.leaf());
        // The largest power of two below the number of leaves.
        let power = leaves.checked_sub(1)?.checked_ilog2()?;
        1u64.checked_shl(power)?.checked_mul(self.leaf())
    }

    fn join(self, left: &H256, right: &H256) -> H256 {
        match self {
            Self::States => merkle::node_hash(&left.0, &right.0).into(),
            Self::Blob => merge_subtrees_non_root(&left.0, &right.0, Mode::Hash).into(),
        }
    }
}

impl Node {
    /// The root of a list of `count` digests.
    pub const fn states(count: u64, hash: H256) -> Self {
        Self {
            tree: Tree::States,
            first: 0,
            len: count,
            root: true,
            hash,
        }
    }

    /// The root of `blob`.
    pub const fn blob(blob: &BlobRef) -> Self {
        Self {
            tree: Tree::Blob,
            first: 0,
            len: blob.size,
            root: true,
            hash: blob.hash,
        }
    }

    /// Whether it has no children: a digest, which is known, or a chunk, which is to be shown. (The root over a single state
    /// has one child.)
    pub fn is_leaf(&self) -> bool {
        self.tree.left(self.len).is_none() && (self.tree == Tree::Blob || !self.root)
    }

    /// Where its children begin, and how much is below each.
    pub fn spans(&self) -> Vec<(u64, u64)> {
        let mut spans = Vec::from([(self.first, self.len)]);
        for _ in 0..LEVELS {
            let split = |(first, len): (u64, u64)| match self.tree.left(len) {
                None => [Some((first, len)), None],
                Some(left) => [
                    Some((first, left)),
                    Some((first.saturating_add(left), len.saturating_sub(left))),
                ],
            };
            spans = spans.into_iter().flat_map(split).flatten().collect();
        }
        spans
    }

    /// Whether `children`, as many as it has, hash to it.
    pub fn opens(&self, children: &[H256]) -> bool {
        if self.is_leaf() || children.len() > ARITY {
            return false;
        }
        let mut children = children.iter();
        let top = self.fold(self.len, LEVELS, &mut children);
        children.next().is_none() && top == Some(self.hash)
    }

    fn fold<'a>(&self, len: u64, levels: u32, children: &mut impl Iterator<Item = &'a H256>) -> Option<H256> {
        let is_top = self.root && levels == LEVELS;
        let left = self.tree.left(len).zip(levels.checked_sub(1));
        let hash = match left {
            None => {
                let child = children.next()?;
                match self.tree {
                    Tree::States if len == 1 => merkle::leaf_hash(&child.0).into(),
                    _ => *child,
                }
            }
            Some((left, below)) => {
                let right = self.fold_pair(len, left, below, children)?;
                if is_top && self.tree == Tree::Blob {
                    return Some(H256(
                        *merge_subtrees_root(&right.0.0, &right.1.0, Mode::Hash).as_bytes(),
                    ));
                }
                self.tree.join(&right.0, &right.1)
            }
        };
        Some(if is_top && self.tree == Tree::States {
            bound(len, &hash)
        } else {
            hash
        })
    }

    fn fold_pair<'a>(
        &self,
        len: u64,
        left: u64,
        below: u32,
        children: &mut impl Iterator<Item = &'a H256>,
    ) -> Option<(H256, H256)> {
        let one = self.fold(left, below, children)?;
        let other = self.fold(len.checked_sub(left)?, below, children)?;
        Some((one, other))
    }

    /// Child number `child`, which has been shown.
    ///
    /// Errors: `NoChild`.
    pub fn child(&self, children: &Children, child: u32) -> Result<Self, Error> {
        let at = usize::try_from(child).map_err(|_| Error::NoChild)?;
        let (first, len) = *self.spans().get(at).ok_or(Error::NoChild)?;
        Ok(Self {
            tree: self.tree,
            first,
            len,
            root: false,
            hash: *children.get(at).ok_or(Error::NoChild)?,
        })
    }

    /// Whether `chunk` is the one that it stands for.
    pub fn is_chunk(&self, chunk: &[u8]) -> bool {
        if self.tree != Tree::Blob || !self.is_leaf() || chunk.len() as u64 != self.len {
            return false;
        }
        match self.root {
            true => agora_jobs::blob::hash(chunk) == self.hash,
            false => subtree(self.first, chunk) == Some(self.hash),
        }
    }
}

/// The root of a list of `count` hashes of leaves with this top.
fn bound(count: u64, top: &H256) -> H256 {
    let mut preimage = Vec::from([LIST]);
    preimage.extend_from_slice(&count.to_le_bytes());
    preimage.extend_from_slice(&top.0);
    blake2_256(&preimage).into()
}

/// The chaining value of `bytes`, which begin at byte `first` of a blob and are not all of it. `None`: there is no such
/// subtree.
pub fn subtree(first: u64, bytes: &[u8]) -> Option<H256> {
    if bytes.is_empty() || !first.is_multiple_of(CHUNK_BYTES as u64) {
        return None;
    }
    if hazmat::max_subtree_len(first).is_some_and(|max| bytes.len() as u64 > max) {
        return None;
    }
    let mut hasher = Hasher::new();
    hasher.set_input_offset(first).update(bytes);
    Some(hasher.finalize_non_root().into())
}

/// `hashes`, and zeroes after them. `None`: they are too many.
pub fn padded<const N: usize>(hashes: &[H256]) -> Option<[H256; N]> {
    let mut all = [H256::zero(); N];
    all.get_mut(..hashes.len())?.copy_from_slice(hashes);
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::{Content, children};
    use agora_jobs::states_root;
    use proptest::prelude::*;

    /// Walks down to leaf `at`, and checks on the way that nothing but the children opens a node.
    fn walk(root: Node, content: Content<'_>, at: u64) -> Result<(Node, u32), TestCaseError> {
        let (mut node, mut moves) = (root, 0);
        while !node.is_leaf() {
            let shown = children(&node, content);
            prop_assert!(node.opens(&shown));
            let mut wrong = shown.clone();
            wrong[at as usize % shown.len()].0[7] ^= 1;
            prop_assert!(!node.opens(&wrong));
            prop_assert!(!node.opens(&shown[1..]));
            prop_assert!(!node.opens(&[&shown[..], &shown[..1]].concat()));
            let spans = node.spans();
            prop_assert_eq!(spans.len(), shown.len());
            let child = spans
                .iter()
                .position(|&(first, len)| (first..first + len).contains(&at))
                .unwrap();
            node = node.child(&padded(&shown).unwrap(), child as u32).unwrap();
            prop_assert_eq!(node.child(&[H256::zero(); 16], 16), Err(Error::NoChild));
            moves += 1;
        }
        Ok((node, moves))
    }

    proptest! {
        #[test]
        fn every_chunk_of_a_blob_is_reached(len in 0usize..600_000, at: prop::sample::Index) {
            let bytes: Vec<u8> = (0..len).map(|i| (i / 1024 * 7 + i) as u8).collect();
            let blob = BlobRef::to(&bytes);
            let at = if len == 0 { 0 } else { at.index(len) };
            let (node, moves) = walk(Node::blob(&blob), Content::Bytes(&bytes), at as u64)?;
            let from = at / 1024 * 1024;
            let chunk = &bytes[from..len.min(from + 1024)];
            prop_assert!(node.is_chunk(chunk) && node.first == from as u64);
            prop_assert!(len == 0 || !node.is_chunk(&chunk[1..]));
            prop_assert!(moves <= 3);
        }

        #[test]
        fn every_state_is_reached(count in 1usize..700, at: prop::sample::Index) {
            let digests: Vec<_> = (0..count).map(|i| H256::from_low_u64_be(i as u64 + 1)).collect();
            let at = at.index(count);
            let root = Node::states(count as u64, states_root(&digests));
            let (node, moves) = walk(root, Content::Digests(&digests), at as u64)?;
            prop_assert_eq!(node.hash, digests[at]);
            prop_assert!(moves <= 3 && !node.is_chunk(&node.hash.0));
            // Another number of states is another root.
            let other = Node::states(count as u64 + 1, root.hash);
            prop_assert!(!other.opens(&children(&other, Content::Digests(&digests))));
        }

        #[test]
        fn hostile_nodes_never_panic(first: u64, len: u64, root: bool, is_blob: bool,
            shown in prop::collection::vec(any::<[u8; 32]>(), 0..20), child: u32) {
            let tree = if is_blob { Tree::Blob } else { Tree::States };
            let node = Node { tree, first, len, root, hash: H256::zero() };
            let shown: Vec<_> = shown.into_iter().map(H256).collect();
            prop_assert!(!node.opens(&shown) && !node.is_chunk(&[1; 10]));
            let short = Node { len: len % 1025, ..node };
            prop_assert!(!short.is_chunk(&vec![1; short.len as usize]));
            prop_assert!(node.spans().len() <= ARITY);
            let _ = node.child(&[H256::zero(); 16], child);
        }
    }
}
