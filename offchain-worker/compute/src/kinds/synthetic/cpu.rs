//! The reference.

use crate::{
    digest::output_digest,
    engine::{CancelFlag, Computation},
    error::EngineError,
    kinds::Run,
};
use agora_math::field::{canonical, dot, symmetric};
use agora_primitives::job::SyntheticJob;
use rayon::prelude::*;

/// Rows of a product that one task computes, so that each column is fetched once for all of them.
const ROWS_PER_TASK: usize = 8;

pub(super) fn run(job: &SyntheticJob, run: &Run<'_>) -> Result<Computation, EngineError> {
    let n = job.matrix_size as usize;
    let factor = super::to_symmetric(&super::factor(job));
    let mut state = super::start(job);
    let mut state_digests = vec![output_digest(&state)];
    run.progress.update(0, job.iterations);
    for i in 1..=job.iterations {
        state = multiply(&factor, &state, n, run.cancel)?;
        state_digests.push(output_digest(&state));
        run.progress.update(i, job.iterations);
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
