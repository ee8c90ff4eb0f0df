//! Showing that somebody had a blob's bytes when it committed to a root: the root of BLAKE3's tree over them, keyed with a key of its own.
//!
//! Whoever lacks a chunk can put nothing in its place from which a way leads to the root later. So a root that was committed to before a
//! chunk was drawn, and a way to it from that chunk, show that the chunk was there. Of a share `f` of the chunks that are missing, `k` draws
//! find one with probability `1 − (1 − f)ᵏ`. The root of another is of no use, because it has another key.

use super::{BlobRef, ChunkProof, tree::Tree};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use primitive_types::H256;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The BLAKE3 hash of `bytes`, keyed with `key`.
pub fn keyed_hash(key: &[u8; 32], bytes: &[u8]) -> H256 {
    Tree::Keyed(key).root(bytes)
}

/// A chunk of a blob in two trees: that of the blob's own hash, and a keyed one of the same shape.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct KeyedProof {
    /// The chunk, and the way to the blob's hash.
    pub plain: ChunkProof,
    /// The chaining values beside the way to the keyed root, lowest first.
    pub keyed: Vec<H256>,
}

impl KeyedProof {
    /// Shows chunk `index` of `content`. `None`: there is no such chunk.
    ///
    /// Complexity: twice that of hashing the content.
    pub fn new(key: &[u8; 32], content: &[u8], index: u64) -> Option<Self> {
        let (_, keyed) = Tree::Keyed(key).way_up(content, index)?;
        Some(Self {
            plain: ChunkProof::new(content, index)?,
            keyed,
        })
    }
}

impl BlobRef {
    /// Checks that `proof` shows a chunk of this blob, and that whoever made the keyed `root` had it in the same place.
    ///
    /// Complexity: twice that of [`verify`](Self::verify).
    pub fn verify_keyed(&self, key: &[u8; 32], root: H256, proof: &KeyedProof) -> bool {
        let KeyedProof { plain, keyed } = proof;
        self.verify(plain) && Tree::Keyed(key).root_from(self, plain.index, &plain.chunk, keyed) == Some(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::CHUNK_BYTES;
    use proptest::prelude::*;

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    proptest! {
        #[test]
        fn every_chunk_can_be_shown_in_both_trees(
            key: [u8; 32], other: [u8; 32], len in 0usize..40_000, at: prop::sample::Index, flip: prop::sample::Index,
        ) {
            prop_assume!(key != other);
            let content = content(len);
            let blob = BlobRef::to(&content);
            let root: H256 = blake3::keyed_hash(&key, &content).as_bytes().into();
            prop_assert_eq!(keyed_hash(&key, &content), root);
            let index = at.index(blob.chunks() as usize) as u64;
            let proof = KeyedProof::new(&key, &content, index).unwrap();
            prop_assert!(blob.verify_keyed(&key, root, &proof));
            prop_assert!(!blob.verify_keyed(&other, root, &proof));
            prop_assert!(!blob.verify_keyed(&key, blob.hash, &proof));
            prop_assert!(!blob.verify_keyed(&other, keyed_hash(&other, &content), &proof) || blob.chunks() == 1);
            prop_assert_eq!(KeyedProof::new(&key, &content, blob.chunks()), None);
            for sibling in 0..proof.keyed.len() {
                let mut wrong = proof.clone();
                wrong.keyed[sibling].0[flip.index(32)] ^= 8;
                prop_assert!(!blob.verify_keyed(&key, root, &wrong));
                let mut wrong = proof.clone();
                wrong.keyed.remove(sibling);
                prop_assert!(!blob.verify_keyed(&key, root, &wrong));
                let mut wrong = proof.clone();
                wrong.plain.siblings[sibling].0[flip.index(32)] ^= 8;
                prop_assert!(!blob.verify_keyed(&key, root, &wrong));
            }
            let mut wrong = proof.clone();
            wrong.keyed.push(root);
            prop_assert!(!blob.verify_keyed(&key, root, &wrong));
            let mut moved = proof;
            moved.plain.index ^= 1;
            prop_assert!(!blob.verify_keyed(&key, root, &moved));
        }

        #[test]
        fn what_was_missing_when_the_root_was_made_cannot_be_shown(
            key: [u8; 32], len in 1usize..40_000, at: prop::sample::Index, byte: prop::sample::Index,
        ) {
            let content = content(len);
            let blob = BlobRef::to(&content);
            let mut without = content.clone();
            without[byte.index(len)] ^= 1;
            let lost = (byte.index(len) / CHUNK_BYTES) as u64;
            let root = keyed_hash(&key, &without);
            let index = at.index(blob.chunks() as usize) as u64;
            // The best that it can say: the way of what it had then, and the chunk that it has fetched since.
            let mut proof = KeyedProof::new(&key, &without, index).unwrap();
            proof.plain = ChunkProof::new(&content, index).unwrap();
            prop_assert_eq!(blob.verify_keyed(&key, root, &proof), index != lost);
            let late = KeyedProof::new(&key, &content, index).unwrap();
            prop_assert!(!blob.verify_keyed(&key, root, &late));
        }

        #[test]
        fn bytes_that_are_no_proof_never_panic(
            key: [u8; 32], size: u64, index: u64, chunk in prop::collection::vec(any::<u8>(), 0..1100),
            siblings in prop::collection::vec(any::<[u8; 32]>(), 0..70),
        ) {
            let siblings: Vec<H256> = siblings.into_iter().map(H256).collect();
            let proof = KeyedProof { plain: ChunkProof { index, chunk, siblings: siblings.clone() }, keyed: siblings };
            let blob = BlobRef { hash: H256::repeat_byte(1), size };
            prop_assert!(!blob.verify_keyed(&key, H256::repeat_byte(2), &proof));
        }
    }
}
