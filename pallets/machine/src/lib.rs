#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

extern crate alloc;

mod execute;
pub mod instruction;
mod memory;
mod output;
mod run;
pub mod run_tree;
mod segment;
mod state;
pub mod tree;

#[cfg(test)]
mod tests;

pub use execute::Call;
pub use memory::{Chunks, Fault};
pub use output::Output;
pub use run::{
    Arena, Checkpoints, Code, Machine, Program, RunError, Stepper, Trace, run_bounded, show_segment, trace,
    trace_with_checkpoints,
};
pub use segment::{Refused, Witness, execute_segment};
pub use state::{State, Status, Trap};

/// Where the image begins. It can be read and executed, not written.
pub const IMAGE_BASE: u64 = 0x1000_0000;
/// The largest image, in bytes.
pub const MAX_IMAGE_BYTES: u64 = 16 * 1024 * 1024;
/// Where the memory begins. It can be read and written, not executed.
pub const MEMORY_BASE: u64 = 0x8000_0000;
/// Bytes of a page of the memory, and of a chunk of the image.
pub const PAGE_BYTES: usize = 1024;
/// Pages of the memory: 256 MiB.
pub const MEMORY_PAGES: u32 = 1 << 18;
/// The most output, in bytes: as much as a unit of the reference may keep.
pub const MAX_OUTPUT_BYTES: u64 = 1 << 20;

/// The most bytes of a state and the witness of the segment after it, whatever the program does.
pub const MAX_WITNESS_BYTES: usize = 64 * 1024;
/// The most gas of a run. A segment that is not the last has at least six instructions, so that each has one of the 2³² leaves of
/// the [`run_tree`].
pub const MAX_GAS: u64 = 6 << 32;

/// A segment ends after so many instructions.
pub const SEGMENT_GAS: u32 = 1 << 16;
/// A segment ends after the instruction with which it has touched so many pages, of image and memory together. One instruction touches
/// four at most.
pub const SEGMENT_PAGES: u32 = 24;
/// A segment ends after the instruction with which it has read so many chunks.
pub const SEGMENT_CHUNKS: u32 = 4;
/// What a segment of a bounded run costs at least, in gas. One that touches 24 pages all over the memory takes about as long to
/// hash as four times as many instructions take to be executed and traced: so nothing that a program does makes a run much slower
/// than its gas says.
pub const MIN_SEGMENT_GAS: u64 = 1 << 12;
