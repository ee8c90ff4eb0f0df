//! The synthetic job: `M ← A·M` over F_251, again and again. Specified to the byte in `docs/protocol.md`.

mod check;
mod cpu;
mod gpu;

use super::{Kind, Run, Verdict};
use crate::{
    engine::{Computation, gpu::GpuEngine},
    error::EngineError,
    gemm::Kernel,
    inputs::Inputs,
};
use agora_math::field::{Generator, MODULUS};
use agora_primitives::job::SyntheticJob;
use rayon::prelude::*;

/// The generator's label of the matrix that is multiplied with.
pub const LABEL_FACTOR: &[u8] = b"A";
/// The generator's label of the first state.
pub const LABEL_START: &[u8] = b"M";

/// Elements that one task generates.
const ELEMENTS_PER_TASK: usize = 1 << 14;

impl Kind for SyntheticJob {
    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError> {
        cpu::run(self, run)
    }

    fn on_gpu(&self, gpu: &GpuEngine, run: &Run<'_>) -> Result<Computation, EngineError> {
        gpu::run(self, gpu, run)
    }

    fn check(&self, _: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError> {
        check::check(self, output, seed)
    }
}

/// `A` in canonical residues, row by row.
pub fn factor(job: &SyntheticJob) -> Vec<u8> {
    generate(job, LABEL_FACTOR)
}

/// The first state in canonical residues, row by row.
pub fn start(job: &SyntheticJob) -> Vec<u8> {
    generate(job, LABEL_START)
}

/// The state after `before`, at the cost of one iteration; nothing if that cannot be a state.
pub(crate) fn step(job: &SyntheticJob, before: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
    let n = job.matrix_size as usize;
    if before.len() != n * n || before.iter().any(|&residue| residue >= MODULUS) {
        return Ok(None);
    }
    cpu::step(job, before).map(Some)
}

fn generate(job: &SyntheticJob, label: &[u8]) -> Vec<u8> {
    let generator = Generator::new(&job.seed, label);
    let n = job.matrix_size as usize;
    let mut matrix = vec![0; n * n];
    let tasks = matrix.par_chunks_mut(ELEMENTS_PER_TASK).enumerate();
    tasks.for_each(|(i, part)| {
        let first = (i * ELEMENTS_PER_TASK) as u64;
        Kernel::best().vectorise(
            #[inline(always)]
            || generator.fill(first, part),
        );
    });
    matrix
}
