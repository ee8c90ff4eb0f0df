//! Whole jobs that have no outcome, and jobs that are outside of their limits.

use super::world::Contents;
use crate::{Fault, Source, Step, of, run};
use agora_jobs::{BlobRef, JobKind, JobSpec, MatmulJob, NetworkShape, Region, RenderingJob, SyntheticJob, TrainingJob};
use proptest::prelude::*;

fn matmul(matrix: BlobRef, input: BlobRef) -> JobSpec {
    JobSpec::V2(JobKind::Matmul(MatmulJob {
        matrix,
        columns: 2,
        first_row: 0,
        rows: 1,
        input,
        vectors: 1,
    }))
}

#[test]
fn an_input_that_is_not_at_hand_is_missing() {
    let mut contents = Contents::default();
    let matrix = contents.insert(vec![1, 2]);
    let input = contents.insert(vec![3, 4]);
    assert!(run(&matmul(matrix, input), &contents).is_ok());
    contents.0.remove(&input);
    let source = Source::Input(input);
    assert_eq!(
        run(&matmul(matrix, input), &contents),
        Err(Fault::Missing { source, chunk: 0 })
    );
}

#[test]
fn an_input_that_is_shorter_than_it_says_is_missing() {
    let mut contents = Contents::default();
    let matrix = contents.insert(vec![1, 2]);
    let input = contents.insert(vec![3, 4]);
    contents.0.insert(input, vec![3]);
    let source = Source::Input(input);
    assert_eq!(
        run(&matmul(matrix, input), &contents),
        Err(Fault::Missing { source, chunk: 0 })
    );
}

#[test]
fn a_job_outside_of_its_limits_has_no_unit() {
    let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [0; 32],
        matrix_size: 0,
        iterations: 1,
    }));
    assert_eq!(run(&job, &Contents::default()), Err(Fault::NoUnit));
}

/// Zero, one, any number, the largest.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(1), 0u32..300, any::<u32>(), Just(u32::MAX)]
}

prop_compose! {
    fn any_job()(
        n in prop::array::uniform14(number()), size: u64, seed: [u8; 32], which in 0u8..5, started: bool,
    ) -> JobKind {
        let blob = BlobRef { size: size >> (n[0] % 64), ..BlobRef::to(&[]) };
        match which {
            0 => JobKind::Synthetic(SyntheticJob { seed, matrix_size: n[1], iterations: n[2] }),
            1 => JobKind::Matmul(MatmulJob {
                matrix: blob, columns: n[1], first_row: n[2], rows: n[3], input: blob, vectors: n[4],
            }),
            2 => JobKind::Rendering(RenderingJob {
                scene: blob, seed, width: n[1], height: n[2],
                region: Region { x: n[3], y: n[4], width: n[5], height: n[6] },
                first_frame: n[7], frames: n[8], samples: n[9], max_bounces: n[10], max_steps: n[11],
            }),
            _ => JobKind::Training(TrainingJob {
                data: blob, width: n[1], height: n[2], classes: n[3],
                network: if which == 3 {
                    NetworkShape::Perceptron { hidden: n[4] }
                } else {
                    NetworkShape::Convolutional { channels: n[4], window: n[5], pool: n[6] }
                },
                seed, batch: n[7], segments: n[8], segment_steps: n[9], state_interval: n[10], rate_shift: n[11],
                halve_after: n[12], momentum_shift: n[13], start: started.then_some(blob),
            }),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn what_is_said_of_a_job_outside_of_its_limits_never_panics(kind in any_job(), state: u64, unit: u64) {
        let job = JobSpec::V2(kind);
        let law = of(&job);
        for state in [0, 1, state, law.states().saturating_sub(1)] {
            law.state_size(state);
            for step in [Step::Inputs, Step::State(state)] {
                let units = law.units(step);
                for unit in [0, unit, units.saturating_sub(1), units] {
                    law.unit(step, unit);
                }
            }
        }
    }
}
