//! Chunks of a blob shown in two trees at once: its own, and one keyed by whoever shows that it has the blob.
//!
//! [`KeyedProof::new`] shows one chunk, and hashes the content twice for it. Here several are shown, and the content is hashed once for each
//! tree: on the way through a tree, what lies beside the way to each chunk is taken down.

use agora_jobs::{BlobRef, ChunkProof, H256, KeyedProof};
use blake3::{
    CHUNK_LEN, Hasher,
    hazmat::{HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root},
};

/// The root over `content` of the tree with this `key`, and the chunks with these `indices` in this tree and in the content's own. `None`:
/// it has no such chunk.
///
/// The root is that of [`agora_jobs::keyed_hash`], each proof that of [`KeyedProof::new`].
/// Complexity: that of hashing the content twice.
pub fn keyed_openings(key: &[u8; 32], content: &[u8], indices: &[u64]) -> Option<(H256, Vec<KeyedProof>)> {
    let blob = BlobRef {
        hash: H256::zero(),
        size: content.len() as u64,
    };
    if indices.iter().any(|index| *index >= blob.chunks()) {
        return None;
    }
    let (_, plain) = Walk::new(None, indices).over(content);
    let (root, keyed) = Walk::new(Some(key), indices).over(content);
    let ways = indices.iter().zip(plain.into_iter().zip(keyed));
    let proofs = ways.map(|(&index, (siblings, keyed))| {
        let chunk = content.chunks(CHUNK_LEN).nth(usize::try_from(index).ok()?);
        let chunk = chunk.unwrap_or_default().to_vec();
        Some(KeyedProof {
            plain: ChunkProof { index, chunk, siblings },
            keyed,
        })
    });
    Some((root, proofs.collect::<Option<_>>()?))
}

/// A way through one tree.
struct Walk<'a> {
    /// The key of the tree; `None`: it is the content's own.
    key: Option<&'a [u8; 32]>,
    /// The chunks, and what lies beside the way to each, lowest first.
    chunks: Vec<(u64, Vec<H256>)>,
}

impl<'a> Walk<'a> {
    fn new(key: Option<&'a [u8; 32]>, indices: &[u64]) -> Self {
        Self {
            key,
            chunks: indices.iter().map(|index| (*index, Vec::new())).collect(),
        }
    }

    /// The root over `content`, and what lies beside the ways.
    fn over(mut self, content: &[u8]) -> (H256, Vec<Vec<H256>>) {
        let root = match content.len() <= CHUNK_LEN {
            true => self.hasher().update(content).finalize(),
            false => {
                let (left, right) = self.children(0, content);
                merge_subtrees_root(&left, &right, self.mode())
            }
        };
        let siblings = self.chunks.into_iter().map(|(_, siblings)| siblings);
        (root.as_bytes().into(), siblings.collect())
    }

    fn hasher(&self) -> Hasher {
        self.key.map_or_else(Hasher::new, Hasher::new_keyed)
    }

    fn mode(&self) -> Mode<'a> {
        self.key.map_or(Mode::Hash, Mode::KeyedHash)
    }

    /// The chaining values of the two halves of `part`, which begins at `offset` and has more than one chunk.
    fn children(&mut self, offset: u64, part: &[u8]) -> ([u8; 32], [u8; 32]) {
        let left_len = left_subtree_len(part.len() as u64);
        // The left half is a part of a slice, whose length is a `usize`.
        let (left, right) = part.split_at(left_len as usize);
        let (middle, end) = (offset + left_len, offset + part.len() as u64);
        let (left, right) = (self.subtree(offset, left), self.subtree(middle, right));
        for (index, siblings) in &mut self.chunks {
            let at = *index * CHUNK_LEN as u64;
            if (offset..middle).contains(&at) {
                siblings.push(right.into());
            } else if (middle..end).contains(&at) {
                siblings.push(left.into());
            }
        }
        (left, right)
    }

    /// The chaining value of `part`, which begins at `offset` and is not all of the content.
    fn subtree(&mut self, offset: u64, part: &[u8]) -> [u8; 32] {
        let range = offset..offset + part.len() as u64;
        let mut chunks = self.chunks.iter();
        let has_ways = chunks.any(|(index, _)| range.contains(&(*index * CHUNK_LEN as u64)));
        if part.len() <= CHUNK_LEN || !has_ways {
            // At once, which is far faster than chunk by chunk.
            return self.hasher().set_input_offset(offset).update(part).finalize_non_root();
        }
        let (left, right) = self.children(offset, part);
        merge_subtrees_non_root(&left, &right, self.mode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_jobs::keyed_hash;
    use proptest::prelude::*;

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn there_is_no_chunk_after_the_last() {
        assert_eq!(keyed_openings(&[1; 32], &content(2048), &[0, 2]), None);
        assert_eq!(keyed_openings(&[1; 32], &[], &[1]), None);
    }

    #[test]
    fn contents_of_one_chunk_have_no_ways() {
        for len in [0, 1, 1024] {
            let content = content(len);
            let (root, proofs) = keyed_openings(&[1; 32], &content, &[0]).expect("it has a chunk");
            assert_eq!(root, keyed_hash(&[1; 32], &content));
            assert_eq!(
                proofs,
                [KeyedProof::new(&[1; 32], &content, 0).expect("it has a chunk")]
            );
        }
    }

    proptest! {
        #[test]
        fn they_are_those_that_are_shown_one_by_one(
            key: [u8; 32], len in 1usize..70_000, at in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            let content = content(len);
            let chunks = BlobRef::to(&content).chunks();
            let indices: Vec<_> = at.iter().map(|at| at.index(chunks as usize) as u64).collect();
            let (root, proofs) = keyed_openings(&key, &content, &indices).unwrap();
            prop_assert_eq!(root, keyed_hash(&key, &content));
            let one_by_one = indices.iter().map(|index| KeyedProof::new(&key, &content, *index).unwrap());
            prop_assert_eq!(proofs, one_by_one.collect::<Vec<_>>());
        }
    }
}
