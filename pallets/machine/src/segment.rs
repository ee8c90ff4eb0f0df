//! A segment of a run, executed from a state and the pages that it touches: what a chain does to decide who is right.

use crate::{
    MAX_IMAGE_BYTES, PAGE_BYTES, SEGMENT_CHUNKS, SEGMENT_GAS, SEGMENT_PAGES, State, Status, Trap,
    execute::Hart,
    instruction::Instruction,
    memory::{Fault, Memory, Place, is_readable, place, place_in_memory, place_of_half},
    tree,
};
use agora_jobs::{BlobRef, ChunkProof};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use primitive_types::H256;
use scale_info::TypeInfo;

/// The pages and chunks that a segment touches, and what shows that they are right.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, PartialEq, Eq, Debug, Default)]
pub struct Witness {
    /// The chunks of the image, in ascending order.
    pub image: Vec<ChunkProof>,
    /// The numbers and bytes of the pages of the memory, in ascending order, as they are before the segment.
    pub pages: Vec<(u32, [u8; PAGE_BYTES])>,
    /// The hashes beside the pages: see [`tree::root_of`].
    pub siblings: Vec<H256>,
    /// The chunks of blobs that are read, in the order of the reads.
    pub chunks: Vec<ChunkProof>,
}

/// Why a segment cannot be executed from a witness.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The state has ended: nothing follows.
    Ended,
    /// The image has no bytes, or more than [`MAX_IMAGE_BYTES`].
    Image,
    /// A chunk of the image is not what its proof says, or out of order.
    ImageChunk,
    /// The pages and what is beside them do not have the root of the state.
    Pages,
    /// Something is touched that is not shown, or shown wrongly.
    Unshown,
    /// Something is shown that is not touched.
    Untouched,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Ended => "the state has ended: nothing follows it",
            Self::Image => "the image is empty or too large",
            Self::ImageChunk => "a chunk of the image is not in it, or out of order",
            Self::Pages => "the pages do not have the root of the state's memory",
            Self::Unshown => "the segment touches what is not shown, or what is shown is wrong",
            Self::Untouched => "something is shown that the segment does not touch",
        })
    }
}

impl core::error::Error for Refused {}

/// Executes the segment that begins with `state`, and returns the state after it. A bounded run reads nothing but `reads`.
///
/// Everything is checked: whoever gives a false witness is refused, and changes nothing. Complexity: [`SEGMENT_GAS`] instructions, and
/// the hashes of the pages before and after.
pub fn execute_segment(
    image: &BlobRef,
    reads: Option<&[BlobRef]>,
    state: &State,
    witness: &Witness,
) -> Result<State, Refused> {
    if state.status != Status::Running {
        return Err(Refused::Ended);
    }
    if image.size == 0 || image.size > MAX_IMAGE_BYTES {
        return Err(Refused::Image);
    }
    let mut shown = Shown::new(image, reads, witness, &state.memory)?;
    let mut hart = Hart::of(state);
    hart.advance(&mut shown, SEGMENT_GAS.into())
        .map_err(|_| Refused::Unshown)?;
    if reads.is_some() {
        hart.charge_segment(state.gas);
    }
    let memory = shown.close(state.memory)?;
    Ok(hart.state(memory))
}

/// A chunk or page that a witness shows.
struct Page<'a> {
    number: u32,
    bytes: &'a [u8],
    /// The bytes as they are now, if they were changed.
    changed: Option<[u8; PAGE_BYTES]>,
    is_touched: bool,
}

/// Chunks or pages that a witness shows, ascending.
struct Pages<'a> {
    all: Vec<Page<'a>>,
    /// Which one was touched last: mostly it is the next one, too.
    last: usize,
}

/// The memory that a witness shows.
struct Shown<'a> {
    image_size: u64,
    reads: Option<&'a [BlobRef]>,
    image: Pages<'a>,
    pages: Pages<'a>,
    /// The numbers and hashes of the pages as they are before.
    hashes: Vec<(u32, H256)>,
    siblings: &'a [H256],
    chunks: core::slice::Iter<'a, ChunkProof>,
    touched: u32,
    chunks_read: u32,
}

impl<'a> Shown<'a> {
    /// Errors: those of a witness that is wrong by itself.
    fn new(image: &BlobRef, reads: Option<&'a [BlobRef]>, witness: &'a Witness, root: &H256) -> Result<Self, Refused> {
        let page = |number, bytes| Page {
            number,
            bytes,
            changed: None,
            is_touched: false,
        };
        let mut chunks = Vec::with_capacity(witness.image.len());
        for proof in &witness.image {
            let number = u32::try_from(proof.index).map_err(|_| Refused::ImageChunk)?;
            if chunks.last().is_some_and(|last: &Page<'_>| last.number >= number) || !image.verify(proof) {
                return Err(Refused::ImageChunk);
            }
            chunks.push(page(number, proof.chunk.as_slice()));
        }
        let ascending = witness.pages.is_sorted_by(|(one, _), (other, _)| one < other);
        if !ascending || witness.pages.is_empty() != witness.siblings.is_empty() {
            return Err(Refused::Pages);
        }
        let hash = |(number, bytes): &(u32, _)| (*number, tree::page_hash(bytes));
        let hashes: Vec<_> = witness.pages.iter().map(hash).collect();
        if !hashes.is_empty() && tree::root_of(&hashes, &witness.siblings) != Some(*root) {
            return Err(Refused::Pages);
        }
        Ok(Self {
            image_size: image.size,
            reads,
            image: Pages { all: chunks, last: 0 },
            pages: Pages {
                all: witness
                    .pages
                    .iter()
                    .map(|(number, bytes)| page(*number, bytes.as_slice()))
                    .collect(),
                last: 0,
            },
            hashes,
            siblings: &witness.siblings,
            chunks: witness.chunks.iter(),
            touched: 0,
            chunks_read: 0,
        })
    }

    /// The root after the segment; `before` if no page was shown.
    ///
    /// Errors: `Untouched`.
    fn close(mut self, before: H256) -> Result<H256, Refused> {
        let untouched = |pages: &[Page<'_>]| pages.iter().any(|page| !page.is_touched);
        if untouched(&self.image.all) || untouched(&self.pages.all) || self.chunks.next().is_some() {
            return Err(Refused::Untouched);
        }
        for ((_, hash), page) in self.hashes.iter_mut().zip(&self.pages.all) {
            if let Some(bytes) = &page.changed {
                *hash = tree::page_hash(bytes);
            }
        }
        Ok(tree::root_of(&self.hashes, self.siblings).unwrap_or(before))
    }
}

impl<'a> Pages<'a> {
    /// The page of this number, which is touched now.
    #[inline(always)]
    fn touch(&mut self, number: u32, touched: &mut u32) -> Result<&mut Page<'a>, Fault> {
        if self.all.get(self.last).is_none_or(|page| page.number != number) {
            let found = self.all.binary_search_by_key(&number, |page| page.number);
            self.last = found.map_err(|_| Fault::Unshown)?;
        }
        let page = self.all.get_mut(self.last).ok_or(Fault::Unshown)?;
        if !page.is_touched {
            page.is_touched = true;
            *touched = touched.saturating_add(1);
        }
        Ok(page)
    }
}

impl Page<'_> {
    fn now(&self) -> &[u8] {
        self.changed.as_ref().map_or(self.bytes, |bytes| bytes)
    }

    /// The bytes, to be changed.
    fn bytes_mut(&mut self) -> Result<&mut [u8; PAGE_BYTES], Fault> {
        if self.changed.is_none() {
            self.changed = Some(*self.bytes.first_chunk().ok_or(Fault::Unshown)?);
        }
        self.changed.as_mut().ok_or(Fault::Unshown)
    }
}

impl Shown<'_> {
    /// Two bytes of an instruction.
    fn half(&mut self, address: u64) -> Result<u16, Fault> {
        let (chunk, at) = place_of_half(address, self.image_size)?;
        let page = self.image.touch(chunk, &mut self.touched)?;
        // A chunk's length follows from the image's, and places are even.
        let bytes = page.bytes.get(at..).and_then(|bytes| bytes.first_chunk());
        Ok(u16::from_le_bytes(*bytes.ok_or(Fault::Unshown)?))
    }

    fn touch_place(&mut self, place: Place) -> Result<(&[u8], usize), Fault> {
        Ok(match place {
            Place::Image(chunk, at) => (self.image.touch(chunk, &mut self.touched)?.bytes, at),
            Place::Memory(page, at) => (self.pages.touch(page, &mut self.touched)?.now(), at),
        })
    }
}

impl Memory for Shown<'_> {
    fn fetch(&mut self, pc: u64) -> Result<Instruction, Fault> {
        let first = self.half(pc)?;
        let instruction = Instruction::read(first, || self.half(pc.wrapping_add(2)))?;
        instruction.ok_or(Fault::Trap(Trap::Illegal))
    }

    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], Fault> {
        let place = place(address, N, self.image_size)?;
        let (bytes, at) = self.touch_place(place)?;
        bytes
            .get(at..)
            .and_then(|bytes| bytes.first_chunk())
            .copied()
            .ok_or(Fault::Unshown)
    }

    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), Fault> {
        let (page, at) = place_in_memory(address, N, self.image_size)?;
        let page = self.pages.touch(page, &mut self.touched)?.bytes_mut()?;
        let place = page.get_mut(at..).and_then(|page| page.first_chunk_mut());
        *place.ok_or(Fault::Unshown)? = bytes;
        Ok(())
    }

    fn page(&mut self, address: u64) -> Result<&[u8; PAGE_BYTES], Fault> {
        let place = place(address, PAGE_BYTES, self.image_size)?;
        self.touch_place(place)?.0.first_chunk().ok_or(Fault::Unshown)
    }

    fn may_read(&self, blob: &BlobRef) -> bool {
        is_readable(self.reads, blob)
    }

    fn read(&mut self, blob: &BlobRef, chunk: u64, length: usize, address: u64) -> Result<(), Fault> {
        let (page, _) = place_in_memory(address, PAGE_BYTES, self.image_size)?;
        let page = self.pages.touch(page, &mut self.touched)?.bytes_mut()?;
        let proof = self.chunks.next().ok_or(Fault::Unshown)?;
        if proof.index != chunk || !blob.verify(proof) {
            return Err(Fault::Unshown);
        }
        let (Some(place), Some(bytes)) = (page.get_mut(..length), proof.chunk.get(..length)) else {
            return Err(Fault::Unshown);
        };
        place.copy_from_slice(bytes);
        self.chunks_read = self.chunks_read.saturating_add(1);
        Ok(())
    }

    fn is_segment_full(&self) -> bool {
        is_full(self.touched, self.chunks_read)
    }
}

/// Whether a segment ends that touched so many pages and read so many chunks.
pub(crate) const fn is_full(touched: u32, chunks_read: u32) -> bool {
    touched >= SEGMENT_PAGES || chunks_read >= SEGMENT_CHUNKS
}
