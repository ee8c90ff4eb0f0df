//! What the disputes about jobs of all kinds have in common.
//!
//! A state is a job of its own: a tile is a small picture, an item is a batch of one, steps of training start from a
//! checkpoint. So a dispute is decided by the same code for the processor that defines results.

use super::{EngineError, of};
use crate::{
    inputs::{InputError, Inputs},
    run::{CancelFlag, NoProgress, Run},
};
use agora_primitives::job::{BlobRef, JobError, JobKind, JobSpec};
use std::sync::Arc;

/// Why there is no judgement.
#[derive(thiserror::Error, Debug)]
pub enum JudgeError {
    /// The job has no such state.
    #[error("the job has {states} states, and none of number {step}")]
    NoStep {
        /// The number of the state.
        step: u32,
        /// How many there are.
        states: u32,
    },
    /// The last state is an output that is joined from parts: `judge_outputs` decides.
    #[error("the output is joined from parts: it needs both outputs to judge it")]
    Joined,
    /// The output is the last state of a chain: `judge_step` decides.
    #[error("the output is the last step of a chain: it needs the state before to judge it")]
    Chained,
    /// The state before the step, on which both parties agree, is not possible. No honest worker agrees to it, so both
    /// are wrong.
    #[error("what is before the step can be no state of the job: both are wrong")]
    Before,
    /// The outputs are equal.
    #[error("the outputs are equal")]
    EqualOutputs,
    /// The step cannot be computed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl JudgeError {
    /// Whether the same call may succeed later.
    pub const fn is_recoverable(&self) -> bool {
        match self {
            Self::Engine(error) => error.is_recoverable(),
            _ => false,
        }
    }
}

impl From<JobError> for JudgeError {
    fn from(error: JobError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<InputError> for JudgeError {
    fn from(error: InputError) -> Self {
        Self::Engine(error.into())
    }
}

/// The states that a worker commits to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Trace {
    /// How many there are, the output included. The limits of jobs keep the number little above 2²⁰.
    pub states: u32,
    /// How the last one, the output, comes about.
    pub output: OutputState,
}

/// How the last state of a trace, the output, comes about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OutputState {
    /// It follows from the state before.
    Chained,
    /// It is joined from parts. The first part in which two outputs differ decides between them.
    Joined,
}

impl Trace {
    /// The trace of an output that is joined from the states `before` it.
    pub const fn joined(before: u32) -> Self {
        Self {
            states: before + 1,
            output: OutputState::Joined,
        }
    }
}

/// A part of an output: the right bytes, and those of both outputs.
pub(crate) struct Part {
    /// Its number.
    pub number: u64,
    /// Its right bytes.
    pub right: Vec<u8>,
    /// Its bytes in the two outputs.
    pub claims: [Vec<u8>; 2],
}

/// The number of the part that byte `at` belongs to, and its bytes in both outputs. Parts are `width` bytes each and
/// lie one after the other.
pub(super) fn cut(outputs: [&[u8]; 2], at: usize, width: usize) -> (usize, [Vec<u8>; 2]) {
    let number = at / width;
    (number, outputs.map(|output| output[number * width..][..width].to_vec()))
}

/// Computes `job`, which is one state, from `inputs` and one more.
pub(super) fn compute(
    job: JobKind,
    inputs: &dyn Inputs,
    more: Option<(BlobRef, Vec<u8>)>,
) -> Result<Vec<u8>, EngineError> {
    let job = JobSpec::V2(job);
    job.validate()?;
    let more = more.map(|(blob, content)| (blob, content.into()));
    let run = Run {
        inputs: &With { inputs, more },
        progress: &NoProgress,
        cancel: &CancelFlag::new(),
    };
    Ok(of(&job).on_cpu(&run)?.output)
}

/// Inputs, and one more.
struct With<'a> {
    inputs: &'a dyn Inputs,
    more: Option<(BlobRef, Arc<[u8]>)>,
}

impl Inputs for With<'_> {
    fn get(&self, blob: &BlobRef) -> Result<Arc<[u8]>, InputError> {
        match &self.more {
            Some((own, content)) if own == blob => Ok(Arc::clone(content)),
            _ => self.inputs.get(blob),
        }
    }
}
