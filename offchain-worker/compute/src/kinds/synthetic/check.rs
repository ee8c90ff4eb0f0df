//! Freivalds' check of the whole chain of products.

use crate::{
    kernels::cpu::Kernel,
    kinds::{EngineError, Place, Verdict},
};
use agora_math::{
    field::MODULUS,
    freivalds::{Chain, Vector, apply, chain_vectors, chain_wrong_row},
};
use agora_primitives::job::SyntheticJob;
use rayon::prelude::*;

/// Bytes of a matrix that one task reads.
const BYTES_PER_TASK: usize = 1 << 17;

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
    if let Some(at) = first_above_residues(output) {
        return Ok(Verdict::Wrong(Place::Byte(at as u64)));
    }
    let (factor, start) = rayon::join(|| super::factor(job), || super::start(job));
    let chain = Chain {
        n,
        a: &factor,
        start: &start,
        result: output,
        iterations: job.iterations,
    };
    let (vectors, diagonals) = (chain_vectors(seed, job.matrix_size), super::Diagonals::new(job));
    let wrong = chain_wrong_row(
        &chain,
        &vectors,
        |step| diagonals.of(step),
        |matrix, vectors| apply_on_all_cores(n, matrix, vectors),
    )?;
    Ok(match wrong {
        Some(row) => Verdict::Wrong(Place::Row(row as u64)),
        None => Verdict::Right,
    })
}

/// The position of the first byte that is no canonical residue.
fn first_above_residues(output: &[u8]) -> Option<usize> {
    let tasks = output.par_chunks(BYTES_PER_TASK).enumerate();
    tasks.find_map_first(|(task, bytes)| {
        // There is rarely one, and the search for the largest byte is vectorised.
        let largest = bytes.iter().fold(0, |largest, &byte| byte.max(largest));
        let position = || bytes.iter().position(|&byte| byte >= MODULUS);
        let at = (largest >= MODULUS).then(position).flatten()?;
        Some(task * BYTES_PER_TASK + at)
    })
}

/// [`apply`] of the n×n `matrix`.
fn apply_on_all_cores(n: usize, matrix: &[u8], vectors: &[Vector]) -> Vec<Vector> {
    let kernel = Kernel::best();
    let tasks = matrix.par_chunks((BYTES_PER_TASK / n).max(1) * n);
    let parts: Vec<Vec<Vector>> = tasks
        .map(|rows| {
            kernel.vectorise(
                #[inline(always)]
                || apply(rows, vectors),
            )
        })
        .collect();
    let whole = |vector: usize| parts.iter().flat_map(|part| &part[vector]).copied().collect();
    (0..vectors.len()).map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_residues_are_found_wherever_they_are() {
        let mut output = vec![250; 3 * BYTES_PER_TASK + 5];
        assert_eq!(first_above_residues(&output), None);
        for at in [output.len() - 1, 2 * BYTES_PER_TASK, BYTES_PER_TASK - 1, 0] {
            output[at] = 251;
            assert_eq!(first_above_residues(&output), Some(at));
        }
    }

    #[test]
    fn all_cores_together_apply_the_matrix() {
        for n in [1, 3, 400, 1100] {
            let job = SyntheticJob {
                seed: [3; 32],
                matrix_size: n,
                iterations: 1,
            };
            let (matrix, vectors) = (crate::kinds::synthetic::factor(&job), chain_vectors(&[4; 32], n));
            assert_eq!(
                apply_on_all_cores(n as usize, &matrix, &vectors),
                apply(&matrix, &vectors)
            );
        }
    }
}
