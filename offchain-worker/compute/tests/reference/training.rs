//! Training, from scratch and from checkpoints, on data sets that are whole and on some that are not.

use super::Contents;
use agora_compute::{BlobRef, JobKind, NetworkShape, TrainingJob, training::Dataset};
use agora_primitives::job::Claim;
use proptest::{prelude::*, sample::Index};

/// A data set of `count` images that look random.
fn data(seed: u8, [width, height, classes]: [u32; 3], count: u32, maximum: u8) -> Vec<u8> {
    let number = |at: u32| (at.wrapping_add(u32::from(seed)).wrapping_mul(2_654_435_761) >> 16) & 0xffff;
    let pixels = (0..count * width * height).map(|at| (number(at) % (u32::from(maximum) + 1)) as u8);
    let labels = (0..count).map(|at| (number(at + 77) % classes) as u8);
    let data = Dataset {
        maximum,
        width: width as u16,
        height: height as u16,
        classes: classes as u16,
        pixels: pixels.collect(),
        labels: labels.collect(),
    };
    data.encode().unwrap()
}

fn networks() -> impl Strategy<Value = NetworkShape> {
    prop_oneof![
        (1u32..12).prop_map(|hidden| NetworkShape::Perceptron { hidden }),
        (1u32..5, 1u32..3).prop_map(|(channels, pool)| NetworkShape::Convolutional {
            channels,
            window: 3,
            pool
        }),
    ]
}

prop_compose! {
    fn jobs()(
        network in networks(), seed: [u8; 32], batch in 1u32..9, segments in 1u32..4, intervals in 1u32..3,
        state_interval in 1u32..4, rate_shift in 0u32..10, halve_after in 0u32..4, momentum_shift in 0u32..7,
    ) -> TrainingJob {
        TrainingJob {
            data: BlobRef::to(&[]),
            width: 6,
            height: 5,
            classes: 4,
            network,
            seed,
            batch,
            segments,
            segment_steps: intervals * state_interval,
            state_interval,
            rate_shift,
            halve_after,
            momentum_shift,
            start: None,
        }
    }
}

proptest! {
    #![proptest_config(agora_test_support::cases(24))]

    #[test]
    fn training_is_that_of_the_reference(job in jobs(), seed: u8, count in 1u32..30, maximum in 1u8..) {
        let mut contents = Contents::default();
        let job = TrainingJob { data: contents.insert(data(seed, [6, 5, 4], count, maximum)), ..job };
        let outcome = contents.compute(JobKind::Training(job)).unwrap();
        // And on from its last checkpoint.
        let last = outcome.output.len() - job.segment_bytes() as usize;
        let checkpoint = outcome.output[last..][..job.state_bytes() as usize].to_vec();
        let on = TrainingJob { start: Some(contents.insert(checkpoint)), ..job };
        prop_assert!(contents.compute(JobKind::Training(on)).unwrap().claim != Claim::Unusable);
    }

    #[test]
    fn changed_data_sets_and_checkpoints_are_refused_alike(
        job in jobs(), seed: u8, at: Index, value: u8, resumed: bool, start in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut contents = Contents::default();
        let mut bytes = data(seed, [6, 5, 4], 7, 200);
        let at = at.index(bytes.len());
        bytes[at] = value;
        // Words that are no weights in most places: the last is a momentum.
        let mut checkpoint = vec![0; job.state_bytes() as usize];
        let place = checkpoint.len().saturating_sub(start.len());
        checkpoint[place..].copy_from_slice(&start[..start.len().min(job.state_bytes() as usize)]);
        let job = TrainingJob {
            data: contents.insert(bytes),
            start: resumed.then(|| contents.insert(checkpoint)),
            ..job
        };
        prop_assert!(contents.compute(JobKind::Training(job)).is_some());
    }
}
