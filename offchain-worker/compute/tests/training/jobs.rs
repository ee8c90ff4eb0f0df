//! Jobs: on real digits, and at random.

use crate::spec;
use agora_compute::{MemoryInputs, NetworkShape, TrainingJob, training::Dataset};
use proptest::prelude::*;

/// 1,797 digits. Those whose index leaves 4 when divided by 5 are held out.
pub fn digits() -> Dataset {
    Dataset::decode(include_bytes!("../../../../tests/data/digits/digits.agds")).unwrap()
}

/// The images of `data` whose index `keep` accepts.
pub fn part(data: &Dataset, keep: impl Fn(usize) -> bool) -> Dataset {
    let kept = || (0..data.labels.len()).filter(|&i| keep(i));
    let size = data.pixels.len() / data.labels.len();
    Dataset {
        pixels: kept().flat_map(|i| data.pixels[i * size..][..size].to_vec()).collect(),
        labels: kept().map(|i| data.labels[i]).collect(),
        ..data.clone()
    }
}

pub fn training_digits() -> Dataset {
    part(&digits(), |i| i % 5 != 4)
}

/// A job on the digits that are not held out, and its input.
pub fn digits_job(network: NetworkShape, segments: u32, segment_steps: u32) -> (TrainingJob, MemoryInputs) {
    let mut inputs = MemoryInputs::new();
    let job = TrainingJob {
        data: inputs.insert(training_digits().encode().unwrap()),
        width: 8,
        height: 8,
        classes: 10,
        network,
        seed: [1; 32],
        batch: 32,
        segments,
        segment_steps,
        state_interval: segment_steps,
        rate_shift: 5,
        halve_after: 500,
        momentum_shift: 3,
        start: None,
    };
    (job, inputs)
}

/// Small jobs with their data sets.
pub fn jobs() -> impl Strategy<Value = (TrainingJob, MemoryInputs)> {
    let images = (1u32..9, 1u32..9, 1u32..12, 1usize..40, 1u8..=255);
    let network = prop_oneof![
        (1u32..20).prop_map(|hidden| NetworkShape::Perceptron { hidden }),
        (1u32..6, 0u32..3, 1u32..4).prop_map(|(channels, window, pool)| NetworkShape::Convolutional {
            channels,
            window: 2 * window + 1,
            pool,
        }),
    ];
    let numbers = (1u32..40, 1u32..4, 1u32..5, 1u32..4, 0u32..17, 0u32..5, 0u32..7);
    let jobs = (images, network, numbers, any::<[u8; 32]>()).prop_map(|(images, network, numbers, seed)| {
        let (width, height, classes, count, maximum) = images;
        let (batch, segments, intervals, state_interval, rate_shift, halve_after, momentum_shift) = numbers;
        let bytes = |length: usize, below: u16, label: &[u8]| -> Vec<u8> {
            let words = agora_math::field::Generator::new(&seed, label);
            let byte = |i: usize| (words.words(i as u64)[0] % u32::from(below)) as u8;
            (0..length).map(byte).collect()
        };
        let data = Dataset {
            maximum,
            width: width as u16,
            height: height as u16,
            classes: classes as u16,
            pixels: bytes(count * (width * height) as usize, u16::from(maximum) + 1, b"pixels"),
            labels: bytes(count, classes as u16, b"labels"),
        };
        let mut inputs = MemoryInputs::new();
        let job = TrainingJob {
            data: inputs.insert(data.encode().unwrap()),
            width,
            height,
            classes,
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
        };
        (job, inputs)
    });
    jobs.prop_filter("the window must fit the images", |(job, _)| {
        spec(*job).validate().is_ok()
    })
}
