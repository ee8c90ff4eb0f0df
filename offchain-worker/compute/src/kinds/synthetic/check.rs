//! Freivalds' check of the whole chain of products.

use crate::{
    error::EngineError,
    kinds::{Place, Verdict},
};
use agora_math::{
    field::MODULUS,
    freivalds::{Chain, chain_vectors, chain_wrong_row},
};
use agora_primitives::job::SyntheticJob;
use rayon::prelude::*;

/// Whether `output` is the last state. A wrong one passes with probability below 2⁻⁶³.
///
/// Complexity: 8·(k+2)·n² for k iterations, against k·n³.
pub(super) fn check(job: &SyntheticJob, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError> {
    let n = job.matrix_size as usize;
    if output.len() != n * n {
        return Ok(Verdict::Wrong(Place::Length {
            expected: (n * n) as u64,
            found: output.len() as u64,
        }));
    }
    if let Some(at) = output.iter().position(|&byte| byte >= MODULUS) {
        return Ok(Verdict::Wrong(Place::Byte(at as u64)));
    }
    let factor = super::to_symmetric(&super::factor(job));
    let start = super::to_symmetric(&super::start(job));
    let result = super::to_symmetric(output);
    let chain = Chain {
        n,
        a: &factor,
        start: &start,
        result: &result,
        iterations: job.iterations,
    };
    let vectors = chain_vectors(seed, job.matrix_size);
    let per_task = vectors.len().div_ceil(rayon::current_num_threads());
    let parts: Result<Vec<Option<usize>>, _> = vectors
        .par_chunks(per_task)
        .map(|part| chain_wrong_row(&chain, part))
        .collect();
    Ok(match parts?.into_iter().flatten().min() {
        Some(row) => Verdict::Wrong(Place::Row(row as u64)),
        None => Verdict::Right,
    })
}
