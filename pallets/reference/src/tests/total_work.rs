//! What computing a job whole takes: of jobs of every kind, and of those that would take a looker long.

use crate::*;
use agora_jobs::{BlobRef, JobKind, JobSpec, Mode, ProgramJob, SyntheticJob};
use codec::DecodeAll;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    job: String,
}

fn jobs() -> Vec<JobSpec> {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../../../tests/vectors/self_test.json")).unwrap();
    let job = |vector: &Vector| JobSpec::decode_all(&mut &hex::decode(&vector.job).unwrap()[..]).unwrap();
    vectors.iter().map(job).collect()
}

fn synthetic(matrix_size: u32, iterations: u32) -> JobSpec {
    JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [1; 32],
        matrix_size,
        iterations,
    }))
}

fn program(mode: Mode, items: u32, gas: u64, image_bytes: u64, record_bytes: u32) -> JobSpec {
    JobSpec::V2(JobKind::Program(ProgramJob {
        image: BlobRef {
            size: image_bytes,
            ..BlobRef::to(&[])
        },
        inputs: Default::default(),
        mode,
        items,
        gas,
        record_bytes,
    }))
}

#[test]
fn it_is_the_sum_over_all_units() {
    for job in jobs() {
        let law = of(&job);
        let steps: Vec<_> = [Step::Inputs]
            .into_iter()
            .chain((0..law.states()).map(Step::State))
            .collect();
        let units: Vec<Unit> = steps
            .iter()
            .flat_map(|&step| (0..law.units(step)).map(move |unit| law.unit(step, unit).unwrap()))
            .collect();
        let bytes = |unit: &Unit| match unit.output {
            Output::Kept { size } | Output::Part { size, .. } => size,
        };
        let sum = |of: &dyn Fn(&Unit) -> u64| units.iter().map(of).sum::<u64>();
        let expected = sum(&|unit| unit.work)
            + 256 * sum(&|unit| unit.chunks)
            + 16 * sum(&bytes)
            + 4096 * (units.len() + steps.len()) as u64;
        assert_eq!(total_work(&job, u64::MAX), Some(expected), "{job:?}");
        assert_eq!(total_work(&job, expected), Some(expected));
        assert_eq!(total_work(&job, expected - 1), None, "{job:?}");
    }
}

#[test]
fn it_is_no_less_than_the_work_of_products_and_programs() {
    for job in [synthetic(64, 4), synthetic(1, 1), program(Mode::Map, 3, 1000, 10, 1024)] {
        assert!(u128::from(total_work(&job, u64::MAX).unwrap()) > job.work(), "{job:?}");
    }
}

#[test]
fn many_small_units_cost_what_they_are() {
    let one = |job: &JobSpec| total_work(job, u64::MAX).unwrap();
    // Each state is a step and a unit, whatever is in it.
    assert!(one(&synthetic(1, 1001)) - one(&synthetic(1, 1)) >= 1000 * 2 * 4096);
    let runs = |mode, items| one(&program(mode, items, 1, 1, 1024));
    assert!(runs(Mode::Map, 100) > 100 * (1 << 20));
    assert!(runs(Mode::Fold, 100) > runs(Mode::Map, 100), "each step is a state");
    // What is decoded or written for each run.
    let decoded = |image| one(&program(Mode::Map, 10, 1, image, 1024));
    assert!(decoded(1 << 20) - decoded(1) > 10 * (4 << 20));
    let written = |record| one(&program(Mode::Map, 10, 1, 1, record));
    assert!(written(1 << 17) - written(1024) >= 10 * 16 * ((1 << 17) - 1024));
}

/// Whoever looks must not be kept busy: these have as many units as there can be.
#[test]
fn no_more_is_looked_at_than_the_bound_allows() {
    for job in [
        synthetic(4096, 16_384),
        program(Mode::Map, 1 << 18, 1, 1, 1024),
        program(Mode::Fold, 1 << 18, 1, 1, 1024),
    ] {
        assert_eq!(job.validate(), Ok(()));
        for most in [0, 1, 4095, 4096, 1 << 24] {
            assert_eq!(total_work(&job, most), None);
        }
    }
    assert_eq!(
        total_work(&program(Mode::Map, 1, u64::MAX, u64::MAX, u32::MAX), u64::MAX),
        None,
        "it saturates"
    );
}
