//! Matrix multiplication: `y = W[rows] · x` for a batch of vectors, the unit of distributed inference. Specified to the
//! byte in `docs/protocol/matmul.md`.

mod check;
mod cpu;
mod gpu;
mod workload;

pub(crate) use workload::Products;

use super::{EngineError, Kind, On, Verdict};
use crate::{
    computation::Computation,
    device::{Bounds, Needs},
    inputs::{InputError, Inputs},
    kernels::gpu::Gpu,
    run::Run,
};
use agora_math::merkle::Hash;
use agora_primitives::job::{BlobRef, MatmulJob};
use std::{ops::Range, sync::Arc};

impl Kind for MatmulJob {
    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError> {
        cpu::run(self, run)
    }

    fn on_gpu(&self, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
        gpu::run(self, gpu, run)
    }

    fn needs(&self, bounds: &Bounds) -> Needs {
        gpu::needs(self, bounds)
    }

    fn ensure_usable(&self, inputs: &dyn Inputs) -> Result<(), EngineError> {
        Operands::fetch(self, inputs).map(drop)
    }

    /// On the processor, also where there is a device: Freivalds' check reads every number once or twice, so that bringing
    /// them to a device would take longer.
    fn check(&self, _: On<'_>, inputs: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError> {
        check::check(self, inputs, output, seed)
    }

    fn states_in(&self, _: &[u8]) -> Option<Vec<Hash>> {
        Some(Vec::new())
    }
}

/// The inputs of a job, of the lengths that it says.
pub(crate) struct Operands {
    matrix: Arc<[u8]>,
    rows: Range<usize>,
    vectors: Arc<[u8]>,
}

impl Operands {
    /// Fetches the inputs of `job`, which is within its limits.
    ///
    /// Errors: `Input`.
    pub(crate) fn fetch(job: &MatmulJob, inputs: &dyn Inputs) -> Result<Self, EngineError> {
        // The matrix may have more rows than 32 bits count.
        let bytes = |lines: usize| lines * job.columns as usize;
        let first = job.first_row as usize;
        Ok(Self {
            matrix: get(inputs, &job.matrix)?,
            rows: bytes(first)..bytes(first + job.rows as usize),
            vectors: get(inputs, &job.input)?,
        })
    }

    /// The rows of `W` that are multiplied, one after the other.
    pub(crate) fn rows(&self) -> &[i8] {
        bytemuck::cast_slice(&self.matrix[self.rows.clone()])
    }

    /// The vectors, one after the other.
    pub(crate) fn vectors(&self) -> &[i8] {
        bytemuck::cast_slice(&self.vectors)
    }
}

/// The content of `blob`. [`Inputs`] may be wrong about its length, so it is compared here.
///
/// Errors: `Length`, and those of [`Inputs::get`].
fn get(inputs: &dyn Inputs, blob: &BlobRef) -> Result<Arc<[u8]>, InputError> {
    let content = inputs.get(blob)?;
    if content.len() != blob.size as usize {
        return Err(InputError::Length {
            hash: hex::encode(blob.hash),
            expected: blob.size,
            found: content.len(),
        });
    }
    Ok(content)
}
