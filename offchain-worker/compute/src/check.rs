//! Checking a result at a small part of the work.

use crate::{error::EngineError, synthetic};
use agora_math::{
    field,
    freivalds::{Chain, chain_holds, chain_vectors},
};
use agora_primitives::job::{JobKind, JobSpec};
use rayon::prelude::*;

/// Whether `output` is the canonical output of `job`.
///
/// `seed` must have been drawn after the output was fixed: whoever knows it before can make a wrong output that passes.
/// Otherwise a wrong output passes with probability below 2⁻⁶³. The caller compares [`crate::output_digest`] with the
/// digest that was revealed; here only the bytes count.
///
/// Errors: `Job` when the job is outside of the limits. Complexity: 8·(k+2)·n² for k iterations, against k·n³.
pub fn check_output(job: &JobSpec, output: &[u8], seed: &[u8; 32]) -> Result<bool, EngineError> {
    job.validate()?;
    let JobSpec::V1(JobKind::Synthetic(job)) = job;
    let n = job.matrix_size as usize;
    if output.len() != n * n || !field::is_canonical(output) {
        return Ok(false);
    }
    let factor = synthetic::to_symmetric(&synthetic::factor(job));
    let start = synthetic::to_symmetric(&synthetic::start(job));
    let result = synthetic::to_symmetric(output);
    let chain = Chain {
        n,
        a: &factor,
        start: &start,
        result: &result,
        iterations: job.iterations,
    };
    let vectors = chain_vectors(seed, job.matrix_size);
    let per_task = vectors.len().div_ceil(rayon::current_num_threads());
    let parts: Result<Vec<bool>, _> = vectors
        .par_chunks(per_task)
        .map(|part| chain_holds(&chain, part))
        .collect();
    Ok(parts?.into_iter().all(|holds| holds))
}
