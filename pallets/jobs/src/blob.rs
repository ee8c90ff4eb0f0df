//! Content addresses: BLAKE3, whose tree of 1 KiB chunks lets any chunk be shown and checked by itself.

mod keyed;
mod tree;

pub use keyed::{KeyedProof, keyed_hash};

use crate::{JobError, all_within};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use primitive_types::H256;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tree::Tree;

/// Bytes of a chunk; the last one of a blob may be shorter.
pub const CHUNK_BYTES: usize = blake3::CHUNK_LEN;

/// The largest blob, in bytes: 64 GiB.
pub const MAX_BLOB: u64 = 1 << 36;

/// The BLAKE3 hash of `bytes`.
pub fn hash(bytes: &[u8]) -> H256 {
    blake3::hash(bytes).as_bytes().into()
}

/// A blob in content-addressed storage.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BlobRef {
    /// The BLAKE3 hash of its content.
    pub hash: H256,
    /// Its length in bytes. The hash alone does not bind it for those who see only some of the chunks.
    pub size: u64,
}

impl BlobRef {
    /// The reference to `content`.
    pub fn to(content: &[u8]) -> Self {
        Self {
            hash: hash(content),
            size: content.len() as u64,
        }
    }

    /// Checks that it is not empty and not above [`MAX_BLOB`].
    pub fn validate(&self) -> Result<(), JobError> {
        all_within([(self.size, MAX_BLOB)])
    }

    /// How many chunks it has. An empty blob has one, which is empty.
    pub const fn chunks(&self) -> u64 {
        match self.size {
            0 => 1,
            size => size.div_ceil(CHUNK_BYTES as u64),
        }
    }

    /// The length of chunk `index` in bytes. `None`: there is no such chunk.
    pub fn chunk_len(&self, index: u64) -> Option<usize> {
        if index >= self.chunks() {
            return None;
        }
        let start = index.checked_mul(CHUNK_BYTES as u64)?;
        let rest = self.size.checked_sub(start)?;
        usize::try_from(rest.min(CHUNK_BYTES as u64)).ok()
    }

    /// Checks that `proof` shows a chunk of this blob.
    ///
    /// The last chunk's proof also shows the blob's length: no other length leads along the same way to the same hash.
    /// Complexity: a chunk, and one block for each level of the tree (26 at most for [`MAX_BLOB`]).
    pub fn verify(&self, proof: &ChunkProof) -> bool {
        Tree::Plain.root_from(self, proof.index, &proof.chunk, &proof.siblings) == Some(self.hash)
    }
}

/// A chunk of a blob, and what it takes to see that it is one.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct ChunkProof {
    /// Its number, from 0.
    pub index: u64,
    /// Its bytes.
    pub chunk: Vec<u8>,
    /// The chaining values beside the way from it to the root, lowest first.
    pub siblings: Vec<H256>,
}

impl ChunkProof {
    /// Shows chunk `index` of `content`. `None`: there is no such chunk.
    ///
    /// Complexity: that of hashing the content.
    pub fn new(content: &[u8], index: u64) -> Option<Self> {
        let (chunk, siblings) = Tree::Plain.way_up(content, index)?;
        Some(Self { index, chunk, siblings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    proptest! {
        #[test]
        fn every_chunk_can_be_shown(len in 0usize..40_000, at: prop::sample::Index, flip: prop::sample::Index) {
            let content = content(len);
            let blob = BlobRef::to(&content);
            let index = at.index(blob.chunks() as usize) as u64;
            let proof = ChunkProof::new(&content, index).unwrap();
            let start = index as usize * CHUNK_BYTES;
            prop_assert_eq!(&proof.chunk, &content[start..(start + CHUNK_BYTES).min(len)]);
            prop_assert!(blob.verify(&proof));

            // Nothing else passes: another byte, place, sibling, length of the way.
            let bits = 8 * proof.chunk.len();
            if bits > 0 {
                let mut wrong = proof.clone();
                let bit = flip.index(bits);
                wrong.chunk[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(!blob.verify(&wrong));
            }
            for other in 0..blob.chunks() {
                let moved = ChunkProof { index: other, ..proof.clone() };
                prop_assert_eq!(blob.verify(&moved), other == index);
            }
            for sibling in 0..proof.siblings.len() {
                let mut wrong = proof.clone();
                wrong.siblings[sibling].0[flip.index(32)] ^= 4;
                prop_assert!(!blob.verify(&wrong));
                let mut wrong = proof.clone();
                wrong.siblings.remove(sibling);
                prop_assert!(!blob.verify(&wrong));
            }
            let mut wrong = proof;
            wrong.siblings.push(blob.hash);
            prop_assert!(!blob.verify(&wrong));
        }

        #[test]
        fn the_last_chunk_shows_the_length(len in 1usize..20_000, other in 1u64..20_000) {
            let content = content(len);
            let blob = BlobRef::to(&content);
            let proof = ChunkProof::new(&content, blob.chunks() - 1).unwrap();
            let claimed = BlobRef { size: other, ..blob };
            let last = ChunkProof { index: claimed.chunks() - 1, ..proof };
            prop_assert_eq!(claimed.verify(&last), other == len as u64);
        }

        #[test]
        fn bytes_that_are_no_proof_never_panic(
            size: u64, index: u64, chunk in prop::collection::vec(any::<u8>(), 0..1100),
            siblings in prop::collection::vec(any::<[u8; 32]>(), 0..70),
        ) {
            let siblings = siblings.into_iter().map(H256).collect();
            let proof = ChunkProof { index, chunk, siblings };
            let blob = BlobRef { hash: H256::repeat_byte(1), size };
            prop_assert!(!blob.verify(&proof));
            let nearly = BlobRef { size: (index % (1 << 40)) * 1024 + proof.chunk.len() as u64, ..BlobRef::to(&[]) };
            prop_assert!(!nearly.verify(&proof) || nearly.size == 0);
        }
    }

    #[test]
    fn the_hash_is_blake3() {
        // From the test vectors of BLAKE3: input bytes i mod 251.
        for (len, expected) in [
            (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
            (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
            (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
            (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
            (
                102_400,
                "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
            ),
        ] {
            assert_eq!(format!("{:x}", hash(&content(len))), expected, "{len}");
        }
    }

    #[test]
    fn chunks_are_counted() {
        let blob = |size| BlobRef {
            size,
            ..BlobRef::to(&[])
        };
        for (size, chunks, last) in [
            (0, 1, 0),
            (1, 1, 1),
            (1024, 1, 1024),
            (1025, 2, 1),
            (MAX_BLOB, 1 << 26, 1024),
        ] {
            assert_eq!(blob(size).chunks(), chunks);
            assert_eq!(blob(size).chunk_len(chunks - 1), Some(last));
            assert_eq!(blob(size).chunk_len(chunks), None);
        }
        assert_eq!(blob(0).validate(), Err(JobError::Zero));
        assert_eq!(blob(MAX_BLOB).validate(), Ok(()));
        assert_eq!(blob(MAX_BLOB + 1).validate(), Err(JobError::TooLarge));
    }
}
