//! Rows of a matrix times vectors.

use super::{CHECK_GOAL, Subject};
use crate::operands::{giga_operations, job};
use agora_compute::{JobKind, JobSpec, MatmulJob, MemoryInputs, synthetic};
use agora_math::field::symmetric;

/// Rows, columns and vectors.
const SIZE: u32 = 4096;

/// As many rows and vectors as columns: the product of two square matrices.
pub fn square() -> Subject {
    let numbers = job(SIZE, 1);
    let mut inputs = MemoryInputs::new();
    let mut blob = |residues: Vec<u8>| {
        // Two's complement: the low byte of a small number is the number.
        let bytes: Vec<u8> = residues.into_iter().map(|residue| symmetric(residue) as u8).collect();
        inputs.insert(bytes)
    };
    let job = MatmulJob {
        matrix: blob(synthetic::factor(&numbers)),
        columns: SIZE,
        first_row: 0,
        rows: SIZE,
        input: blob(synthetic::start(&numbers)),
        vectors: SIZE,
    };
    Subject {
        name: "4096 rows times 4096 vectors",
        job: JobSpec::V2(JobKind::Matmul(job)),
        inputs,
        amount: giga_operations(SIZE, 1),
        unit: "GOPS",
        check_goal: Some(CHECK_GOAL),
    }
}
