//! Inference: a model from a package, applied to every item of a batch. Specified to the byte in
//! `docs/protocol/inference.md`.

mod check;
mod classification;
mod cpu;
mod dispute;
mod gpu;
mod items;
mod workload;

use super::{EngineError, JudgeError, Kind, Part, Trace, Verdict};
use crate::{
    computation::Computation,
    digest::output_digest,
    inputs::Inputs,
    kernels::gpu::Gpu,
    networks::transformer::{Encoder, Package},
    run::Run,
};
use agora_math::merkle::Hash;
use agora_primitives::job::{InferenceJob, InferenceNetwork, JobError};
use classification::Images;
use items::Items;

pub use items::{ItemsError, encode_items};
pub(crate) use workload::{Classification, Embedding};

impl Kind for InferenceJob {
    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError> {
        let output = match Batch::read(self, run.inputs)? {
            Batch::Texts(encoder, items) => cpu::embed(*encoder, &items, run)?,
            Batch::Images(images) => images.on_cpu(run)?,
        };
        Ok(computation(self, output))
    }

    fn on_gpu(&self, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
        let output = match Batch::read(self, run.inputs)? {
            Batch::Texts(encoder, items) => gpu::embed(gpu, &encoder, &items, run)?,
            Batch::Images(images) => images.on_gpu(gpu, run)?,
        };
        Ok(computation(self, output))
    }

    fn ensure_usable(&self, inputs: &dyn Inputs) -> Result<(), EngineError> {
        Batch::read(self, inputs).map(drop)
    }

    fn check(&self, inputs: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError> {
        match Batch::read(self, inputs)? {
            Batch::Texts(encoder, items) => check::check(self, *encoder, &items, output, seed),
            Batch::Images(images) => images.check(output, self.item_output() as usize, seed),
        }
    }

    fn states_in(&self, output: &[u8]) -> Option<Vec<Hash>> {
        let items = output.chunks_exact(self.item_output() as usize);
        Some(items.map(output_digest).collect())
    }

    fn trace(&self) -> Trace {
        dispute::trace(self)
    }

    fn state(&self, inputs: &dyn Inputs, step: u32, _: &[u8]) -> Result<Vec<u8>, JudgeError> {
        dispute::item(self, inputs, step)
    }

    fn part(&self, inputs: &dyn Inputs, outputs: [&[u8]; 2], at: usize) -> Result<Part, JudgeError> {
        dispute::part(self, inputs, outputs, at)
    }
}

/// A model and what it is applied to.
enum Batch {
    Texts(Box<Encoder>, Items),
    Images(Images),
}

impl Batch {
    /// Errors: `Job` for tasks that no engine can do, `Input`, `Package`, `Network`, `Items`.
    fn read(job: &InferenceJob, inputs: &dyn Inputs) -> Result<Self, EngineError> {
        match job.network {
            InferenceNetwork::Embedding { shape, tokens } => {
                let encoder = Package::decode(&inputs.get(&job.model)?)?.encoder;
                if encoder.shape != shape {
                    return Err(ItemsError::Network.into());
                }
                let items = Items::read(&inputs.get(&job.input)?, job.items, &shape, tokens)?;
                Ok(Self::Texts(Box::new(encoder), items))
            }
            InferenceNetwork::Classification { .. } => Images::read(job, inputs).map(Self::Images),
            InferenceNetwork::Generation => Err(JobError::Unsupported.into()),
        }
    }
}

/// What is committed to: the digest of each item's output, and that of all.
fn computation(job: &InferenceJob, output: Vec<u8>) -> Computation {
    let items = output.chunks_exact(job.item_output() as usize);
    Computation::of_parts(items.map(output_digest).collect(), output)
}
