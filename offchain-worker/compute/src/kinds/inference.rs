//! Inference: a model from a package, applied to every item of a batch. Specified to the byte in
//! `docs/protocol/inference.md`.

mod check;
mod classification;
mod cpu;
mod gpu;
mod items;
mod workload;

use super::{EngineError, Kind, On, Verdict};
use crate::{
    computation::Computation,
    device::{Bounds, Needs},
    digest::output_digest,
    inputs::Inputs,
    kernels::gpu::Gpu,
    networks::{
        classifier::gpu::needs_to_classify,
        transformer::{Encoder, Package},
    },
    run::Run,
};
use agora_math::merkle::Hash;
use agora_primitives::job::{InferenceJob, InferenceNetwork, JobError};
use classification::Images;
use items::Items;
use std::{borrow::Cow, sync::Arc};

pub use items::{ItemsError, encode_items};
pub(crate) use workload::{Classification, Embedding};

impl Kind for InferenceJob {
    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError> {
        let output = Batch::read(self, run.inputs)?.compute(On::Cpu, run)?;
        Ok(computation(self, output))
    }

    fn on_gpu(&self, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
        let output = Batch::read(self, run.inputs)?.compute(On::Gpu(gpu), run)?;
        Ok(computation(self, output))
    }

    fn needs(&self, bounds: &Bounds) -> Needs {
        match self.network {
            InferenceNetwork::Embedding { shape, tokens } => gpu::needs(&shape, tokens, self.items, bounds),
            InferenceNetwork::Classification { shape, .. } => needs_to_classify(shape.into(), bounds),
            // No engine can do it.
            InferenceNetwork::Generation => Needs::default(),
        }
    }

    fn ensure_usable(&self, inputs: &dyn Inputs) -> Result<(), EngineError> {
        Batch::read(self, inputs).map(drop)
    }

    fn check(&self, on: On<'_>, inputs: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError> {
        check::check(self, on, inputs, output, seed)
    }

    fn states_in(&self, output: &[u8]) -> Option<Vec<Hash>> {
        let items = output.chunks_exact(self.item_output() as usize);
        Some(items.map(output_digest).collect())
    }
}

/// A model and what it is applied to.
enum Batch {
    Texts(Arc<Encoder>, Items),
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
                Ok(Self::Texts(Arc::new(encoder), items))
            }
            InferenceNetwork::Classification { .. } => Images::read(job, inputs).map(Self::Images),
            InferenceNetwork::Generation => Err(JobError::Unsupported.into()),
        }
    }

    /// The outputs for all items, one after the other.
    fn compute(&self, on: On<'_>, run: &Run<'_>) -> Result<Vec<u8>, EngineError> {
        match (self, on) {
            (Self::Texts(encoder, items), On::Cpu) => cpu::embed(encoder, items, run),
            (Self::Texts(encoder, items), On::Gpu(gpu)) => gpu::embed(gpu, encoder, items, run),
            (Self::Images(images), On::Cpu) => images.on_cpu(run),
            (Self::Images(images), On::Gpu(gpu)) => images.on_gpu(gpu, run),
        }
    }

    /// A batch of these items alone.
    fn only(&self, items: &[usize]) -> Self {
        match self {
            Self::Texts(encoder, all) => Self::Texts(Arc::clone(encoder), all.only(items)),
            Self::Images(images) => Self::Images(images.only(items)),
        }
    }

    /// The work of each item.
    fn work(&self) -> Cow<'_, [u64]> {
        match self {
            Self::Texts(_, items) => items.work().into(),
            Self::Images(images) => images.work().into(),
        }
    }
}

/// What is committed to: the digest of each item's output, and that of all.
fn computation(job: &InferenceJob, output: Vec<u8>) -> Computation {
    let items = output.chunks_exact(job.item_output() as usize);
    Computation::of_parts(items.map(output_digest).collect(), output)
}
