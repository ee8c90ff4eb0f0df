//! Subtrees of BLAKE3, by where they begin and how long they are.

use agora_jobs::{H256, blob::CHUNK_BYTES};
use blake3::{
    Hasher,
    hazmat::{HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root},
};

/// Where a subtree begins, and how many bytes are below it.
pub type Span = (u64, u64);

/// What is below a subtree. `None`: it is a chunk.
pub fn halves((first, len): Span) -> Option<[Span; 2]> {
    if len <= CHUNK_BYTES as u64 {
        return None;
    }
    let left = left_subtree_len(len);
    Some([(first, left), (first.checked_add(left)?, len.checked_sub(left)?)])
}

/// The chaining value of a subtree that is not the whole. It is one of the spans of a tree, so that it can be one.
pub fn subtree((first, _): Span, bytes: &[u8]) -> H256 {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(first).update(bytes);
    hasher.finalize_non_root().into()
}

/// That of two subtrees, one after the other, which are not the whole together.
pub fn merge(left: &H256, right: &H256) -> H256 {
    merge_subtrees_non_root(&left.0, &right.0, Mode::Hash).into()
}

/// The hash of a blob of these two subtrees.
pub fn root(left: &H256, right: &H256) -> H256 {
    merge_subtrees_root(&left.0, &right.0, Mode::Hash).as_bytes().into()
}
