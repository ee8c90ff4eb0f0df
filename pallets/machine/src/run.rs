//! Running a program off the chain, with its whole memory: fast, or with a record that shows every segment.

mod checkpoints;
mod ram;
mod stepper;

pub use checkpoints::{Checkpoints, trace_with_checkpoints};
pub use stepper::{Arena, Code, Stepper};

use crate::{
    IMAGE_BASE, MAX_GAS, MAX_IMAGE_BYTES, MEMORY_BASE, MEMORY_PAGES, PAGE_BYTES, SEGMENT_GAS, State, Status, Trap,
    Witness,
    execute::Hart,
    instruction::Instruction,
    memory::{Chunks, Fault, Memory, Place, is_readable, place, place_in_memory, place_of_half, split},
    segment::is_full,
    tree::{self, Tree},
};
use agora_jobs::{BlobRef, ChunkProof};
use alloc::{vec, vec::Vec};
use primitive_types::H256;
use ram::{Ram, Sparse};

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The image; 1 byte to [`MAX_IMAGE_BYTES`].
    pub image: &'a [u8],
    /// The input that the program is started with.
    pub input: BlobRef,
    /// The most instructions, and in a bounded run fees; at most [`MAX_GAS`].
    pub gas: u64,
    /// Makes the run *bounded*, as that of a program must be that is not trusted: it reads nothing but these, and a segment costs at
    /// least [`MIN_SEGMENT_GAS`](crate::MIN_SEGMENT_GAS).
    pub reads: Option<&'a [BlobRef]>,
}

impl Program<'_> {
    /// It before its first instruction.
    fn start(&self) -> Result<Hart, RunError> {
        if self.gas > MAX_GAS {
            return Err(RunError::Gas);
        }
        Ok(Hart::of(&State::start(&self.input, self.gas)))
    }
}

/// Why a program cannot be run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunError {
    /// The image has no bytes, or more than [`MAX_IMAGE_BYTES`].
    Image,
    /// The gas is above [`MAX_GAS`]: the run could have more segments than a [`RunTree`](crate::run_tree::RunTree) has leaves.
    Gas,
    /// A chunk of a blob is not at hand. The machine has not moved, and can go on.
    Missing {
        /// The blob.
        blob: BlobRef,
        /// The number of the chunk.
        chunk: u64,
    },
    /// The run has no segment of this number.
    NoSegment,
}

impl core::fmt::Display for RunError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Image => write!(f, "an image has between 1 and {MAX_IMAGE_BYTES} bytes"),
            Self::Gas => write!(f, "a run has at most {MAX_GAS} instructions"),
            Self::Missing { blob, chunk } => write!(f, "chunk {chunk} of blob {:?} is not at hand", blob.hash),
            Self::NoSegment => f.write_str("the run has no segment of this number"),
        }
    }
}

impl core::error::Error for RunError {}

/// A program that runs, with its whole memory.
pub struct Machine<'a> {
    hart: Hart,
    gas: u64,
    memory: Whole<'a>,
}

/// The memory of a [`Machine`].
enum Whole<'a> {
    /// Nothing is noted.
    Plain(Flat<'a, false>),
    /// Of a bounded run: what a segment touches says when it ends, and so what it costs.
    Bounded {
        memory: Flat<'a, true>,
        /// The gas with which the segment began.
        before: u64,
    },
}

impl<'a> Machine<'a> {
    /// `program` before its first instruction; it reads from `chunks`.
    ///
    /// Errors: `Image`, `Gas`. Complexity: the image is decoded at once.
    pub fn new(program: &Program<'a>, chunks: &'a dyn Chunks) -> Result<Self, RunError> {
        let memory = match program.reads {
            None => Whole::Plain(Flat::new(program, chunks)?),
            Some(_) => {
                let mut memory = Flat::new(program, chunks)?;
                memory.marks.begin(false);
                Whole::Bounded {
                    memory,
                    before: program.gas,
                }
            }
        };
        Ok(Self {
            hart: program.start()?,
            gas: program.gas,
            memory,
        })
    }

    /// Executes up to `count` instructions, and returns how the machine is then.
    ///
    /// Errors: `Missing`.
    pub fn advance(&mut self, count: u64) -> Result<Status, RunError> {
        match &mut self.memory {
            Whole::Plain(memory) => self.hart.advance(memory, count).map_err(missing)?,
            Whole::Bounded { memory, before } => advance_bounded(&mut self.hart, memory, before, count)?,
        }
        Ok(self.hart.status)
    }

    /// How much gas was used: how many instructions were executed, and in a bounded run the fees.
    pub const fn gas_used(&self) -> u64 {
        self.gas.saturating_sub(self.hart.gas)
    }

    /// Register `number`, for whoever looks into a program: 0 to 31, of which the first is zero.
    pub fn register(&self, number: u8) -> u64 {
        self.hart.get(number)
    }

    /// `length` bytes from `address` on, of the image or of the memory. `None`: they are not all there.
    pub fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        match &self.memory {
            Whole::Plain(memory) => memory.bytes(address, length),
            Whole::Bounded { memory, .. } => memory.bytes(address, length),
        }
    }

    /// What was written so far.
    pub fn output(&self) -> &[u8] {
        match &self.memory {
            Whole::Plain(memory) => &memory.written,
            Whole::Bounded { memory, .. } => &memory.written,
        }
    }
}

/// Executes up to `count` instructions of a bounded run, in a segment that began with `before` gas.
///
/// Errors: `Missing`.
fn advance_bounded<R: Ram>(
    hart: &mut Hart,
    memory: &mut Flat<'_, true, R>,
    before: &mut u64,
    count: u64,
) -> Result<(), RunError> {
    let mut count = count;
    while count > 0 && hart.status == Status::Running {
        let gas = hart.gas;
        let left = u64::from(SEGMENT_GAS).saturating_sub(before.saturating_sub(gas));
        hart.advance(memory, count.min(left)).map_err(missing)?;
        let executed = gas.saturating_sub(hart.gas);
        count = count.saturating_sub(executed);
        if executed == left || memory.is_segment_full() {
            hart.charge_segment(*before);
            *before = hart.gas;
            memory.marks.begin(false);
        }
    }
    Ok(())
}

/// Runs `program` to its end, bounded, with memory for the pages alone that it writes to: for a chain. Returns how it ended, and what it wrote.
/// A program that names nothing to read may read nothing.
///
/// Errors: `Image`, `Gas`, `Missing`. Complexity: the image is decoded at once; about 2 MiB for the marks of pages, and 28 KiB at most for
/// each [`MIN_SEGMENT_GAS`](crate::MIN_SEGMENT_GAS) of gas.
pub fn run_bounded(program: &Program<'_>, chunks: &dyn Chunks) -> Result<(Status, Vec<u8>), RunError> {
    let bounded = Program {
        reads: Some(program.reads.unwrap_or_default()),
        ..*program
    };
    let mut hart = bounded.start()?;
    let mut memory = Flat::<true, Sparse>::new(&bounded, chunks)?;
    memory.marks.begin(false);
    let mut before = bounded.gas;
    // It has less gas than that.
    advance_bounded(&mut hart, &mut memory, &mut before, u64::MAX)?;
    Ok((hart.status, memory.written))
}

/// What an instruction lacks that was not executed. Traps are states, and the whole memory is at hand.
fn missing(fault: Fault) -> RunError {
    match fault {
        Fault::Missing { blob, chunk } => RunError::Missing { blob, chunk },
        Fault::Trap(_) | Fault::Unshown => RunError::NoSegment,
    }
}

/// A run, segment by segment.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The hashes of the states after each segment; at least one.
    pub states: Vec<H256>,
    /// The last state.
    pub end: State,
    /// What was written.
    pub output: Vec<u8>,
}

/// Runs `program` to its end, and records every segment.
///
/// Errors: `Image`, `Gas`, `Missing`.
pub fn trace(program: &Program<'_>, chunks: &dyn Chunks) -> Result<Trace, RunError> {
    let mut tracer = Tracer::new(program, chunks)?;
    let mut states = Vec::new();
    loop {
        let end = tracer.segment()?;
        states.push(end.hash());
        if end.status != Status::Running {
            return Ok(Trace {
                states,
                end,
                output: tracer.memory.written,
            });
        }
    }
}

/// The state before segment `number` of the run of `program`, and the witness with which it can be executed.
///
/// Errors: `Image`, `Gas`, `Missing`, and `NoSegment` if the run ends before. Complexity: runs the program again up to there.
pub fn show_segment(program: &Program<'_>, chunks: &dyn Chunks, number: u64) -> Result<(State, Witness), RunError> {
    show_after(Tracer::new(program, chunks)?, number)
}

/// The state after so many more segments, and the witness of the next.
fn show_after(mut tracer: Tracer<'_>, segments: u64) -> Result<(State, Witness), RunError> {
    for _ in 0..segments {
        if tracer.segment()?.status != Status::Running {
            return Err(RunError::NoSegment);
        }
    }
    let before = tracer.state();
    if before.status != Status::Running {
        return Err(RunError::NoSegment);
    }
    Ok((before, tracer.show()?))
}

/// A machine that runs segment by segment.
struct Tracer<'a> {
    hart: Hart,
    is_bounded: bool,
    memory: Flat<'a, true>,
    tree: Tree,
}

impl<'a> Tracer<'a> {
    fn new(program: &Program<'a>, chunks: &'a dyn Chunks) -> Result<Self, RunError> {
        Ok(Self {
            hart: program.start()?,
            is_bounded: program.reads.is_some(),
            memory: Flat::new(program, chunks)?,
            tree: Tree::new(),
        })
    }

    fn state(&self) -> State {
        self.hart.state(self.tree.root())
    }

    /// Executes a segment, and returns the state after it.
    fn segment(&mut self) -> Result<State, RunError> {
        self.memory.marks.begin(false);
        let before = self.hart.gas;
        self.hart
            .advance(&mut self.memory, SEGMENT_GAS.into())
            .map_err(missing)?;
        if self.is_bounded {
            self.hart.charge_segment(before);
        }
        let hash = |page| Some((page, tree::page_hash(self.memory.page_bytes(page)?)));
        let changed: Vec<_> = self.memory.marks.pages().into_iter().filter_map(hash).collect();
        self.tree.change(&changed);
        Ok(self.state())
    }

    /// The witness of the segment that comes next.
    fn show(mut self) -> Result<Witness, RunError> {
        self.memory.marks.begin(true);
        self.hart
            .advance(&mut self.memory, SEGMENT_GAS.into())
            .map_err(missing)?;
        let memory = self.memory;
        let prove = |&(blob, chunk): &(BlobRef, u64)| {
            let proof = memory.chunks.prove(&blob, chunk);
            proof.ok_or(RunError::Missing { blob, chunk })
        };
        let numbers = memory.marks.pages();
        let mut pages = memory.marks.before.clone();
        pages.sort_unstable_by_key(|(number, _)| *number);
        Ok(Witness {
            image: memory
                .marks
                .image_chunks()
                .into_iter()
                .filter_map(|chunk| ChunkProof::new(memory.image, chunk.into()))
                .collect(),
            pages,
            siblings: match numbers.is_empty() {
                true => Vec::new(),
                false => self.tree.siblings(&numbers),
            },
            chunks: memory.marks.read.iter().map(prove).collect::<Result<_, _>>()?,
        })
    }
}

/// What a segment has touched. Pages are numbered together: first the chunks of the image, then the pages of the memory.
struct Marks {
    /// The segment in which each page was touched last.
    touched_in: Vec<u32>,
    segment: u32,
    touched: Vec<u32>,
    /// The chunk of the image that was touched last in this segment.
    last_image: Option<u32>,
    /// Whether the pages of the memory are kept as they were before they were touched.
    keep: bool,
    before: Vec<(u32, [u8; PAGE_BYTES])>,
    read: Vec<(BlobRef, u64)>,
}

/// The number of the first page of the memory among those of [`Marks`].
const MEMORY_MARKS: u32 = (MAX_IMAGE_BYTES / PAGE_BYTES as u64) as u32;

impl Marks {
    /// Marks of nothing; they take memory only if something is `traced`.
    fn new(traced: bool) -> Self {
        let pages = if traced {
            MEMORY_MARKS.saturating_add(MEMORY_PAGES)
        } else {
            0
        };
        Self {
            touched_in: vec![0; pages as usize],
            segment: 0,
            touched: Vec::new(),
            last_image: None,
            keep: false,
            before: Vec::new(),
            read: Vec::new(),
        }
    }

    /// Begins a segment. At most 2³² of them: each has an instruction, and so gas.
    fn begin(&mut self, keep: bool) {
        self.segment = self.segment.wrapping_add(1);
        self.touched.clear();
        self.last_image = None;
        self.read.clear();
        self.keep = keep;
    }

    /// Marks a page, and returns whether it is new in this segment.
    fn touch(&mut self, page: u32) -> bool {
        match self.touched_in.get_mut(page as usize) {
            Some(last) if *last != self.segment => {
                *last = self.segment;
                self.touched.push(page);
                true
            }
            _ => false,
        }
    }

    /// The pages of the memory, in ascending order.
    fn pages(&self) -> Vec<u32> {
        let mut pages: Vec<u32> = self
            .touched
            .iter()
            .filter_map(|page| page.checked_sub(MEMORY_MARKS))
            .collect();
        pages.sort_unstable();
        pages
    }

    /// The chunks of the image, in ascending order.
    fn image_chunks(&self) -> Vec<u32> {
        let mut chunks: Vec<u32> = self
            .touched
            .iter()
            .copied()
            .filter(|page| *page < MEMORY_MARKS)
            .collect();
        chunks.sort_unstable();
        chunks
    }
}

/// The instruction that begins at each second byte of `image`. `None`: there is none that can be executed.
///
/// Errors: `Image`.
fn decode(image: &[u8]) -> Result<Vec<Option<Instruction>>, RunError> {
    if image.is_empty() || image.len() as u64 > MAX_IMAGE_BYTES {
        return Err(RunError::Image);
    }
    let half = |at: usize| {
        let bytes = image.get(at..)?.first_chunk()?;
        Some(u16::from_le_bytes(*bytes))
    };
    let decode = |at: usize| {
        let second = || at.checked_add(2).and_then(half).ok_or(());
        Instruction::read(half(at)?, second).ok()?
    };
    Ok((0..image.len()).step_by(2).map(decode).collect())
}

/// The whole memory, and the whole image, decoded.
struct Flat<'a, const TRACED: bool, R = Vec<u8>> {
    image: &'a [u8],
    /// What [`decode`] says.
    instructions: Vec<Option<Instruction>>,
    memory: R,
    chunks: &'a dyn Chunks,
    reads: Option<&'a [BlobRef]>,
    written: Vec<u8>,
    marks: Marks,
}

impl<const TRACED: bool> Flat<'_, TRACED> {
    /// `length` bytes from `address` on, touching nothing. `None`: they are not all in the image, nor all in the memory.
    fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        let places = [(IMAGE_BASE, self.image), (MEMORY_BASE, self.memory.as_slice())];
        places.into_iter().find_map(|(base, bytes)| {
            let from = usize::try_from(address.checked_sub(base)?).ok()?;
            bytes.get(from..from.checked_add(length)?)
        })
    }
}

impl<'a, const TRACED: bool, R: Ram> Flat<'a, TRACED, R> {
    fn new(program: &Program<'a>, chunks: &'a dyn Chunks) -> Result<Self, RunError> {
        let image = program.image;
        Ok(Self {
            image,
            instructions: decode(image)?,
            memory: R::zeroed(),
            chunks,
            reads: program.reads,
            written: Vec::new(),
            marks: Marks::new(TRACED),
        })
    }

    fn image_size(&self) -> u64 {
        self.image.len() as u64
    }

    fn page_bytes(&self, page: u32) -> Option<&[u8; PAGE_BYTES]> {
        self.memory.after(page, 0)?.first_chunk()
    }

    fn set_page(&mut self, page: u32, bytes: &[u8; PAGE_BYTES]) {
        let place = self.memory.after_mut(page, 0);
        if let Some(place) = place.and_then(|memory| memory.first_chunk_mut()) {
            *place = *bytes;
        }
    }

    #[inline(always)]
    fn touch_image(&mut self, chunk: u32) {
        // Most instructions are in the chunk of the one before.
        if TRACED && self.marks.last_image != Some(chunk) {
            self.marks.last_image = Some(chunk);
            self.marks.touch(chunk);
        }
    }

    #[inline(always)]
    fn touch_memory(&mut self, page: u32) {
        if TRACED && self.marks.touch(MEMORY_MARKS.saturating_add(page)) && self.marks.keep {
            let bytes = self.page_bytes(page).copied();
            self.marks.before.extend(bytes.map(|bytes| (page, bytes)));
        }
    }

    /// The bytes of an access.
    #[inline(always)]
    fn access(&mut self, address: u64, size: usize) -> Result<&[u8], Fault> {
        let place = place(address, size, self.image_size())?;
        let bytes = match place {
            Place::Memory(page, at) => {
                self.touch_memory(page);
                self.memory.after(page, at)
            }
            Place::Image(chunk, at) => {
                self.touch_image(chunk);
                self.image
                    .get((chunk as usize).saturating_mul(PAGE_BYTES).saturating_add(at)..)
            }
        };
        bytes.ok_or(Fault::Unshown)
    }

    #[inline(always)]
    fn access_to_write(&mut self, address: u64, size: usize) -> Result<&mut [u8], Fault> {
        let (page, at) = place_in_memory(address, size, self.image_size())?;
        self.touch_memory(page);
        self.memory.after_mut(page, at).ok_or(Fault::Unshown)
    }

    /// Touches two bytes of an instruction, and reads them.
    fn half(&mut self, address: u64) -> Result<u16, Fault> {
        let (chunk, at) = place_of_half(address, self.image_size())?;
        self.touch_image(chunk);
        let from = (chunk as usize).saturating_mul(PAGE_BYTES).saturating_add(at);
        let bytes = self.image.get(from..).and_then(|bytes| bytes.first_chunk());
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

impl<const TRACED: bool, R: Ram> Memory for Flat<'_, TRACED, R> {
    #[inline(always)]
    fn fetch(&mut self, pc: u64) -> Result<Instruction, Fault> {
        let at = pc.wrapping_sub(IMAGE_BASE);
        // Program counters are even.
        let instruction = usize::try_from(at / 2).ok().and_then(|at| self.instructions.get(at));
        let Some(&Some(instruction)) = instruction else {
            return Err(self.refuse(pc));
        };
        if TRACED {
            let (chunk, inside) = split(at);
            self.touch_image(chunk);
            if inside.saturating_add(instruction.length.into()) > PAGE_BYTES {
                self.touch_image(chunk.saturating_add(1));
            }
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
        is_readable(self.reads, blob)
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
        if TRACED {
            self.marks.read.push((*blob, chunk));
        }
        Ok(())
    }

    #[inline(always)]
    fn is_segment_full(&self) -> bool {
        // At most 24 and 4, and what one instruction adds.
        TRACED && is_full(self.marks.touched.len() as u32, self.marks.read.len() as u32)
    }
}
