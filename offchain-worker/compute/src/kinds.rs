//! The kinds of jobs. Each has a file that says what it is, and a folder with how it is computed on the processor and on
//! graphics processors, and how a result is checked.

mod inference;
mod matmul;
pub mod rendering;
pub mod synthetic;
pub mod training;

pub use inference::{ItemsError, encode_items};

use crate::{
    engine::{CancelFlag, Computation, Progress, gpu::GpuEngine},
    error::EngineError,
    inputs::Inputs,
};
use agora_math::field::Generator;
use agora_primitives::job::{JobKind, JobSpec};

/// What a computation has besides its job.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub inputs: &'a dyn Inputs,
    pub progress: &'a dyn Progress,
    pub cancel: &'a CancelFlag,
}

/// How jobs of one kind are computed and checked. The job is within its limits.
pub(crate) trait Kind {
    /// The reference: what it computes is what the job's result is.
    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError>;

    /// The same bytes, on a graphics processor.
    fn on_gpu(&self, gpu: &GpuEngine, run: &Run<'_>) -> Result<Computation, EngineError>;

    /// Whether `output` is right, as far as a check with `seed` can tell.
    fn check(&self, inputs: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError>;
}

/// What a check found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing wrong.
    Right,
    /// Something wrong; this is the first place.
    Wrong(Place),
}

impl Verdict {
    /// Whether nothing wrong was found.
    pub fn is_right(self) -> bool {
        self == Self::Right
    }
}

/// A place in an output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The output's length.
    Length {
        /// As the job demands, in bytes.
        expected: u64,
        /// As it is.
        found: u64,
    },
    /// A byte, counted from 0.
    Byte(u64),
    /// A row of a product, counted from 0.
    Row(u64),
    /// A part that is computed by itself (an image's tile, an item of a batch), counted from 0.
    Unit(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Length { expected, found } => write!(f, "the output has {found} bytes, not {expected}"),
            Self::Byte(at) => write!(f, "byte {at} is wrong"),
            Self::Row(at) => write!(f, "row {at} is wrong"),
            Self::Unit(at) => write!(f, "part {at} is wrong"),
        }
    }
}

/// Checks `output` as a result of `job`, at a small part of the work of computing it.
///
/// `seed` must have been drawn after the output was fixed: whoever knows it before can make a wrong output that passes.
/// What is right passes with every seed. What is wrong passes with a probability that `docs/protocol.md` states for
/// each kind. The caller compares [`crate::output_digest`] with the digest that was revealed; here only the bytes count.
///
/// Errors: `Job` when the job is outside of the limits, `Input` when an input cannot be had.
pub fn check_output(
    job: &JobSpec,
    inputs: &dyn Inputs,
    output: &[u8],
    seed: &[u8; 32],
) -> Result<Verdict, EngineError> {
    job.validate()?;
    of(job).check(inputs, output, seed)
}

/// What computes and checks `job`.
pub(crate) fn of(job: &JobSpec) -> &dyn Kind {
    let JobSpec::V1(kind) = job;
    match kind {
        JobKind::Synthetic(job) => job,
        JobKind::Matmul(job) => job,
        JobKind::Inference(job) => job,
        JobKind::Training(job) => job,
        JobKind::Rendering(job) => job,
    }
}

/// A number below `limit`, which is not zero, drawn as the `index`-th: of the first two words of the block.
pub(crate) fn draw_below(generator: &Generator, index: u64, limit: u64) -> u64 {
    let [low, high, ..] = generator.words(index);
    (u64::from(low) | (u64::from(high) << 32)) % limit
}
