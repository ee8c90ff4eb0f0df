use super::{
    limits::{bounded, places, run_in_the_machine, survives, up_to},
    world::{Contents, World},
};
use crate::Fault;
use agora_jobs::{JobKind, MAX_ITERATIONS, MAX_MATRIX_SIZE, SyntheticJob};
use agora_math::field::{Generator, philox4x32_10};
use proptest::prelude::*;

fn world(job: SyntheticJob) -> World {
    World::new(JobKind::Synthetic(job), &Contents::default()).unwrap()
}

/// The states as the page says, with plain loops over whole matrices of 64-bit numbers.
fn expected(job: &SyntheticJob) -> Vec<Vec<u8>> {
    let n = job.matrix_size as u64;
    let word = |label: &[u8], index: u64| {
        let (key, [n0, n1]) = Generator::new(&job.seed, label).key_and_nonce();
        philox4x32_10([(index / 4) as u32, 0, n0, n1], key)[(index % 4) as usize] as u64
    };
    let mut states = vec![(0..n * n).map(|i| word(b"M", i) % 251).collect::<Vec<u64>>()];
    for step in 0..job.iterations as u64 {
        let m = states.last().unwrap();
        let element = |at: u64| {
            let (row, column) = (at / n, at % n);
            let products = (0..n).map(|j| {
                let diagonal = 1 + word(b"D", step * n + j) % 250;
                (word(b"A", row * n + j) % 251) * diagonal * m[(j * n + column) as usize]
            });
            products.sum::<u64>() % 251
        };
        let next = (0..n * n).map(element).collect();
        states.push(next);
    }
    states
        .into_iter()
        .map(|state| state.into_iter().map(|x| x as u8).collect())
        .collect()
}

#[test]
fn two_by_two_by_hand() {
    // A = (246 235 / 234 171) and M_0 = (122 159 / 147 86). D_0 = (198, 127), so that
    // A · D_0 = (246 · 198, 235 · 127 / 234 · 198, 171 · 127) = (14 227 / 148 131).
    let by_hand = [
        14 * 122 + 227 * 147,
        14 * 159 + 227 * 86,
        148 * 122 + 131 * 147,
        148 * 159 + 131 * 86,
    ];
    assert_eq!(by_hand.map(|x| x % 251), [188, 162, 165, 160]);
    let world = world(SyntheticJob {
        seed: [1; 32],
        matrix_size: 2,
        iterations: 3,
    });
    let states = [
        [122, 159, 147, 86],
        [188, 162, 165, 160],
        [104, 93, 73, 216],
        [89, 86, 56, 128],
    ];
    assert_eq!(world.states, states);
    let diagonals = (0..2).flat_map(|block| Generator::new(&[1; 32], b"D").words(block));
    let diagonals: Vec<u32> = diagonals.take(6).map(|word| 1 + word % 250).collect();
    assert_eq!(diagonals, [198, 127, 98, 32, 173, 233]);
}

#[test]
fn states_are_the_products_of_a_plain_loop() {
    for (matrix_size, iterations) in [(1, 3), (2, 5), (3, 4), (7, 5), (33, 3), (64, 2), (70, 1)] {
        let job = SyntheticJob {
            seed: [matrix_size as u8; 32],
            matrix_size,
            iterations,
        };
        let world = world(job);
        assert_eq!(world.states, expected(&job), "{matrix_size}");
        world.units_stand_alone(1);
    }
}

#[test]
fn parts_of_a_large_state_tile_it() {
    let job = SyntheticJob {
        seed: [9; 32],
        matrix_size: 397,
        iterations: 1,
    };
    let world = world(job);
    assert_eq!(world.output().len(), 397 * 397);
    world.units_stand_alone(37);
}

#[test]
fn a_state_of_no_residues_counts_as_the_residues() {
    use crate::{Blobs, Source, Step, of};
    struct Before([u8; 4]);
    impl Blobs for Before {
        fn chunk(&self, source: &Source, _: u64, chunk: &mut [u8; 1024]) -> Option<usize> {
            assert_eq!(*source, Source::State(0));
            chunk[..4].copy_from_slice(&self.0);
            Some(4)
        }
    }
    let job = agora_jobs::JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [3; 32],
        matrix_size: 2,
        iterations: 1,
    }));
    let of_state = |state| of(&job).compute(&Before(state), Step::State(1), 0);
    assert_eq!(of_state([255, 254, 253, 252]), of_state([4, 3, 2, 1]));
    assert!(matches!(of_state([251, 0, 1, 250]), Ok::<_, Fault>(bytes) if bytes.iter().all(|&byte| byte <= 250)));
}

fn kind((matrix_size, iterations): (u32, u32)) -> JobKind {
    JobKind::Synthetic(SyntheticJob {
        seed: [7; 32],
        matrix_size,
        iterations,
    })
}

fn sizes() -> impl Strategy<Value = (u32, u32)> {
    (up_to(MAX_MATRIX_SIZE), up_to(MAX_ITERATIONS))
}

proptest! {
    #[test]
    fn units_of_any_job_are_bounded(sizes in sizes(), places in places()) {
        bounded(kind(sizes), &places);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn units_survive_noise(sizes in sizes(), place: (u64, u64), seed: u32) {
        survives(kind(sizes), &[place], seed);
    }
}

#[test]
fn units_of_the_largest_jobs_are_bounded() {
    let places = [(1, 1), (u64::MAX, u64::MAX)];
    for sizes in [(4096, 1024), (4095, 1000), (2048, 4096), (1024, 1), (363, 1)] {
        assert!(bounded(kind(sizes), &places));
    }
    assert!(survives(kind((4096, 1024)), &places[..1], 0));
}

#[test]
#[ignore = "minutes: make test-long"]
fn the_largest_units_run_in_the_machine() {
    for sizes in [(MAX_MATRIX_SIZE, 1), (MAX_MATRIX_SIZE - 1, 3), (512, 2), (1, 2)] {
        assert!(run_in_the_machine(kind(sizes)));
    }
}
