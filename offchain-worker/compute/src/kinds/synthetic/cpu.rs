//! On the processor, as fast as it can.

use super::Diagonals;
use crate::{
    computation::Computation,
    digest::output_digest,
    kernels::cpu::{PackedLhs, PackedRhs, product},
    kinds::EngineError,
    run::{CancelFlag, Run},
};
use agora_math::{
    field::{MAX_SYMMETRIC, MODULUS, symmetric},
    merkle::Hash,
};
use agora_primitives::job::SyntheticJob;
use rayon::prelude::*;

/// Elements that one task converts.
const ELEMENTS_PER_TASK: usize = 1 << 16;

/// A multiple of the modulus that makes every sum positive and none wrap: it is near 2³¹, and sums are at most
/// `MAX_MATRIX_SIZE · 125²` < 2²⁶ in size; as unsigned numbers, they have room above.
const OFFSET: i32 = MODULUS as i32 * (1 << 23);

/// A multiple of the modulus that makes every product of two symmetric residues positive.
const SCALED_OFFSET: i16 = MODULUS as i16 * 63;

pub(super) fn run(job: &SyntheticJob, run: &Run<'_>) -> Result<Computation, EngineError> {
    let mut chain = Chain::new(job)?;
    let mut state = to_symmetric(&super::start(job));
    let mut next = vec![0; state.len()];
    let mut output = vec![0; state.len()];
    let mut state_digests = Vec::new();
    run.progress.update(0, job.iterations);
    for i in 0..job.iterations {
        // Together, so that each fills the gaps in which the other waits for its last task.
        let (stepped, digest) = rayon::join(
            || chain.step(i, &state, &mut next, run.cancel),
            || digest(&state, &mut output),
        );
        stepped?;
        state_digests.push(digest);
        std::mem::swap(&mut state, &mut next);
        run.progress.update(i + 1, job.iterations);
    }
    state_digests.push(digest(&state, &mut output));
    Ok(Computation { output, state_digests })
}

/// `A`, ready to be multiplied with one state after the other.
struct Chain {
    diagonals: Diagonals,
    factor: PackedLhs,
    columns: PackedRhs,
}

impl Chain {
    fn new(job: &SyntheticJob) -> Result<Self, EngineError> {
        let n = job.matrix_size as usize;
        let residues = to_symmetric(&super::factor(job));
        Ok(Self {
            diagonals: Diagonals::new(job),
            factor: PackedLhs::new(&residues, n, n)?,
            columns: PackedRhs::new(&residues, n, n)?,
        })
    }

    /// `after = A · D_i · before`, in symmetric residues.
    fn step(&mut self, i: u32, before: &[i8], after: &mut [i8], cancel: &CancelFlag) -> Result<(), EngineError> {
        let diagonal: Vec<i16> = self.diagonals.of(i).into_iter().map(symmetric).collect();
        // Scaled while it is packed: not in `before`, which is hashed at the same time.
        self.columns.replace_mapped(before, |row| {
            let factor = diagonal[row];
            move |residue| scaled(residue, factor)
        })?;
        product(&self.factor, &self.columns, cancel, after, |_, sums, after| {
            for (residue, &sum) in after.iter_mut().zip(sums) {
                *residue = reduced(sum);
            }
        })?;
        Ok(())
    }
}

/// Writes `state` to `output` in canonical residues, and returns its digest.
fn digest(state: &[i8], output: &mut [u8]) -> Hash {
    to_canonical(state, output);
    output_digest(output)
}

/// The symmetric residue of a sum, in a form that compilers vectorise: without branches, and without checks.
#[inline(always)]
fn reduced(sum: i32) -> i8 {
    signed((sum.wrapping_add(OFFSET) as u32 % u32::from(MODULUS)) as u8)
}

/// The product of two symmetric residues, likewise.
#[inline(always)]
fn scaled(residue: i8, factor: i16) -> i8 {
    // Between −125² and 125²: made positive by a multiple of the modulus, it fits 15 bits.
    let product = i16::from(residue).wrapping_mul(factor);
    signed((product.wrapping_add(SCALED_OFFSET) as u16 % u16::from(MODULUS)) as u8)
}

/// The symmetric residue of a canonical one, likewise.
#[inline(always)]
fn signed(canonical: u8) -> i8 {
    // From 126 on 251 less, which is 5 more modulo 256.
    canonical.wrapping_add(if canonical > MAX_SYMMETRIC as u8 { 5 } else { 0 }) as i8
}

/// The symmetric residues of canonical ones.
fn to_symmetric(canonical: &[u8]) -> Vec<i8> {
    // They fit a signed byte.
    canonical.par_iter().map(|&byte| symmetric(byte) as i8).collect()
}

/// Writes the canonical residues of symmetric ones.
fn to_canonical(symmetric: &[i8], canonical: &mut [u8]) {
    let tasks = canonical
        .par_chunks_mut(ELEMENTS_PER_TASK)
        .zip(symmetric.par_chunks(ELEMENTS_PER_TASK));
    tasks.for_each(|(canonical, symmetric)| {
        for (byte, &residue) in canonical.iter_mut().zip(symmetric) {
            // Below zero 251 more, which is 5 less modulo 256.
            *byte = (residue as u8).wrapping_sub(if residue < 0 { 5 } else { 0 });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoInputs, NoProgress};
    use agora_math::field::{self, Generator};
    use proptest::prelude::*;

    /// The definition of the job: each element of each state, one by one.
    fn plain(job: &SyntheticJob) -> Vec<Vec<u8>> {
        let n = job.matrix_size as usize;
        let factor = super::super::factor(job);
        let mut states = vec![super::super::start(job)];
        let generator = Generator::new(&job.seed, b"D");
        let diagonal = |index: u64| 1 + u64::from(generator.words(index / 4)[(index % 4) as usize] % 250);
        for step in 0..u64::from(job.iterations) {
            let state = &states[states.len() - 1];
            let scales: Vec<u64> = (0..n as u64).map(|row| diagonal(step * n as u64 + row)).collect();
            let element = |i: usize| {
                let scaled = |j: usize| scales[j] * u64::from(state[j * n + i % n]);
                let terms = (0..n).map(|j| u64::from(factor[i / n * n + j]) * scaled(j));
                (terms.sum::<u64>() % 251) as u8
            };
            states.push((0..n * n).map(element).collect());
        }
        states
    }

    proptest! {
        #![proptest_config(agora_test_support::cases(48))]

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
        fn sums_are_reduced_to_symmetric_residues(sum in -(1i32 << 27)..1 << 27) {
            prop_assert_eq!(i16::from(reduced(sum)), field::symmetric_of(sum));
        }
    }

    #[test]
    fn residues_are_scaled_as_the_field_says() {
        for residue in -125i8..=125 {
            for factor in -125i16..=125 {
                let expected = field::symmetric_of(i32::from(residue) * i32::from(factor));
                assert_eq!(i16::from(scaled(residue, factor)), expected, "{residue} · {factor}");
            }
        }
    }

    #[test]
    fn the_largest_sums_are_reduced() {
        let largest = 4096 * 125 * 125;
        for sum in [-largest, largest, -1, 0, 1, 250, 251] {
            assert_eq!(i16::from(reduced(sum)), field::symmetric_of(sum));
        }
    }
}
