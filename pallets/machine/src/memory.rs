//! What an instruction can reach: the image, the memory, and blobs.

use crate::{IMAGE_BASE, MEMORY_BASE, MEMORY_PAGES, PAGE_BYTES, Trap, instruction::Instruction};
use agora_jobs::{BlobRef, ChunkProof};

/// Gives the chunks of blobs that a program reads.
pub trait Chunks {
    /// Writes chunk `index` of `blob` to the beginning of `chunk`. The chunk exists by the blob's length, and whoever implements
    /// this has compared it with the blob's hash. `None`: it is not at hand.
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; PAGE_BYTES]) -> Option<()>;

    /// Shows chunk `index` of `blob` to others. `None`: the blob is not at hand as a whole.
    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof>;
}

/// Why an instruction was not executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nobody can execute it: the machine stops here.
    Trap(Trap),
    /// A chunk of a blob is not at hand: the machine has not moved, and can go on with another source.
    Missing {
        /// The blob.
        blob: BlobRef,
        /// The number of the chunk.
        chunk: u64,
    },
    /// A witness does not show a page or a chunk that the instruction touches.
    Unshown,
}

impl From<Trap> for Fault {
    fn from(trap: Trap) -> Self {
        Self::Trap(trap)
    }
}

/// What the instructions of a machine touch. Where an access is in neither image nor memory, or is misaligned, the machine traps
/// before anything is touched.
pub(crate) trait Memory {
    /// The instruction at `pc`.
    fn fetch(&mut self, pc: u64) -> Result<Instruction, Fault>;

    /// Loads `N` bytes, which lie in one page: accesses are aligned.
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], Fault>;

    /// Stores `N` bytes.
    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), Fault>;

    /// The page that begins at `address`, to be written to the output.
    fn page(&mut self, address: u64) -> Result<&[u8; PAGE_BYTES], Fault>;

    /// Is told what was appended to the output.
    fn keep(&mut self, written: &[u8]) {
        let _ = written;
    }

    /// Whether the run may read `blob`.
    fn may_read(&self, blob: &BlobRef) -> bool;

    /// Reads a chunk of `length` bytes to the page that begins at `address`, of which the rest stays as it was.
    fn read(&mut self, blob: &BlobRef, chunk: u64, length: usize, address: u64) -> Result<(), Fault>;

    /// Whether the segment ends with the instruction that was executed last.
    fn is_segment_full(&self) -> bool;
}

/// Where an access goes to: the page, and the first byte in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A chunk of the image.
    Image(u32, usize),
    /// A page of the memory.
    Memory(u32, usize),
}

/// Whether a run may read `blob` that may read `reads`, if it is bounded.
pub(crate) fn is_readable(reads: Option<&[BlobRef]>, blob: &BlobRef) -> bool {
    reads.is_none_or(|reads| reads.contains(blob))
}

/// Bytes of the memory.
const MEMORY_BYTES: u64 = (MEMORY_PAGES as u64).wrapping_mul(PAGE_BYTES as u64);

/// The number of a page, and the place in it. Offsets are below 2³².
pub(crate) const fn split(offset: u64) -> (u32, usize) {
    const INSIDE: u64 = PAGE_BYTES.wrapping_sub(1) as u64;
    ((offset >> PAGE_BYTES.ilog2()) as u32, (offset & INSIDE) as usize)
}

/// Where an access to `size` bytes, a power of two of at most a page, goes to.
pub(crate) fn place(address: u64, size: usize, image_size: u64) -> Result<Place, Trap> {
    let size = size as u64;
    if !address.is_multiple_of(size) {
        return Err(Trap::Misaligned);
    }
    let in_memory = address.wrapping_sub(MEMORY_BASE);
    if in_memory < MEMORY_BYTES {
        let (page, at) = split(in_memory);
        return Ok(Place::Memory(page, at));
    }
    let in_image = address.wrapping_sub(IMAGE_BASE);
    if in_image.checked_add(size).is_some_and(|end| end <= image_size) {
        let (chunk, at) = split(in_image);
        return Ok(Place::Image(chunk, at));
    }
    Err(Trap::OutsideMemory)
}

/// The page and the place in it of an access that writes.
pub(crate) fn place_in_memory(address: u64, size: usize, image_size: u64) -> Result<(u32, usize), Trap> {
    match place(address, size, image_size)? {
        Place::Memory(page, at) => Ok((page, at)),
        Place::Image(..) => Err(Trap::OutsideMemory),
    }
}

/// The chunk of the image in which an instruction's half of two bytes lies, and the place in it.
pub(crate) fn place_of_half(address: u64, image_size: u64) -> Result<(u32, usize), Trap> {
    let at = address.wrapping_sub(IMAGE_BASE);
    match at.checked_add(2) {
        Some(end) if end <= image_size => Ok(split(at)),
        _ => Err(Trap::OutsideImage),
    }
}
