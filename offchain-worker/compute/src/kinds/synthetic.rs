//! The synthetic job: `M ← A·D·M` over F_251, again and again, with a diagonal matrix `D` that differs from step to step.
//! Specified in `docs/protocol/synthetic.md`, to the byte.

mod check;
mod cpu;
mod gpu;
mod workload;

pub(crate) use workload::Chains;

use super::{EngineError, Kind, On, Verdict};
use crate::{
    computation::Computation,
    device::{Bounds, Needs},
    inputs::Inputs,
    kernels::{cpu::Kernel, gpu::Gpu},
    run::Run,
};
use agora_math::field::Generator;
use agora_primitives::job::SyntheticJob;
use rayon::prelude::*;

/// The generator's label of the matrix that is multiplied with.
pub const LABEL_FACTOR: &[u8] = b"A";
/// The generator's label of the first state.
pub const LABEL_START: &[u8] = b"M";
/// The generator's label of the diagonals.
pub const LABEL_DIAGONALS: &[u8] = b"D";

/// Elements that one task generates.
const ELEMENTS_PER_TASK: usize = 1 << 14;

impl Kind for SyntheticJob {
    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError> {
        cpu::run(self, run)
    }

    fn on_gpu(&self, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
        gpu::run(self, gpu, run)
    }

    fn needs(&self, bounds: &Bounds) -> Needs {
        gpu::needs(self, bounds)
    }

    fn ensure_usable(&self, _: &dyn Inputs) -> Result<(), EngineError> {
        Ok(())
    }

    /// On the processor, also where there is a device: Freivalds' check is products of a matrix and a few vectors, one after
    /// the other, which take a hundredth of computing.
    fn check(&self, _: On<'_>, _: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError> {
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

/// The diagonals of the steps of a job.
#[derive(Clone, Copy, Debug)]
pub struct Diagonals {
    generator: Generator,
    matrix_size: u32,
}

impl Diagonals {
    /// Those of `job`.
    pub fn new(job: &SyntheticJob) -> Self {
        Self {
            generator: Generator::new(&job.seed, LABEL_DIAGONALS),
            matrix_size: job.matrix_size,
        }
    }

    /// The canonical residues of that of `step`, the first of which is 0. None is zero. Complexity: O(n).
    pub fn of(&self, step: u32) -> Vec<u8> {
        let mut residues = vec![0; self.matrix_size as usize];
        let first = u64::from(step) * u64::from(self.matrix_size);
        self.generator.fill_nonzero(first, &mut residues);
        residues
    }
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
