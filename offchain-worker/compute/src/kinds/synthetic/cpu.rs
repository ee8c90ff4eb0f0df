//! The reference, as fast as the processor can.

use crate::{
    digest::output_digest,
    engine::{CancelFlag, Computation},
    error::EngineError,
    gemm::{PackedLeft, PackedRight, product},
    kinds::Run,
};
use agora_math::field::{MODULUS, symmetric};
use agora_primitives::job::SyntheticJob;
use rayon::prelude::*;

/// Elements that one task converts.
const ELEMENTS_PER_TASK: usize = 1 << 16;

/// A multiple of the modulus that makes every sum positive and none wrap: it is near 2³¹, and sums are at most
/// `MAX_MATRIX_SIZE · 125²` < 2²⁶ in size; as unsigned numbers, they have room above.
const OFFSET: i32 = MODULUS as i32 * (1 << 23);

pub(super) fn run(job: &SyntheticJob, run: &Run<'_>) -> Result<Computation, EngineError> {
    let mut state = super::start(job);
    let mut chain = Chain::new(job)?;
    let mut state_digests = vec![output_digest(&state)];
    run.progress.update(0, job.iterations);
    for i in 1..=job.iterations {
        chain.step(&mut state, run.cancel)?;
        state_digests.push(output_digest(&state));
        run.progress.update(i, job.iterations);
    }
    Ok(Computation {
        output: state,
        state_digests,
    })
}

/// Makes the state after `state`, which is of the job's size, of canonical residues.
pub(super) fn step(job: &SyntheticJob, state: &[u8]) -> Result<Vec<u8>, EngineError> {
    let mut next = state.to_vec();
    Chain::new(job)?.step(&mut next, &CancelFlag::new())?;
    Ok(next)
}

/// `A`, ready to be multiplied with one state after the other.
struct Chain {
    factor: PackedLeft,
    columns: PackedRight,
    residues: Vec<i8>,
}

impl Chain {
    fn new(job: &SyntheticJob) -> Result<Self, EngineError> {
        let n = job.matrix_size as usize;
        let mut residues = vec![0; n * n];
        to_symmetric(&super::factor(job), &mut residues);
        Ok(Self {
            factor: PackedLeft::new(&residues, n, n)?,
            columns: PackedRight::new(&residues, n, n)?,
            residues,
        })
    }

    /// `state ← A · state`.
    fn step(&mut self, state: &mut [u8], cancel: &CancelFlag) -> Result<(), EngineError> {
        to_symmetric(state, &mut self.residues);
        self.columns.replace(&self.residues)?;
        product(&self.factor, &self.columns, cancel, state, |_, sums, state| {
            for (residue, &sum) in state.iter_mut().zip(sums) {
                *residue = canonical(sum);
            }
        })?;
        Ok(())
    }
}

/// The canonical residue of a sum, in a form that compilers vectorise: without a sign, and without checks.
#[inline(always)]
fn canonical(sum: i32) -> u8 {
    (sum.wrapping_add(OFFSET) as u32 % u32::from(MODULUS)) as u8
}

/// Writes the symmetric residues of canonical ones.
fn to_symmetric(canonical: &[u8], residues: &mut [i8]) {
    let tasks = residues
        .par_chunks_mut(ELEMENTS_PER_TASK)
        .zip(canonical.par_chunks(ELEMENTS_PER_TASK));
    tasks.for_each(|(residues, canonical)| {
        for (residue, &byte) in residues.iter_mut().zip(canonical) {
            // Symmetric residues fit a signed byte.
            *residue = symmetric(byte) as i8;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoInputs, NoProgress};
    use agora_math::field;
    use proptest::prelude::*;

    /// What the job is, word for word: each element of each state, one by one.
    fn plain(job: &SyntheticJob) -> Vec<Vec<u8>> {
        let n = job.matrix_size as usize;
        let factor = super::super::factor(job);
        let mut states = vec![super::super::start(job)];
        for _ in 0..job.iterations {
            let state = &states[states.len() - 1];
            let element = |i: usize| {
                let terms = (0..n).map(|j| u64::from(factor[i / n * n + j]) * u64::from(state[j * n + i % n]));
                (terms.sum::<u64>() % 251) as u8
            };
            states.push((0..n * n).map(element).collect());
        }
        states
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn states_are_those_of_the_plain_product(seed: [u8; 32], matrix_size in 1u32..120, iterations in 1u32..5) {
            let job = SyntheticJob { seed, matrix_size, iterations };
            let (progress, cancel) = (&NoProgress, &CancelFlag::new());
            let computed = run(&job, &Run { inputs: &NoInputs, progress, cancel }).unwrap();
            let states = plain(&job);
            prop_assert_eq!(&computed.output, &states[states.len() - 1]);
            let digests: Vec<_> = states.iter().map(|state| output_digest(state)).collect();
            prop_assert_eq!(computed.state_digests, digests);
        }

        #[test]
        fn sums_are_reduced_to_canonical_residues(sum in -(1i32 << 27)..1 << 27) {
            prop_assert_eq!(canonical(sum), field::canonical(sum));
        }
    }

    #[test]
    fn the_largest_sums_are_reduced() {
        let largest = 4096 * 125 * 125;
        for sum in [-largest, largest, -1, 0, 1, 250, 251] {
            assert_eq!(canonical(sum), field::canonical(sum));
        }
    }
}
