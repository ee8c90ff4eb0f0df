//! A bounded run whose memory lies with its caller, who may execute stretches of it by faster means.
//!
//! What is executed elsewhere is not looked at here: it must be what the page of the machine says, and may neither end a segment
//! nor the run. All that is rare and hard to get right (traps, calls, ends of segments and their fees, the last of the gas) so
//! remains with the one function that executes instructions for everybody.

use super::{MEMORY_MARKS, Program, RunError, decode, missing};
use crate::{
    MEMORY_PAGES, PAGE_BYTES, SEGMENT_GAS, SEGMENT_PAGES, Status, Trap,
    execute::Hart,
    instruction::Instruction,
    memory::{Chunks, Fault, Memory, Place, is_readable, place, place_in_memory, place_of_half, split},
    segment::is_full,
};
use agora_jobs::BlobRef;
use alloc::{sync::Arc, vec::Vec};

/// An image, decoded once for any number of runs.
pub struct Code {
    image: Arc<[u8]>,
    instructions: Vec<Option<Instruction>>,
}

impl Code {
    /// `image`, decoded.
    ///
    /// Errors: `Image`. Complexity: O(n) in its length.
    pub fn new(image: Arc<[u8]>) -> Result<Self, RunError> {
        let instructions = decode(&image)?;
        Ok(Self { image, instructions })
    }

    /// The image.
    pub const fn image(&self) -> &Arc<[u8]> {
        &self.image
    }

    /// The instruction that begins `at` bytes into the image, an even number. `None`: there is none that can be executed.
    pub fn instruction(&self, at: usize) -> Option<Instruction> {
        *self.instructions.get(at / 2)?
    }
}

/// The memory of a [`Stepper`]: all zeroes at the start of a run, and the same at each call.
pub struct Arena<'m> {
    /// The machine's memory: [`Self::MEMORY_BYTES`].
    pub memory: &'m mut [u8],
    /// For each page of the memory, then for each possible chunk of the image, the number of the segment in which it was touched
    /// last, a u32, little endian: [`Self::STAMP_BYTES`].
    pub stamps: &'m mut [u8],
}

impl Arena<'_> {
    /// Bytes of the memory.
    pub const MEMORY_BYTES: usize = (MEMORY_PAGES as usize).saturating_mul(PAGE_BYTES);
    /// Bytes of all stamps.
    pub const STAMP_BYTES: usize = (MEMORY_PAGES.saturating_add(MEMORY_MARKS) as usize).saturating_mul(4);

    /// Marks a page, and returns whether it is new in this segment.
    #[inline(always)]
    fn touch(&mut self, page: u32, segment: u32) -> bool {
        let at = (page as usize).saturating_mul(4);
        let stamp: Option<&mut [u8; 4]> = self.stamps.get_mut(at..).and_then(|stamps| stamps.first_chunk_mut());
        match stamp {
            Some(stamp) if u32::from_le_bytes(*stamp) != segment => {
                *stamp = segment.to_le_bytes();
                true
            }
            _ => false,
        }
    }

    /// Whether a page was touched in this segment.
    fn is_touched(&self, page: u32, segment: u32) -> bool {
        let at = (page as usize).saturating_mul(4);
        let stamp = self.stamps.get(at..).and_then(|stamps| stamps.first_chunk());
        stamp.is_some_and(|stamp| u32::from_le_bytes(*stamp) == segment)
    }
}

/// A segment that is under way.
struct Segment {
    /// From 1.
    number: u32,
    /// The gas with which it began.
    before: u64,
    touched: u32,
    read: u32,
    /// The chunk of the image that was touched last.
    last_image: Option<u32>,
}

impl Segment {
    /// Begins the next. There are fewer than 2³²: each costs thousands of gas.
    fn next(&mut self, before: u64) {
        *self = Self {
            number: self.number.wrapping_add(1),
            before,
            touched: 0,
            read: 0,
            last_image: None,
        };
    }
}

/// A bounded run, of which the caller may execute stretches.
pub struct Stepper<'a> {
    hart: Hart,
    gas: u64,
    segment: Segment,
    code: &'a Code,
    chunks: &'a dyn Chunks,
    reads: &'a [BlobRef],
    written: Vec<u8>,
}

impl<'a> Stepper<'a> {
    /// The run of `code` before its first instruction; it may read `reads`, from `chunks`.
    ///
    /// Errors: `Gas`.
    pub fn new(
        code: &'a Code,
        input: BlobRef,
        gas: u64,
        reads: &'a [BlobRef],
        chunks: &'a dyn Chunks,
    ) -> Result<Self, RunError> {
        let program = Program {
            image: &code.image,
            input,
            gas,
            reads: Some(reads),
        };
        Ok(Self {
            hart: program.start()?,
            gas,
            segment: Segment {
                number: 1,
                before: gas,
                touched: 0,
                read: 0,
                last_image: None,
            },
            code,
            chunks,
            reads,
            written: Vec::new(),
        })
    }

    /// Executes up to `count` instructions, but stops before one at whose address `stop` says so. It is asked before each, the first too.
    ///
    /// Errors: `Missing`.
    #[inline]
    pub fn advance(
        &mut self,
        arena: Arena<'_>,
        count: u64,
        mut stop: impl FnMut(u64) -> bool,
    ) -> Result<Status, RunError> {
        let mut view = View {
            code: self.code,
            arena,
            segment: &mut self.segment,
            chunks: self.chunks,
            reads: self.reads,
            written: &mut self.written,
        };
        let mut count = count;
        while count > 0 && self.hart.status == Status::Running {
            let gas = self.hart.gas;
            let left = u64::from(SEGMENT_GAS).saturating_sub(view.segment.before.saturating_sub(gas));
            let stopped = self
                .hart
                .advance_until(&mut view, count.min(left), &mut stop)
                .map_err(missing)?;
            let executed = gas.saturating_sub(self.hart.gas);
            count = count.saturating_sub(executed);
            if executed == left || view.is_segment_full() {
                self.hart.charge_segment(view.segment.before);
                view.segment.next(self.hart.gas);
            }
            if stopped {
                break;
            }
        }
        Ok(self.hart.status)
    }

    /// Whether it goes on.
    pub const fn status(&self) -> Status {
        self.hart.status
    }

    /// The address of the next instruction.
    pub const fn pc(&self) -> u64 {
        self.hart.pc()
    }

    /// All registers; the first is zero.
    pub const fn registers(&self) -> &[u64; 32] {
        self.hart.registers()
    }

    /// How much gas was used: instructions and fees.
    pub const fn gas_used(&self) -> u64 {
        self.gas.saturating_sub(self.hart.gas)
    }

    /// What was written so far.
    pub fn output(&self) -> &[u8] {
        &self.written
    }

    /// The number of the segment, which [`Arena::stamps`] have.
    pub const fn segment(&self) -> u32 {
        self.segment.number
    }

    /// How many pages the segment has touched.
    pub const fn touched(&self) -> u32 {
        self.segment.touched
    }

    /// How many pages a caller may let the segment touch.
    pub const MOST_TOUCHED: u32 = SEGMENT_PAGES.saturating_sub(1);

    /// How many instructions a caller may execute: neither the segment nor the run ends with them.
    pub fn room(&self) -> u64 {
        let used = self.segment.before.saturating_sub(self.hart.gas);
        let left = u64::from(SEGMENT_GAS).saturating_sub(used);
        left.min(self.hart.gas).saturating_sub(1)
    }

    /// Touches the first half of the next instruction, which must then be executed next, by whomever. Returns whether it is
    /// touched: that is left to [`Self::advance`] where the segment would end.
    pub fn touch_next(&mut self, arena: &mut Arena<'_>) -> bool {
        let Ok((chunk, _)) = place_of_half(self.hart.pc(), self.code.image.len() as u64) else {
            return false;
        };
        let page = MEMORY_PAGES.saturating_add(chunk);
        if arena.is_touched(page, self.segment.number) {
            return true;
        }
        if self.segment.touched >= Self::MOST_TOUCHED {
            return false;
        }
        if arena.touch(page, self.segment.number) {
            self.segment.touched = self.segment.touched.saturating_add(1);
        }
        true
    }

    /// Takes over what the caller has executed: `executed` instructions, at most [`Self::room`], after which these are the next
    /// address and the registers, and the segment has touched `touched` pages, at most [`Self::MOST_TOUCHED`].
    pub fn take_over(&mut self, executed: u64, pc: u64, registers: &[u64; 32], touched: u32) {
        self.hart.take_over(executed, pc, registers);
        self.segment.touched = touched;
    }
}

/// What instructions reach while the arena is lent.
struct View<'s, 'm, 'a> {
    code: &'a Code,
    arena: Arena<'m>,
    segment: &'s mut Segment,
    chunks: &'a dyn Chunks,
    reads: &'a [BlobRef],
    written: &'s mut Vec<u8>,
}

impl View<'_, '_, '_> {
    fn image_size(&self) -> u64 {
        self.code.image.len() as u64
    }

    #[inline(always)]
    fn touch(&mut self, page: u32) {
        if self.arena.touch(page, self.segment.number) {
            self.segment.touched = self.segment.touched.saturating_add(1);
        }
    }

    #[inline(always)]
    fn touch_image(&mut self, chunk: u32) {
        // Most instructions are in the chunk of the one before.
        if self.segment.last_image != Some(chunk) {
            self.segment.last_image = Some(chunk);
            self.touch(MEMORY_PAGES.saturating_add(chunk));
        }
    }

    /// The bytes of an access.
    #[inline(always)]
    fn access(&mut self, address: u64, size: usize) -> Result<&[u8], Fault> {
        let (page, at, in_memory) = match place(address, size, self.image_size())? {
            Place::Memory(page, at) => {
                self.touch(page);
                (page, at, true)
            }
            Place::Image(chunk, at) => {
                self.touch_image(chunk);
                (chunk, at, false)
            }
        };
        let bytes: &[u8] = if in_memory { self.arena.memory } else { &self.code.image };
        let from = (page as usize).saturating_mul(PAGE_BYTES).saturating_add(at);
        bytes.get(from..).ok_or(Fault::Unshown)
    }

    #[inline(always)]
    fn access_to_write(&mut self, address: u64, size: usize) -> Result<&mut [u8], Fault> {
        let (page, at) = place_in_memory(address, size, self.image_size())?;
        self.touch(page);
        let from = (page as usize).saturating_mul(PAGE_BYTES).saturating_add(at);
        self.arena.memory.get_mut(from..).ok_or(Fault::Unshown)
    }

    /// Touches two bytes of an instruction, and reads them.
    fn half(&mut self, address: u64) -> Result<u16, Fault> {
        let (chunk, at) = place_of_half(address, self.image_size())?;
        self.touch_image(chunk);
        let from = (chunk as usize).saturating_mul(PAGE_BYTES).saturating_add(at);
        let bytes = self.code.image.get(from..).and_then(|bytes| bytes.first_chunk());
        Ok(u16::from_le_bytes(*bytes.ok_or(Fault::Unshown)?))
    }

    /// Why there is no instruction at `pc`. Touches what shows it.
    #[cold]
    fn refuse(&mut self, pc: u64) -> Fault {
        let first = self.half(pc);
        let read = first.and_then(|first| Instruction::read(first, || self.half(pc.wrapping_add(2))));
        read.err().unwrap_or(Fault::Trap(Trap::Illegal))
    }
}

impl Memory for View<'_, '_, '_> {
    #[inline(always)]
    fn fetch(&mut self, pc: u64) -> Result<Instruction, Fault> {
        let at = pc.wrapping_sub(crate::IMAGE_BASE);
        let instruction = usize::try_from(at).ok().and_then(|at| self.code.instruction(at));
        let Some(instruction) = instruction else {
            return Err(self.refuse(pc));
        };
        let (chunk, inside) = split(at);
        self.touch_image(chunk);
        if inside.saturating_add(instruction.length.into()) > PAGE_BYTES {
            self.touch_image(chunk.saturating_add(1));
        }
        Ok(instruction)
    }

    #[inline(always)]
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], Fault> {
        self.access(address, N)?.first_chunk().copied().ok_or(Fault::Unshown)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), Fault> {
        *self
            .access_to_write(address, N)?
            .first_chunk_mut()
            .ok_or(Fault::Unshown)? = bytes;
        Ok(())
    }

    fn page(&mut self, address: u64) -> Result<&[u8; PAGE_BYTES], Fault> {
        self.access(address, PAGE_BYTES)?.first_chunk().ok_or(Fault::Unshown)
    }

    fn keep(&mut self, written: &[u8]) {
        self.written.extend_from_slice(written);
    }

    fn may_read(&self, blob: &BlobRef) -> bool {
        is_readable(Some(self.reads), blob)
    }

    fn read(&mut self, blob: &BlobRef, chunk: u64, length: usize, address: u64) -> Result<(), Fault> {
        let mut bytes = [0; PAGE_BYTES];
        // Before the page is touched: the machine does not move if the chunk is missing.
        place_in_memory(address, PAGE_BYTES, self.image_size())?;
        self.chunks
            .chunk(blob, chunk, &mut bytes)
            .ok_or(Fault::Missing { blob: *blob, chunk })?;
        let place = self.access_to_write(address, PAGE_BYTES)?;
        for (place, byte) in place.iter_mut().zip(bytes).take(length) {
            *place = byte;
        }
        self.segment.read = self.segment.read.saturating_add(1);
        Ok(())
    }

    #[inline(always)]
    fn is_segment_full(&self) -> bool {
        is_full(self.segment.touched, self.segment.read)
    }
}
