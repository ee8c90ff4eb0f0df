//! What a result *is*: for each kind of job, plain code that computes its states, and any single *unit* of the work
//! by itself.
//!
//! This crate is the law. The engines of the worker are right when they give the same bytes. It has no threads, no
//! vector instructions, no floats, no standard library; the chain, a bare virtual machine and a test run the same code.
//!
//! A job is done in *steps*: first its inputs are scanned ([`Step::Inputs`]), then each of its states is computed
//! ([`Step::State`]); the last state is the output. A step is cut into *units* of at most [`MAX_UNIT_WORK`]
//! multiply–add operations. A unit's output is either a part of the state, or is *kept* for later units. How many
//! units there are, how long the output of each is, and how much work it is at most follow from the job's specification
//! alone. So whoever holds the outputs of the units before can compute any one of them, at a bounded cost, from 1 KiB
//! chunks that are checked against their BLAKE3 tree ([`Blobs`]).
//!
//! # What always holds
//!
//! - A unit takes at most [`MAX_UNIT_WORK`], reads at most [`MAX_UNIT_CHUNKS`], and needs at most 16 MiB of memory
//!   besides its output.
//! - A part begins at a multiple of 1 KiB and has at most [`MAX_PART_BYTES`], so every chunk of a state is made by exactly
//!   one unit. A kept output has at most [`MAX_KEPT_BYTES`].
//!   A unit of a [program](agora_jobs::program) is bounded by its gas instead, and needs the memory of a machine.
//! - A unit is total. Where an honest state or kept output has only some of the values that its bytes could have, any
//!   other value is mapped to one of them; nothing panics, and the cost stays the same.
//!
//! Inputs that are not what the kind demands are found by the unit of [`Step::Inputs`] that meets them: it gives
//! [`Fault::Unusable`]. Any one such unit shows that the job has no output, if what the units before it kept is right; no
//! other step judges inputs. Which jobs are unusable is as much a part of the law as the bytes of a result.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

extern crate alloc;

mod blobs;
mod counts;
mod inference;
mod matmul;
mod program;
mod rendering;
mod run;
mod synthetic;
mod total_work;
mod training;
mod unit_run;

pub use blobs::{Blobs, Fault, Reader, Source};
pub use run::{Inputs, Outcome, run};
pub use total_work::total_work;
pub use unit_run::{Content, UnitRun, list, whole};

use agora_jobs::{JobKind, JobSpec, ProgramJob};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};

/// The most multiply–add operations of one unit.
pub const MAX_UNIT_WORK: u64 = 1 << 28;

/// The most chunks that one unit reads, a chunk counted each time it is read: 64 MiB.
pub const MAX_UNIT_CHUNKS: u64 = 1 << 16;

/// The most bytes of one part of a state.
pub const MAX_PART_BYTES: u64 = 1 << 17;

/// The most bytes of the kept output of one unit.
pub const MAX_KEPT_BYTES: u64 = 1 << 20;

/// How many multiply–add operations one word of the generator counts as.
const WORD_WORK: u64 = 16;

/// The most bytes of inputs that one unit of [`Step::Inputs`] scans.
pub const MAX_SCAN_BYTES: u64 = 1 << 20;

/// What a unit belongs to.
#[derive(Encode, Decode, DecodeWithMemTracking)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// The inputs are scanned: all outputs of its units are kept.
    Inputs,
    /// The state of this number is computed.
    State(u64),
}

/// What follows from the job about one unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    /// What its output is.
    pub output: Output,
    /// Multiply–add operations that it takes at most. What makes a number from random bits, or reduces one, counts as
    /// several.
    pub work: u64,
    /// Chunks that it reads at most.
    pub chunks: u64,
}

impl Unit {
    /// Instructions that its run in the machine takes at most, with the image of this crate (see [`UnitRun`]).
    ///
    /// An operation takes up to 31 where it divides (the normalisation of a transformer's states), 9 in a product; this allows twice as
    /// many. A chunk is copied, and found through a list; what is left is for reading the job.
    pub const fn gas(&self) -> u64 {
        const OF_WORK: u64 = 64;
        const OF_CHUNK: u64 = 1 << 12;
        const OF_JOB: u64 = 1 << 21;
        self.work
            .saturating_mul(OF_WORK)
            .saturating_add(self.chunks.saturating_mul(OF_CHUNK))
            .saturating_add(OF_JOB)
    }
}

/// What the output of a unit is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// It is kept for later units.
    Kept {
        /// Its length in bytes.
        size: u64,
    },
    /// It is a part of the state.
    Part {
        /// Where in the state it begins.
        offset: u64,
        /// Its length in bytes.
        size: u64,
    },
}

/// What a kind of job says about one of its jobs, which is within its limits.
///
/// All but [`Self::compute`] follows from the job alone.
pub trait Reference {
    /// How many states there are, the output included; at least one.
    fn states(&self) -> u64;

    /// The length of state `state` in bytes.
    fn state_size(&self, state: u64) -> u64;

    /// How many units `step` has. Those whose output is a part of the state come last, in the order of their offsets,
    /// and leave no gap.
    fn units(&self, step: Step) -> u64;

    /// Unit `unit` of `step`. `None`: there is no such unit.
    fn unit(&self, step: Step, unit: u64) -> Option<Unit>;

    /// The job, if it is a publisher's own program: then what a unit comes to is decided by a run of that program, not of the image of this
    /// crate.
    fn program(&self) -> Option<&ProgramJob> {
        None
    }

    /// Computes unit `unit` of `step`.
    ///
    /// It reads inputs, states before this one, kept outputs of [`Step::Inputs`], and kept outputs of earlier units of
    /// the same step.
    ///
    /// Errors: `Unusable` if an input is not what the kind demands (only from units of [`Step::Inputs`]); `Missing` if
    /// `blobs` does not have what it reads; `NoUnit`.
    fn compute(&self, blobs: &dyn Blobs, step: Step, unit: u64) -> Result<Vec<u8>, Fault>;
}

/// The [`Reference`] of `job`.
pub fn of(job: &JobSpec) -> &dyn Reference {
    let JobSpec::V2(kind) = job;
    match kind {
        JobKind::Synthetic(job) => job,
        JobKind::Matmul(job) => job,
        JobKind::Training(job) => job,
        JobKind::Inference(job) => job,
        JobKind::Rendering(job) => job,
        JobKind::Program(job) => job,
    }
}

/// Part `unit` of a state of `total` bytes that is cut every `size` bytes: where it begins and how long it is. `None`:
/// there is no such part.
fn part(total: u64, size: u64, unit: u64) -> Option<(u64, u64)> {
    let offset = unit.checked_mul(size)?;
    let rest = total.checked_sub(offset).filter(|&rest| rest > 0)?;
    Some((offset, rest.min(size)))
}

/// How many parts of at most `size` bytes `total` bytes have.
const fn parts(total: u64, size: u64) -> u64 {
    match size {
        0 => 0,
        size => total.div_ceil(size),
    }
}

/// The largest multiple of a chunk that is at most `size` and [`MAX_PART_BYTES`]; at least one chunk.
fn whole_chunks(size: u64) -> u64 {
    const CHUNK: u64 = agora_jobs::blob::CHUNK_BYTES as u64;
    (size.min(MAX_PART_BYTES) / CHUNK).max(1).saturating_mul(CHUNK)
}

#[cfg(test)]
mod tests;
