mod made;
mod plain;
mod shuffled;
mod unusable;
mod vectors;

use super::limits::{bounded, places, run_in_the_machine, survives, up_to};
use agora_jobs::*;
use proptest::prelude::*;

fn networks() -> impl Strategy<Value = NetworkShape> {
    let window = (0u32..4).prop_map(|half| 2 * half + 1);
    prop_oneof![
        up_to(MAX_CHANNELS).prop_map(|hidden| NetworkShape::Perceptron { hidden }),
        (up_to(MAX_CHANNELS), window, up_to(MAX_POOL))
            .prop_map(|(channels, window, pool)| { NetworkShape::Convolutional { channels, window, pool } }),
    ]
}

prop_compose! {
    /// Jobs at and near the limits, made smaller until they are within them.
    fn jobs()(
        sides in (up_to(MAX_SAMPLE_SIDE), up_to(MAX_SAMPLE_SIDE)), classes in up_to(MAX_CLASSES), network in networks(),
        batch in up_to(MAX_BATCH), segments in up_to(MAX_SEGMENTS), interval in up_to(MAX_SEGMENT_STEPS),
        intervals in up_to(64), images in prop_oneof![up_to(300), up_to(u32::MAX)],
        shifts in (0..=MAX_RATE_SHIFT, 0u32..9, 0..=MAX_MOMENTUM_SHIFT), resumed: bool, seed: [u8; 32],
    ) -> TrainingJob {
        let (width, height) = sides;
        let pixels = u64::from(width * height);
        let images = u64::from(images).min((MAX_BLOB - 16) / (pixels + 1));
        let mut job = TrainingJob {
            data: BlobRef { size: 16 + images * (pixels + 1), ..BlobRef::to(&[]) },
            width, height, classes, network, seed, batch, segments,
            segment_steps: (interval * intervals).min(MAX_SEGMENT_STEPS),
            state_interval: interval,
            rate_shift: shifts.0, halve_after: shifts.1, momentum_shift: shifts.2,
            start: None,
        };
        shrink(&mut job);
        job.start = resumed.then(|| BlobRef { size: job.state_bytes(), ..BlobRef::to(&[]) });
        job
    }
}

/// Halves what is too large.
fn shrink(job: &mut TrainingJob) {
    let is_valid = |job: &TrainingJob| JobSpec::V2(JobKind::Training(*job)).validate().is_ok();
    let side = job.width.min(job.height);
    if let NetworkShape::Convolutional { window, pool, .. } = &mut job.network {
        *window = if *window > side { 1 } else { *window };
        *pool = (*pool).min(side);
        while job.width / *pool * (job.height / *pool) > MAX_POSITIONS {
            *pool += 1;
        }
    }
    let positions = job.positions().1;
    match &mut job.network {
        NetworkShape::Convolutional { channels, .. } => *channels = (*channels).min(MAX_FEATURES / positions),
        NetworkShape::Perceptron { hidden } => *hidden = (*hidden).min(MAX_FEATURES),
    }
    for _ in 0..64 {
        if is_valid(job) {
            return;
        }
        if job.segments > 1 {
            job.segments /= 2;
        } else {
            job.state_interval = (job.state_interval / 2).max(1);
            job.segment_steps = job.state_interval;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn units_of_any_job_are_bounded(job in jobs(), places in places()) {
        prop_assert!(bounded(JobKind::Training(job), &places), "{job:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn units_survive_noise(job in jobs(), place: (u64, u64), seed: u32) {
        prop_assert!(survives(JobKind::Training(job), &[place], seed), "{job:?}");
    }
}

/// Jobs at the limits.
fn largest() -> Vec<TrainingJob> {
    let mut jobs = Vec::new();
    let perceptron = |hidden| NetworkShape::Perceptron { hidden };
    let convolution = |channels, window, pool| NetworkShape::Convolutional { channels, window, pool };
    for (side, classes, network) in [
        (64, 256, perceptron(4096)),
        (1, 256, perceptron(4096)),
        (64, 256, convolution(64, 7, 4)),
        (16, 256, convolution(64, 7, 1)),
        (16, 1, convolution(64, 1, 1)),
        (23, 256, convolution(4096, 7, 8)),
        (15, 2, convolution(4096, 7, 8)),
    ] {
        for (batch, images) in [(256, 1u64), (256, 300), (1, 1 << 20), (256, 1 << 23)] {
            let mut job = TrainingJob {
                data: BlobRef {
                    size: 16 + images * (u64::from(side * side) + 1),
                    ..BlobRef::to(&[])
                },
                width: side,
                height: side,
                classes,
                network,
                seed: [3; 32],
                batch,
                segments: 1,
                segment_steps: 4,
                state_interval: 2,
                rate_shift: 3,
                halve_after: 5,
                momentum_shift: 6,
                start: None,
            };
            shrink(&mut job);
            jobs.push(job);
        }
    }
    jobs
}

#[test]
fn units_of_the_largest_jobs_are_bounded() {
    let places: Vec<(u64, u64)> = (0..40).map(|i| (1, i * 0x0123_4567_89ab_cdef)).collect();
    for job in largest() {
        assert!(bounded(JobKind::Training(job), &places), "{job:?}");
        assert!(survives(JobKind::Training(job), &places[..3], job.batch), "{job:?}");
    }
}

#[test]
#[ignore = "minutes: make test-long"]
fn the_largest_units_run_in_the_machine() {
    for job in largest() {
        assert!(run_in_the_machine(JobKind::Training(job)), "{job:?}");
    }
}
