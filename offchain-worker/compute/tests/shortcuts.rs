//! Cheaper answers to a synthetic job, which the check must refuse.

use agora_compute::{
    CancelFlag, CpuEngine, Engine, JobKind, JobSpec, NoInputs, NoProgress, SyntheticJob, Verdict, synthetic,
};
use agora_math::field::canonical;

const JOB: SyntheticJob = SyntheticJob {
    seed: [0x5c; 32],
    matrix_size: 48,
    iterations: 32,
};
const N: usize = JOB.matrix_size as usize;

fn multiply(a: &[u8], b: &[u8]) -> Vec<u8> {
    let element = |i: usize| {
        let terms = (0..N).map(|k| i32::from(a[i / N * N + k]) * i32::from(b[k * N + i % N]));
        canonical(terms.sum())
    };
    (0..N * N).map(element).collect()
}

/// The chain with these diagonals.
fn chain(diagonals: &[Vec<u8>]) -> Vec<u8> {
    let factor = synthetic::factor(&JOB);
    diagonals.iter().fold(synthetic::start(&JOB), |mut state, diagonal| {
        for (row, &scale) in state.chunks_exact_mut(N).zip(diagonal) {
            for element in row {
                *element = canonical(i32::from(*element) * i32::from(scale));
            }
        }
        multiply(&factor, &state)
    })
}

fn diagonals() -> Vec<Vec<u8>> {
    (0..JOB.iterations)
        .map(|step| synthetic::Diagonals::new(&JOB).of(step))
        .collect()
}

fn is_accepted(output: &[u8]) -> bool {
    let spec = JobSpec::V2(JobKind::Synthetic(JOB));
    CpuEngine.check_output(&spec, &NoInputs, output, &[9; 32]).unwrap() == Verdict::Right
}

#[test]
fn the_chain_is_accepted_and_is_what_the_engine_computes() {
    let output = chain(&diagonals());
    assert!(is_accepted(&output));
    let spec = JobSpec::V2(JobKind::Synthetic(JOB));
    let computed = CpuEngine::new().run(&spec, &NoInputs, &NoProgress, &CancelFlag::new());
    assert_eq!(computed.unwrap().output, output);
}

#[test]
fn a_power_of_the_factor_is_refused() {
    let power = (0..JOB.iterations.ilog2()).fold(synthetic::factor(&JOB), |power, _| multiply(&power, &power));
    let squared = multiply(&power, &synthetic::start(&JOB));
    // Six products for 32: the whole chain, if there were no diagonals.
    assert_eq!(squared, chain(&vec![vec![1; N]; JOB.iterations as usize]));
    assert!(!is_accepted(&squared));
}

#[test]
fn a_chain_with_other_diagonals_is_refused() {
    let right = diagonals();
    let mut wrong = vec![right.clone(); 4];
    wrong[0].swap(7, 8);
    wrong[1][31][N - 1] = wrong[1][31][N - 1] % 250 + 1;
    // The first diagonal in every step, and all of them one step late.
    wrong[2].fill(right[0].clone());
    wrong[3].rotate_right(1);
    for (i, wrong) in wrong.iter().enumerate() {
        assert!(!is_accepted(&chain(wrong)), "case {i}");
    }
}

#[test]
fn no_diagonal_has_a_zero_and_none_is_the_same_as_another() {
    let mut diagonals = diagonals();
    assert!(diagonals.iter().flatten().all(|residue| (1..=250).contains(residue)));
    diagonals.sort();
    diagonals.dedup();
    assert_eq!(diagonals.len(), JOB.iterations as usize);
}
