//! Training: integer stochastic gradient descent on images. Specified to the byte in `docs/protocol/training.md`.
//!
//! Terms: a *step* changes every weight once, by the gradient of the loss of one *batch* of images. The *state* is what
//! a step starts from: the number of steps so far, the weights, their momenta. A *segment* is a number of steps; the
//! states after segments are *checkpoints*, of which the output consists, with the loss of each step.

mod batches;
mod check;
mod cpu;
mod data;
mod gpu;
mod gradient;
mod loss;
mod optimizer;
mod record;
mod state;
mod workload;

pub use data::{DataError, Dataset};
pub use state::{Checkpoint, StateError};
pub(crate) use workload::Steps;

use super::{EngineError, Kind, On, Verdict};
use crate::{
    computation::Computation,
    device::{Bounds, Needs},
    inputs::Inputs,
    kernels::gpu::Gpu,
    networks::classifier::{Package, Shape},
    run::Run,
};
use agora_primitives::job::TrainingJob;

/// Parts of an image's loss of one bit.
pub const LOSS_UNIT: u32 = 1 << 11;

impl Kind for TrainingJob {
    fn needs(&self, bounds: &Bounds) -> Needs {
        gpu::needs(self, bounds)
    }

    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError> {
        let (data, state) = prepare(self, run.inputs)?;
        cpu::train(self, &data, state, run)
    }

    fn on_gpu(&self, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
        let (data, state) = prepare(self, run.inputs)?;
        gpu::train(self, gpu, &data, state, run)
    }

    fn ensure_usable(&self, inputs: &dyn Inputs) -> Result<(), EngineError> {
        prepare(self, inputs).map(drop)
    }

    fn check(&self, on: On<'_>, inputs: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError> {
        check::check(self, on, inputs, output, seed)
    }
}

/// An output of a job, read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// The states after each segment.
    pub checkpoints: Vec<Checkpoint>,
    /// The loss of each step: the sum over the images of the batch, in parts of a bit of which [`LOSS_UNIT`] are one.
    pub losses: Vec<u32>,
}

impl Output {
    /// Reads the output of `job`.
    ///
    /// Errors: `State` unless the length is right and every state is possible.
    pub fn decode(job: &TrainingJob, output: &[u8]) -> Result<Self, EngineError> {
        let shape = Shape::of(job)?;
        let (state, segment) = (job.state_bytes() as usize, job.segment_bytes() as usize);
        let expected = job.segment_bytes() * u64::from(job.segments);
        if output.len() as u64 != expected {
            return Err(StateError::Length {
                expected,
                found: output.len() as u64,
            }
            .into());
        }
        let (mut checkpoints, mut losses) = (Vec::new(), Vec::new());
        for bytes in output.chunks_exact(segment) {
            let (checkpoint, rest) = bytes.split_at(state);
            checkpoints.push(Checkpoint::decode(&shape, job.momentum_shift, checkpoint)?);
            losses.extend(rest.as_chunks::<4>().0.iter().map(|&loss| u32::from_le_bytes(loss)));
        }
        Ok(Self { checkpoints, losses })
    }

    /// The trained network, for images whose largest pixel is `maximum`.
    ///
    /// Errors: as [`Package::new`]; `State` for an output without checkpoints.
    pub fn package(&self, job: &TrainingJob, maximum: u8) -> Result<Package, EngineError> {
        let shape = Shape::of(job)?;
        let last = self
            .checkpoints
            .last()
            .ok_or(StateError::Length { expected: 1, found: 0 })?;
        Ok(Package::new(shape, maximum, last.quantised())?)
    }
}

/// The data set and the first state of a job.
fn prepare(job: &TrainingJob, inputs: &dyn Inputs) -> Result<(Dataset, Checkpoint), EngineError> {
    let shape = Shape::of(job)?;
    let data = Dataset::decode(&inputs.get(&job.data)?)?;
    data.fits(&shape)?;
    let state = match &job.start {
        None => Checkpoint::first(&shape, &job.seed),
        Some(start) => Checkpoint::decode(&shape, job.momentum_shift, &inputs.get(start)?)?,
    };
    if state.step.checked_add(job.steps()).is_none() {
        return Err(StateError::Steps { step: state.step }.into());
    }
    Ok((data, state))
}
