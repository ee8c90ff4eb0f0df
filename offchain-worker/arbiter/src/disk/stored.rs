//! One content in a file.

use super::pages::{Expected, GROUP_BYTES, Paged};
use crate::span::{self, Span, halves, merge};
use agora_jobs::{BlobRef, ChunkProof, H256, blob, blob::CHUNK_BYTES};
use std::sync::Arc;

/// A content, and where it is. One that is longer than a group has a chaining value for each, by which any of its chunks is checked and shown
/// without reading the others.
#[derive(Clone, Copy)]
pub struct Stored<'a> {
    /// `None`: it is empty, and no file was needed for it.
    pub file: Option<&'a Paged>,
    /// Where in the file it begins.
    pub offset: u64,
    pub blob: BlobRef,
    /// The chaining values of its groups; none, if it is one.
    pub groups: &'a [H256],
}

impl Stored<'_> {
    /// Where group `number` begins, and how long it is. `None`: there is none.
    fn span(&self, number: u64) -> Option<Span> {
        let first = number.checked_mul(GROUP_BYTES)?;
        let rest = self.blob.size.checked_sub(first)?;
        (rest > 0).then(|| (first, rest.min(GROUP_BYTES)))
    }

    fn group(&self, number: u64) -> Option<Arc<[u8]>> {
        if self.blob.size == 0 {
            return (number == 0).then(Arc::default);
        }
        let (first, len) = self.span(number)?;
        let expected = match self.groups {
            [] => Expected::Whole(self.blob.hash),
            groups => Expected::Subtree(first, *groups.get(usize::try_from(number).ok()?)?),
        };
        self.file?.group(self.offset.checked_add(first)?, len, expected)
    }

    /// Has `apply` look at the `len` bytes from `first` on, which lie in one group. `None`: they do not, or are not at hand.
    fn within<T>(&self, (first, len): Span, apply: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let group = self.group(first / GROUP_BYTES)?;
        let from = usize::try_from(first % GROUP_BYTES).ok()?;
        let end = from.checked_add(usize::try_from(len).ok()?)?;
        Some(apply(group.get(from..end)?))
    }

    /// Writes chunk `index` to `chunk`, and returns how many bytes it has.
    pub fn chunk(&self, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let length = self.blob.chunk_len(index)?;
        let first = index.checked_mul(CHUNK_BYTES as u64)?;
        let to = chunk.get_mut(..length)?;
        self.within((first, length as u64), |bytes| to.copy_from_slice(bytes))?;
        Some(length)
    }

    /// The `len` bytes from `first` on.
    pub fn bytes(&self, first: u64, len: u64) -> Option<Vec<u8>> {
        let end = first.checked_add(len).filter(|&end| end <= self.blob.size)?;
        let mut bytes = Vec::new();
        let mut at = first;
        while at < end {
            let group_end = (at / GROUP_BYTES).checked_add(1)?.checked_mul(GROUP_BYTES)?;
            let next = group_end.min(end);
            self.within((at, next.checked_sub(at)?), |part| bytes.extend_from_slice(part))?;
            at = next;
        }
        Some(bytes)
    }

    /// The chaining value of a subtree that is not the whole.
    pub fn subtree(&self, span: Span) -> Option<H256> {
        let (first, len) = span;
        first.checked_add(len).filter(|&end| len > 0 && end <= self.blob.size)?;
        if len > GROUP_BYTES {
            let [left, right] = halves(span)?;
            return Some(merge(&self.subtree(left)?, &self.subtree(right)?));
        }
        let number = first / GROUP_BYTES;
        match self.groups.get(usize::try_from(number).ok()?) {
            Some(group) if self.span(number) == Some(span) => Some(*group),
            _ => self.within(span, |bytes| span::subtree(span, bytes)),
        }
    }

    /// Chunk `index` with its proof.
    pub fn prove(&self, index: u64) -> Option<ChunkProof> {
        let first = index.checked_mul(CHUNK_BYTES as u64)?;
        let len = self.blob.chunk_len(index)? as u64;
        let mut siblings = Vec::new();
        let mut way = (0, self.blob.size);
        while let Some([left, right]) = halves(way) {
            let (down, beside) = if first < right.0 { (left, right) } else { (right, left) };
            siblings.push(self.subtree(beside)?);
            way = down;
        }
        siblings.reverse();
        Some(ChunkProof {
            index,
            chunk: self.within((first, len), <[u8]>::to_vec)?,
            siblings,
        })
    }
}

/// Hashes a content that comes piece by piece.
#[derive(Default)]
pub struct Hashing {
    size: u64,
    /// The group that is not hashed yet, because it may be the only one.
    group: Vec<u8>,
    groups: Vec<H256>,
}

impl Hashing {
    /// How many bytes there were so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    pub fn update(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.group.len() as u64 == GROUP_BYTES {
                self.end_group();
            }
            let room = (GROUP_BYTES as usize).saturating_sub(self.group.len()).min(rest.len());
            let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.group.extend_from_slice(now);
            self.size = self.size.saturating_add(now.len() as u64);
            rest = later;
        }
    }

    fn end_group(&mut self) {
        let first = self.size.saturating_sub(self.group.len() as u64);
        self.groups
            .push(span::subtree((first, self.group.len() as u64), &self.group));
        self.group.clear();
    }

    /// What the content is called, and the chaining values of its groups; none, if it is one. Begins anew.
    pub fn finish(&mut self) -> (BlobRef, Vec<H256>) {
        let size = self.size;
        let hash = match self.groups.is_empty() {
            true => blob::hash(&self.group),
            false => {
                self.end_group();
                root(&self.groups, size)
            }
        };
        self.group.clear();
        self.size = 0;
        (BlobRef { hash, size }, std::mem::take(&mut self.groups))
    }
}

/// The hash of a content of `size` bytes with these groups, of which there are at least two.
fn root(groups: &[H256], size: u64) -> H256 {
    let of_groups = Stored {
        file: None,
        offset: 0,
        blob: BlobRef {
            hash: H256::zero(),
            size,
        },
        groups,
    };
    let halves = halves((0, size));
    let sides = halves.map(|sides| sides.map(|side| of_groups.subtree(side).unwrap_or_default()));
    sides.map_or_else(H256::zero, |[left, right]| span::root(&left, &right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::pages::{Pages, Trouble};
    use proptest::prelude::*;

    const GROUP: usize = GROUP_BYTES as usize;

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i / 1024 * 7 + i) as u8).collect()
    }

    fn hashed(content: &[u8], piece: usize) -> (BlobRef, Vec<H256>) {
        let mut hashing = Hashing::default();
        content.chunks(piece).for_each(|piece| hashing.update(piece));
        assert_eq!(hashing.size(), content.len() as u64);
        let found = hashing.finish();
        assert_eq!(hashing.finish(), (BlobRef::to(&[]), Vec::new()), "it begins anew");
        found
    }

    /// `content` in a file, after `offset` other bytes.
    fn file(content: &[u8], offset: usize, pages: &Pages) -> Paged {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &vec![9; offset]).unwrap();
        std::io::Write::write_all(&mut file, content).unwrap();
        Paged::new(pages, "content".into(), file)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn it_is_read_and_shown_as_from_memory(
            near in prop::sample::select(vec![1, GROUP, 2 * GROUP, 3 * GROUP, 4 * GROUP]), around in 0usize..3000,
            piece in 1usize..200_000, offset in 0usize..5000, at: prop::sample::Index,
        ) {
            let content = content((near + around).saturating_sub(1500));
            let (blob, groups) = hashed(&content, piece);
            prop_assert_eq!(blob, BlobRef::to(&content));
            prop_assert_eq!(groups.is_empty(), content.len() <= GROUP);
            let pages = Pages::new(0);
            let file = file(&content, offset, &pages);
            let stored = Stored { file: Some(&file), offset: offset as u64, blob, groups: &groups };
            let index = at.index(blob.chunks() as usize) as u64;
            prop_assert_eq!(stored.prove(index), ChunkProof::new(&content, index));
            prop_assert_eq!(stored.prove(blob.chunks()), None);
            let mut chunk = [0; CHUNK_BYTES];
            let len = stored.chunk(index, &mut chunk).unwrap();
            let from = index as usize * CHUNK_BYTES;
            prop_assert_eq!(&chunk[..len], &content[from..(from + CHUNK_BYTES).min(content.len())]);
            let (first, last) = (at.index(content.len() + 1), content.len());
            prop_assert_eq!(stored.bytes(first as u64, (last - first) as u64).unwrap(), &content[first..]);
            prop_assert_eq!(stored.bytes(first as u64, (last - first) as u64 + 1), None);
            // All nodes on the way to the chunk, and beside it.
            let mut way = (0, blob.size);
            while let Some(sides) = halves(way) {
                for side in sides {
                    let bytes = &content[side.0 as usize..][..side.1 as usize];
                    prop_assert_eq!(stored.subtree(side), Some(span::subtree(side, bytes)));
                }
                way = if (from as u64) < sides[1].0 { sides[0] } else { sides[1] };
            }
            prop_assert_eq!(stored.subtree((blob.size, 1)), None);
            prop_assert!(pages.take_trouble().is_none());
        }
    }

    #[test]
    fn a_changed_byte_or_a_cut_file_is_noticed_where_it_is_and_nowhere_else() {
        let content = content(3 * GROUP + 700);
        let (blob, groups) = hashed(&content, GROUP);
        for small in [false, true] {
            let pages = Pages::new(0);
            let (content, blob, groups) = match small {
                true => (&content[..900], BlobRef::to(&content[..900]), &[][..]),
                false => (&content[..], blob, &groups[..]),
            };
            let file = file(content, 0, &pages);
            let stored = Stored {
                file: Some(&file),
                offset: 0,
                blob,
                groups,
            };
            let last = blob.chunks() - 1;
            let mut chunk = [0; CHUNK_BYTES];
            let damaged = Some(Trouble::Damaged { path: "content".into() });
            file.write(blob.size - 1, &[content[content.len() - 1] ^ 1]).unwrap();
            assert_eq!(stored.chunk(last, &mut chunk), None);
            assert_eq!(pages.take_trouble(), damaged);
            assert_eq!(stored.prove(last), None);
            assert_eq!(pages.take_trouble(), damaged);
            if !small {
                assert_eq!(stored.chunk(0, &mut chunk), Some(1024), "another group");
                // Its other groups are not read to show it.
                assert!(blob.verify(&stored.prove(5).unwrap()));
            }
            file.cut(blob.size - 1).unwrap();
            assert_eq!(stored.chunk(last, &mut chunk), None);
            assert_eq!(pages.take_trouble(), damaged);
            assert_eq!(pages.take_trouble(), None, "it is told once");
        }
    }

    #[test]
    fn groups_in_memory_are_bounded_and_those_read_last_stay() {
        const MOST: usize = 4 * (GROUP + 128);
        let content = content(10 * GROUP);
        let (blob, groups) = hashed(&content, GROUP);
        let pages = Pages::new(MOST);
        let file = file(&content, 0, &pages);
        let stored = Stored {
            file: Some(&file),
            offset: 0,
            blob,
            groups: &groups,
        };
        for number in 0..10 {
            assert!(stored.group(number).is_some());
            assert!(stored.group(0).is_some(), "it is used again and again");
            assert!(pages.bytes_held() <= MOST, "{}", pages.bytes_held());
        }
        // What is in memory needs no file any more.
        file.cut(0).unwrap();
        assert!(stored.group(0).is_some() && stored.group(9).is_some());
        assert!(stored.group(5).is_none());
        // Many small ones are counted, too.
        let small = Pages::new(10_000);
        let file = Paged::new(&small, "small".into(), tempfile::tempfile().unwrap());
        file.write(0, &[7; 1000]).unwrap();
        for at in 0..1000 {
            let group = file.group(at, 1, Expected::Whole(blob::hash(&[7])));
            assert!(group.is_some() && small.bytes_held() <= 10_000);
        }
    }
}
