//! The trees of BLAKE3 over a blob's chunks: the plain one, whose root is the blob's hash, and keyed ones, which have the same shape.

use super::{BlobRef, CHUNK_BYTES};
use alloc::vec::Vec;
use blake3::{
    Hasher,
    hazmat::{HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root},
};
use primitive_types::H256;

/// How chunks and parents are hashed.
#[derive(Clone, Copy)]
pub(super) enum Tree<'a> {
    /// As in `blake3::hash`.
    Plain,
    /// As in `blake3::keyed_hash`.
    Keyed(&'a [u8; 32]),
}

/// The child that a step down the tree takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Left,
    Right,
}

impl Tree<'_> {
    fn hasher(self) -> Hasher {
        match self {
            Self::Plain => Hasher::new(),
            Self::Keyed(key) => Hasher::new_keyed(key),
        }
    }

    const fn mode(&self) -> Mode<'_> {
        match self {
            Self::Plain => Mode::Hash,
            Self::Keyed(key) => Mode::KeyedHash(key),
        }
    }

    /// The root over `bytes`.
    pub fn root(self, bytes: &[u8]) -> H256 {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.finalize().as_bytes().into()
    }

    /// The chaining value of the subtree of `bytes`, which begin at `offset` and are not the whole blob.
    fn subtree(self, offset: u64, bytes: &[u8]) -> [u8; 32] {
        let mut hasher = self.hasher();
        hasher.set_input_offset(offset).update(bytes);
        hasher.finalize_non_root()
    }

    /// The root to which chunk `index` of a blob leads with the chaining values beside its way, lowest first. Only the length of `blob` is
    /// looked at. `None`: it has no such chunk of this length, or the way to it is longer or shorter.
    pub fn root_from(self, blob: &BlobRef, index: u64, chunk: &[u8], siblings: &[H256]) -> Option<H256> {
        if blob.chunk_len(index)? != chunk.len() {
            return None;
        }
        if blob.chunks() == 1 {
            return siblings.is_empty().then(|| self.root(chunk));
        }
        let way = way_to(blob.size, index)?;
        if way.len() != siblings.len() {
            return None;
        }
        // From the leaf up: the way is from the top.
        let mut node = self.subtree(index.checked_mul(CHUNK_BYTES as u64)?, chunk);
        let mut steps = way.iter().rev().zip(siblings).peekable();
        while let Some((&side, sibling)) = steps.next() {
            let (left, right) = match side {
                Side::Left => (&node, &sibling.0),
                Side::Right => (&sibling.0, &node),
            };
            if steps.peek().is_none() {
                let root = merge_subtrees_root(left, right, self.mode());
                return Some(root.as_bytes().into());
            }
            node = merge_subtrees_non_root(left, right, self.mode());
        }
        None
    }

    /// Chunk `index` of `content`, and the chaining values beside the way from it to the root, lowest first. `None`: there is no such chunk.
    ///
    /// Complexity: that of hashing the content.
    pub fn way_up(self, content: &[u8], index: u64) -> Option<(Vec<u8>, Vec<H256>)> {
        let blob = BlobRef {
            hash: H256::zero(),
            size: content.len() as u64,
        };
        let len = blob.chunk_len(index)?;
        let mut siblings = Vec::new();
        let (mut offset, mut part) = (0u64, content);
        for side in way_to(blob.size, index)? {
            let left = left_subtree_len(part.len() as u64);
            let (one, other) = part.split_at_checked(usize::try_from(left).ok()?)?;
            let right_at = offset.checked_add(left)?;
            match side {
                Side::Left => {
                    siblings.push(self.subtree(right_at, other).into());
                    part = one;
                }
                Side::Right => {
                    siblings.push(self.subtree(offset, one).into());
                    (offset, part) = (right_at, other);
                }
            }
        }
        siblings.reverse();
        debug_assert_eq!(part.len(), len);
        Some((part.to_vec(), siblings))
    }
}

/// The steps from the root of a blob of `size` bytes down to chunk `index`, which it has.
fn way_to(size: u64, index: u64) -> Option<Vec<Side>> {
    let mut way = Vec::new();
    let (mut size, mut at) = (size, index.checked_mul(CHUNK_BYTES as u64)?);
    while size > CHUNK_BYTES as u64 {
        let left = left_subtree_len(size);
        if at < left {
            way.push(Side::Left);
            size = left;
        } else {
            way.push(Side::Right);
            size = size.checked_sub(left)?;
            at = at.checked_sub(left)?;
        }
    }
    Some(way)
}
