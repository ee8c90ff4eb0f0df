use super::{
    limits::{bounded, places, run_in_the_machine, survives, up_to},
    world::{Contents, World},
};
use agora_jobs::{BlobRef, JobKind, MAX_COLUMNS, MAX_ROWS, MAX_VECTORS, MatmulJob};
use proptest::prelude::*;

/// The job with made content, as the page of the kind demands.
fn job(sizes: [u32; 5], matrix: Vec<u8>, input: Vec<u8>) -> (MatmulJob, Contents) {
    let [columns, first_row, rows, _, vectors] = sizes;
    let mut contents = Contents::default();
    let job = MatmulJob {
        matrix: contents.insert(matrix),
        columns,
        first_row,
        rows,
        input: contents.insert(input),
        vectors,
    };
    (job, contents)
}

fn made(sizes: [u32; 5], name: &str) -> (MatmulJob, Contents) {
    let [columns, _, _, matrix_rows, vectors] = sizes;
    let bytes = |label: &str, lines: u32| -> Vec<u8> {
        let blocks = (0u32..).flat_map(|i| {
            let text = [name.as_bytes(), label.as_bytes(), &i.to_le_bytes()].concat();
            sp_crypto_hashing::blake2_256(&text)
        });
        blocks.take((columns * lines) as usize).collect()
    };
    job(sizes, bytes(" W", matrix_rows), bytes(" x", vectors))
}

/// The output with plain loops, from the definition.
fn expected(job: &MatmulJob, contents: &Contents) -> Vec<u8> {
    let number = |blob: &BlobRef, line: u32, column: u32| {
        i64::from(contents.0[blob][(line * job.columns + column) as usize] as i8)
    };
    let product = |v: u32, r: u32| -> i64 {
        let row = job.first_row + r;
        (0..job.columns)
            .map(|j| number(&job.matrix, row, j) * number(&job.input, v, j))
            .sum()
    };
    let pairs = (0..job.vectors).flat_map(|v| (0..job.rows).map(move |r| (v, r)));
    pairs.flat_map(|(v, r)| (product(v, r) as i32).to_le_bytes()).collect()
}

#[test]
fn outputs_are_those_of_the_vectors() {
    let cases: serde_json::Value = serde_json::from_str(include_str!("../../../../tests/vectors/matmul.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let number = |field: &str| case[field].as_u64().unwrap() as u32;
        let sizes = ["columns", "first_row", "rows", "matrix_rows", "vectors"].map(number);
        let (job, contents) = made(sizes, case["name"].as_str().unwrap());
        let world = World::new(JobKind::Matmul(job), &contents).unwrap();
        let first = hex::decode(case["output_first_bytes"].as_str().unwrap()).unwrap();
        assert_eq!(world.output()[..first.len()], first);
        assert_eq!(world.output(), expected(&job, &contents));
        world.units_stand_alone(1);
    }
}

#[test]
fn parts_that_span_vectors_are_right() {
    for sizes in [
        [3, 1, 70, 72, 900],
        [2, 0, 1, 1, 40_000],
        [1, 0, 33_000, 33_000, 2],
        [131_071, 0, 7, 7, 40],
        [131_071, 2, 90, 92, 3],
        [5000, 1, 300, 301, 9],
    ] {
        let (job, contents) = made(sizes, "spans");
        let world = World::new(JobKind::Matmul(job), &contents).unwrap();
        assert_eq!(world.output(), expected(&job, &contents), "{sizes:?}");
    }
}

#[test]
fn the_largest_sums_fit() {
    let sizes = [MAX_COLUMNS, 0, 2, 2, 1];
    let columns = MAX_COLUMNS as usize;
    let matrix = [vec![0x80; columns], vec![0x7f; columns]].concat();
    let (job, contents) = job(sizes, matrix, vec![0x80; columns]);
    let world = World::new(JobKind::Matmul(job), &contents).unwrap();
    let expected = [131_071 * 16_384, 131_071 * 127 * -128].map(i32::to_le_bytes).concat();
    assert_eq!(world.output(), expected);
}

/// A job with these numbers of columns, rows and vectors.
fn large((columns, rows, vectors): (u32, u32, u32)) -> JobKind {
    let blob = |lines: u64| BlobRef {
        size: lines * u64::from(columns),
        ..BlobRef::to(&[])
    };
    JobKind::Matmul(MatmulJob {
        // There are rows before and after.
        matrix: blob(u64::from(rows) + 3),
        columns,
        first_row: 2,
        rows,
        input: blob(vectors.into()),
        vectors,
    })
}

prop_compose! {
    /// Jobs at and near the limits; those that are too large together have fewer vectors, then fewer rows.
    fn jobs()(
        columns in up_to(MAX_COLUMNS), rows in up_to(MAX_ROWS), vectors in up_to(MAX_VECTORS),
    ) -> JobKind {
        let most = (1u64 << 46) / u64::from(columns);
        let rows = u64::from(rows).min((1 << 36) / u64::from(columns) - 3);
        let vectors = u64::from(vectors).min(most / rows).min((1 << 26) / rows).max(1);
        large((columns, rows as u32, vectors as u32))
    }
}

proptest! {
    #[test]
    fn units_of_any_job_are_bounded(job in jobs(), places in places()) {
        prop_assert!(bounded(job, &places));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn units_survive_noise(job in jobs(), place: (u64, u64), seed: u32) {
        prop_assert!(survives(job, &[place], seed));
    }
}

#[test]
fn units_of_the_largest_jobs_are_bounded() {
    let places = [(0, 1), (1, u64::MAX / 3)];
    for sizes in [
        (MAX_COLUMNS, MAX_ROWS / 2, 1),
        (MAX_COLUMNS, 1, MAX_VECTORS),
        (MAX_COLUMNS, 16, 32_768),
        (MAX_COLUMNS, 86, 4096),
        (1000, 1, MAX_VECTORS),
        (1, MAX_ROWS, 64),
    ] {
        assert!(bounded(large(sizes), &places), "{sizes:?}");
        assert!(survives(large(sizes), &places[..1], 0), "{sizes:?}");
    }
}

#[test]
#[ignore = "minutes: make test-long"]
fn the_largest_units_run_in_the_machine() {
    for sizes in [
        (MAX_COLUMNS, 86, 4096),
        (MAX_COLUMNS, 1, MAX_VECTORS),
        (1000, 1, MAX_VECTORS),
        (1, MAX_ROWS, 64),
    ] {
        assert!(run_in_the_machine(large(sizes)), "{sizes:?}");
    }
}
