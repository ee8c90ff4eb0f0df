//! What the check finds, and how often.

use crate::{
    CONVOLUTION, CPU,
    jobs::{digits_job, jobs},
    opened, run, spec,
};
use agora_compute::{Engine, Inputs, NetworkShape, Place, TrainingJob, Verdict};
use proptest::prelude::*;

pub fn check(job: TrainingJob, inputs: &dyn Inputs, output: &[u8], seed: [u8; 32]) -> Verdict {
    opened::check(&spec(job), inputs, output, &seed)
}

/// The same on the processor alone, for many seeds.
fn check_on_cpu(job: TrainingJob, inputs: &dyn Inputs, output: &[u8], seed: [u8; 32]) -> Verdict {
    CPU.check_output(&spec(job), inputs, output, &seed).unwrap()
}

proptest! {
    #![proptest_config(agora_test_support::cases(64))]

    #[test]
    fn the_check_accepts_what_is_right_and_finds_a_wrong_byte_in_what_it_computes_again(
        (job, inputs) in jobs(), seed: [u8; 32], at: prop::sample::Index, change in 1u8..=255,
    ) {
        // With up to three segments, all are computed again.
        let job = TrainingJob { segments: job.segments.min(3), ..job };
        let mut output = run(&CPU, job, &inputs).unwrap().output;
        prop_assert_eq!(check(job, &inputs, &output, seed), Verdict::Right);
        let at = at.index(output.len());
        output[at] ^= change;
        let Verdict::Wrong(Place::Byte(found)) = check(job, &inputs, &output, seed) else {
            panic!("byte {at} was changed unnoticed");
        };
        // The place may be before the byte: where the changed state begins, or a number that left its range.
        prop_assert!(found <= at as u64);
    }
}

#[test]
fn the_check_names_the_first_wrong_place() {
    let (job, inputs) = digits_job(CONVOLUTION, 2, 3);
    let output = run(&CPU, job, &inputs).unwrap().output;
    let wrong = |output: &[u8]| match check(job, &inputs, output, [3; 32]) {
        Verdict::Wrong(place) => place,
        Verdict::Right => panic!("the output is wrong"),
    };
    let length = output.len() as u64;
    assert_eq!(
        wrong(&output[1..]),
        Place::Length {
            expected: length,
            found: length - 1
        }
    );
    let segment = job.segment_bytes() as usize;
    for (changed, place) in [
        (segment, segment),
        (segment + 4 + 40, segment + 4 + 40),
        (2 * segment - 1, 2 * segment - 1),
    ] {
        let mut output = output.clone();
        output[changed] ^= 1;
        assert_eq!(wrong(&output), Place::Byte(place as u64));
    }
}

#[test]
fn a_network_that_the_last_segment_does_not_give_is_always_found() {
    let (job, inputs) = digits_job(NetworkShape::Perceptron { hidden: 2 }, 16, 1);
    let job = TrainingJob { batch: 1, ..job };
    let mut output = run(&CPU, job, &inputs).unwrap().output;
    let at = 15 * job.segment_bytes() as usize + 4 + 8;
    output[at] ^= 1;
    for i in 0..100 {
        assert!(!check_on_cpu(job, &inputs, &output, [i; 32]).is_right());
    }
}

#[test]
fn most_wrong_segments_of_many_are_found_as_often_as_the_page_says() {
    let (job, inputs) = digits_job(NetworkShape::Perceptron { hidden: 2 }, 16, 1);
    let job = TrainingJob { batch: 1, ..job };
    let mut output = run(&CPU, job, &inputs).unwrap().output;
    // The loss of the sixth segment, on which nothing else depends.
    let at = 6 * job.segment_bytes() as usize - 4;
    output[at] ^= 1;
    let found = (0..400u32).filter(|i| {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&i.to_le_bytes());
        !check_on_cpu(job, &inputs, &output, seed).is_right()
    });
    // 2 of the 15 that are not the last are drawn: 53 are expected; the standard deviation is 6.8.
    let found = found.count();
    assert!((20..80).contains(&found), "{found}");
}
