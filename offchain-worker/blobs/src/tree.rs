//! The BLAKE3 tree of a blob, down to groups of 16 KiB: which groups of a file are right, and proofs of ranges.
//!
//! The hash pairs of a tree are kept in a file beside the blob, 64 bytes for each group but one, in pre-order. A pair that
//! is not known is zero there, which no hash is.

use agora_jobs::BlobRef;
use bao_tree::{
    BaoTree, BlockSize, ChunkNum, ChunkRanges, ChunkRangesRef,
    io::{outboard::PreOrderOutboard, sync::Outboard},
    iter::BaoChunk,
};
use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};
use std::{fs::File, io, ops::Range};

/// Chunks of 1 KiB in a group, as a power of two.
const GROUP: BlockSize = BlockSize::from_chunk_log(4);
/// Bytes of a group; the last one of a blob may be shorter.
pub const GROUP_BYTES: u64 = 16 << 10;
/// Bytes of a hash pair.
const PAIR_BYTES: u64 = 64;

/// The shape of a blob's tree.
pub fn shape(blob: &BlobRef) -> BaoTree {
    BaoTree::new(blob.size, GROUP)
}

/// A tree whose hash pairs are in `file`.
pub fn in_file<Pairs>(blob: &BlobRef, file: Pairs) -> PreOrderOutboard<Pairs> {
    PreOrderOutboard {
        root: blob.hash.0.into(),
        tree: shape(blob),
        data: file,
    }
}

/// All groups of a blob.
pub fn all(blob: &BlobRef) -> ChunkRanges {
    groups(blob, 0..blob.size)
}

/// The groups that have bytes of `range`.
pub fn groups(blob: &BlobRef, range: Range<u64>) -> ChunkRanges {
    let first = range.start / GROUP_BYTES * GROUP_BYTES;
    let end = range.end.next_multiple_of(GROUP_BYTES).min(blob.size);
    if first >= end {
        return ChunkRanges::empty();
    }
    ChunkRanges::from(ChunkNum::full_chunks(first)..ChunkNum::chunks(end))
}

/// The ranges of bytes that `groups` are.
pub fn bytes(blob: &BlobRef, groups: &ChunkRangesRef) -> Vec<Range<u64>> {
    let boundaries = groups.boundaries();
    boundaries
        .chunks(2)
        .filter_map(|pair| {
            let start = pair.first()?.to_bytes();
            let end = pair.get(1).map_or(blob.size, |end| end.to_bytes().min(blob.size));
            (start < end).then_some(start..end)
        })
        .collect()
}

/// How many bytes the proof of `groups` has, which includes them.
pub fn proof_len(blob: &BlobRef, groups: &ChunkRangesRef) -> u64 {
    shape(blob)
        .ranges_pre_order_chunks_iter_ref(groups, 0)
        .map(|item| match item {
            BaoChunk::Parent { .. } => PAIR_BYTES,
            BaoChunk::Leaf { size, .. } => size as u64,
        })
        .sum()
}

/// Which groups of `data` are right, as far as the hash pairs in `tree` show it.
///
/// Complexity: hashes what the pairs cover.
pub fn right_groups(blob: &BlobRef, data: &File, tree: &PreOrderOutboard<File>) -> io::Result<ChunkRanges> {
    let everything = ChunkRanges::all();
    let mut right = ChunkRanges::empty();
    // What the nodes still to come should hash to, where that is known.
    let mut expected = vec![Some(*blob.hash.as_fixed_bytes())];
    let mut buffer = Vec::new();
    for item in shape(blob).ranges_pre_order_chunks_iter_ref(&everything, 0) {
        let hash = expected.pop().flatten();
        match item {
            BaoChunk::Parent { node, is_root, .. } => {
                let pair = match hash {
                    Some(_) => tree.load(node)?,
                    None => None,
                };
                let pair = pair.filter(|(left, right)| Some(parent(left, right, is_root)) == hash);
                expected.push(pair.map(|(_, right)| right.into()));
                expected.push(pair.map(|(left, _)| left.into()));
            }
            BaoChunk::Leaf {
                start_chunk,
                size,
                is_root,
                ..
            } => {
                let Some(hash) = hash else { continue };
                let start = start_chunk.to_bytes();
                buffer.resize(size, 0);
                if !read_at(data, start, &mut buffer)? {
                    continue;
                }
                if leaf(start, &buffer, is_root) == hash {
                    right |= groups(blob, start..start.saturating_add(size as u64));
                }
            }
        }
    }
    Ok(right)
}

fn parent(left: &blake3::Hash, right: &blake3::Hash, is_root: bool) -> [u8; 32] {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if is_root {
        merge_subtrees_root(left, right, Mode::Hash).into()
    } else {
        merge_subtrees_non_root(left, right, Mode::Hash)
    }
}

fn leaf(start: u64, bytes: &[u8], is_root: bool) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    if is_root {
        return hasher.update(bytes).finalize().into();
    }
    hasher.set_input_offset(start).update(bytes);
    hasher.finalize_non_root()
}

/// Fills `buffer` from `start` on. `false`: the file ends before.
fn read_at(file: &File, start: u64, buffer: &mut [u8]) -> io::Result<bool> {
    match bao_tree::io::sync::ReadAt::read_exact_at(file, start, buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
