//! The reference engine: what it computes is what a job's result is.

use super::{CancelFlag, Computation, Engine, Progress};
use crate::{digest::output_digest, error::EngineError, synthetic};
use agora_math::field::{canonical, dot, symmetric};
use agora_primitives::job::{JobKind, JobSpec, SyntheticJob};
use rayon::prelude::*;

/// Rows of a product that one task computes, so that each column is fetched once for all of them.
const ROWS_PER_TASK: usize = 8;

/// Computes on the processor, on all cores.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuEngine;

impl CpuEngine {
    /// The engine. Works in rayon's global pool.
    pub const fn new() -> Self {
        Self
    }
}

impl Engine for CpuEngine {
    fn name(&self) -> &str {
        "cpu"
    }

    fn run(&self, job: &JobSpec, progress: &dyn Progress, cancel: &CancelFlag) -> Result<Computation, EngineError> {
        job.validate()?;
        let JobSpec::V1(JobKind::Synthetic(job)) = job;
        run_synthetic(job, progress, cancel)
    }
}

fn run_synthetic(job: &SyntheticJob, progress: &dyn Progress, cancel: &CancelFlag) -> Result<Computation, EngineError> {
    let n = job.matrix_size as usize;
    let factor = synthetic::to_symmetric(&synthetic::factor(job));
    let mut state = synthetic::start(job);
    let mut state_digests = vec![output_digest(&state)];
    progress.update(0, job.iterations);
    for i in 1..=job.iterations {
        state = multiply(&factor, &state, n, cancel)?;
        state_digests.push(output_digest(&state));
        progress.update(i, job.iterations);
    }
    Ok(Computation {
        output: state,
        state_digests,
    })
}

/// `factor · state` over F_251, in canonical residues: each element is the dot product of a row and a column.
fn multiply(factor: &[i16], state: &[u8], n: usize, cancel: &CancelFlag) -> Result<Vec<u8>, EngineError> {
    let columns: Vec<i16> = (0..n)
        .into_par_iter()
        .flat_map_iter(|column| (0..n).map(move |row| symmetric(state[row * n + column])))
        .collect();
    let mut product = vec![0; n * n];
    product
        .par_chunks_mut(ROWS_PER_TASK * n)
        .zip(factor.par_chunks(ROWS_PER_TASK * n))
        .try_for_each(|(rows, factor_rows)| {
            cancel.check()?;
            for (c, column) in columns.chunks_exact(n).enumerate() {
                for (r, factor_row) in factor_rows.chunks_exact(n).enumerate() {
                    rows[r * n + c] = canonical(dot(factor_row, column));
                }
            }
            Ok::<_, EngineError>(())
        })?;
    Ok(product)
}
