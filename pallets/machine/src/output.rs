//! What a program writes, kept as the hashes from which its BLAKE3 hash follows.

use agora_jobs::{BlobRef, blob::CHUNK_BYTES};
use alloc::vec::Vec;
use blake3::{
    Hasher,
    hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root},
};
use codec::{Decode, DecodeWithMemTracking, Encode};
use primitive_types::H256;
use scale_info::TypeInfo;

/// The output of a machine: its length, and the hashes of its complete subtrees. It grows chunk by chunk.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// Its length in bytes.
    size: u64,
    /// The BLAKE3 hash of the first chunk as a blob of its own.
    first: H256,
    /// The chaining values of the subtrees that are complete before the last chunk, and of the last chunk; the largest
    /// first.
    subtrees: Vec<H256>,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            size: 0,
            first: agora_jobs::blob::hash(&[]),
            subtrees: Vec::new(),
        }
    }
}

impl Output {
    /// The output that consists of `content`.
    ///
    /// Complexity: O(n) in its length.
    pub fn of(content: &[u8]) -> Self {
        let mut output = Self::default();
        for chunk in content.chunks(CHUNK_BYTES) {
            // All but the last are whole, and none is empty.
            let _ = output.append(chunk);
        }
        output
    }

    /// Its length in bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a chunk: 1 to 1024 bytes. `None`: that is not its length, or the chunk before was shorter than 1024 bytes and so
    /// was the last.
    pub(crate) fn append(&mut self, chunk: &[u8]) -> Option<()> {
        let grown = self.size.checked_add(chunk.len() as u64)?;
        let whole = self.size.is_multiple_of(CHUNK_BYTES as u64);
        if !whole || chunk.is_empty() || chunk.len() > CHUNK_BYTES {
            return None;
        }
        if self.size == 0 {
            self.first = agora_jobs::blob::hash(chunk);
        }
        // Only when another chunk follows is it known that a subtree is not the root: as many are complete now as chunks have a
        // bit set.
        let chunks = self.size >> CHUNK_BYTES.ilog2();
        while self.subtrees.len() > chunks.count_ones() as usize {
            let (right, left) = (self.subtrees.pop()?, self.subtrees.pop()?);
            self.subtrees
                .push(merge_subtrees_non_root(&left.0, &right.0, Mode::Hash).into());
        }
        let mut hasher = Hasher::new();
        hasher.set_input_offset(self.size).update(chunk);
        self.subtrees.push(hasher.finalize_non_root().into());
        self.size = grown;
        Some(())
    }

    /// What the output is addressed by.
    pub fn blob(&self) -> BlobRef {
        let hash = match self.subtrees.split_last() {
            Some((last, before)) if !before.is_empty() => {
                let mut node = last.0;
                let mut rest = before.iter().rev().peekable();
                while let Some(left) = rest.next() {
                    node = match rest.peek() {
                        Some(_) => merge_subtrees_non_root(&left.0, &node, Mode::Hash),
                        None => *merge_subtrees_root(&left.0, &node, Mode::Hash).as_bytes(),
                    };
                }
                H256(node)
            }
            _ => self.first,
        };
        BlobRef { hash, size: self.size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_all_bytes() {
        let content: Vec<u8> = (0..70_000u32).map(|i| (i % 251) as u8).collect();
        for size in [
            0,
            1,
            1023,
            1024,
            1025,
            2048,
            3072,
            4096,
            5000,
            8 * 1024,
            17 * 1024 + 3,
            69_999,
        ] {
            let mut output = Output::default();
            for chunk in content[..size].chunks(CHUNK_BYTES) {
                output.append(chunk).unwrap();
            }
            assert_eq!(output.blob(), BlobRef::to(&content[..size]), "{size} bytes");
            assert_eq!(output, Output::of(&content[..size]), "{size} bytes");
        }
    }

    #[test]
    fn only_the_last_chunk_is_shorter() {
        let mut output = Output::default();
        assert_eq!(output.append(&[]), None);
        assert_eq!(output.append(&[0; CHUNK_BYTES + 1]), None);
        assert_eq!(output.append(&[0; CHUNK_BYTES]), Some(()));
        assert_eq!(output.append(&[1]), Some(()));
        let before = output.clone();
        assert_eq!(output.append(&[2]), None);
        assert_eq!(output, before);
    }
}
