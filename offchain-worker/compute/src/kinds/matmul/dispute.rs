//! Disputes: every number of the output can be computed by itself.

use crate::{
    inputs::{InputError, Inputs},
    kinds::{
        JudgeError, Part, Trace,
        dispute::{compute, cut},
    },
};
use agora_primitives::job::{BlobRef, JobKind, MatmulJob};

/// Bytes of a number of the product.
const NUMBER: usize = 4;

/// The output alone.
pub(super) const fn trace() -> Trace {
    Trace::joined(0)
}

/// The number that byte `at` of `outputs` belongs to.
pub(super) fn part(job: &MatmulJob, inputs: &dyn Inputs, outputs: [&[u8]; 2], at: usize) -> Result<Part, JudgeError> {
    let (place, claims) = cut(outputs, at, NUMBER);
    Ok(Part {
        number: place as u64,
        right: number(job, inputs, place)?,
        claims,
    })
}

/// The number at `place`: a job of one row and one vector.
fn number(job: &MatmulJob, inputs: &dyn Inputs, place: usize) -> Result<Vec<u8>, JudgeError> {
    let (rows, columns) = (job.rows as usize, job.columns as usize);
    let vectors = inputs.get(&job.input)?;
    let found = vectors.len();
    let wrong_length = || InputError::Length {
        hash: hex::encode(job.input.hash),
        expected: job.input.size,
        found,
    };
    let start = place / rows * columns;
    let vector = vectors.get(start..start + columns).ok_or_else(wrong_length)?;
    let input = BlobRef::to(vector);
    let one = MatmulJob {
        first_row: job.first_row + (place % rows) as u32,
        rows: 1,
        input,
        vectors: 1,
        ..*job
    };
    Ok(compute(JobKind::Matmul(one), inputs, Some((input, vector.to_vec())))?)
}
