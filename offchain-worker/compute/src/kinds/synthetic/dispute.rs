//! Disputes: each iteration is a state that follows from the one before.

use super::{cpu, start};
use crate::{
    inputs::NoInputs,
    kinds::{JudgeError, OutputState, Trace, dispute::compute},
};
use agora_math::field::MODULUS;
use agora_primitives::job::{JobKind, SyntheticJob};

/// The first state, and one for each iteration.
pub(super) const fn trace(job: &SyntheticJob) -> Trace {
    Trace {
        states: job.iterations + 1,
        output: OutputState::Chained,
    }
}

/// State `step − 1`; nothing before the first.
pub(super) fn state_before(job: &SyntheticJob, step: u32) -> Result<Vec<u8>, JudgeError> {
    match step {
        0 => Ok(Vec::new()),
        1 => Ok(start(job)),
        _ => {
            let iterations = step - 1;
            let part = JobKind::Synthetic(SyntheticJob { iterations, ..*job });
            Ok(compute(part, &NoInputs, None)?)
        }
    }
}

/// State `step`, from the one before, at the cost of one iteration.
///
/// Errors: `Before` if `before` is no matrix of canonical residues.
pub(super) fn state(job: &SyntheticJob, step: u32, before: &[u8]) -> Result<Vec<u8>, JudgeError> {
    if step == 0 {
        return Ok(start(job));
    }
    let n = job.matrix_size as usize;
    if before.len() != n * n || before.iter().any(|&residue| residue >= MODULUS) {
        return Err(JudgeError::Before);
    }
    Ok(cpu::step(job, step - 1, before)?)
}
