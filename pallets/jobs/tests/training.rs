//! Limits and counts of training jobs.

use agora_jobs::{
    BlobRef, H256, JobError, JobKind, JobSpec, MAX_BATCH, MAX_BLOB, MAX_CHANNELS, MAX_CLASSES, MAX_MOMENTUM_SHIFT,
    MAX_POOL, MAX_RATE_SHIFT, MAX_SAMPLE_SIDE, MAX_SEGMENT_STEPS, MAX_SEGMENTS, MAX_WINDOW, NetworkShape,
    Specialisation, TrainingJob,
};
use codec::{DecodeAll, Encode};

fn blob(size: u64) -> BlobRef {
    BlobRef {
        hash: H256([3; 32]),
        size,
    }
}

/// 8×8 digits, a window of 3×3, squares of 2×2.
fn job() -> TrainingJob {
    TrainingJob {
        data: blob(100),
        width: 8,
        height: 8,
        classes: 10,
        network: convolution(2, 3, 2),
        seed: [1; 32],
        batch: 32,
        segments: 4,
        segment_steps: 10,
        state_interval: 5,
        rate_shift: 5,
        halve_after: 0,
        momentum_shift: 3,
        start: None,
    }
}

fn convolution(channels: u32, window: u32, pool: u32) -> NetworkShape {
    NetworkShape::Convolutional { channels, window, pool }
}

fn spec(job: TrainingJob) -> JobSpec {
    JobSpec::V2(JobKind::Training(job))
}

#[test]
fn counts_follow_from_the_shape() {
    let job = job();
    assert_eq!(spec(job).validate(), Ok(()));
    assert_eq!((job.window_pixels(), job.channels(), job.positions()), (9, 2, (64, 16)));
    assert_eq!((job.features(), job.weights(), job.steps()), (32, 2 * 10 + 10 * 33, 40));
    assert_eq!(job.state_bytes(), 4 + 8 * 350);
    assert_eq!(spec(job).max_output_bytes(), 4 * (4 + 8 * 350 + 40));
    let [updates, states] = [40 * 350 * 32, (40 / 5 + 1) * (4 + 8 * 350) * 16];
    assert_eq!(
        spec(job).work(),
        32 * 40 * (2 * 10 * (64 + 16) + 3 * 330) + updates + states
    );
    assert_eq!(spec(job).specialisation(), Specialisation::Training);
    assert_eq!(spec(job).inputs(), [job.data]);

    let start = Some(blob(job.state_bytes()));
    let job = TrainingJob { start, ..job };
    assert_eq!(spec(job).validate(), Ok(()));
    assert_eq!(spec(job).inputs(), [Some(job.data), start].map(Option::unwrap));

    let network = NetworkShape::Perceptron { hidden: 5 };
    let job = TrainingJob {
        network,
        start: None,
        ..job
    };
    assert_eq!((job.window_pixels(), job.positions(), job.features()), (64, (1, 1), 5));
    assert_eq!(job.weights(), 5 * 65 + 10 * 6);
    let [updates, states] = [40 * 385 * 32, (40 / 5 + 1) * (4 + 8 * 385) * 16];
    assert_eq!(spec(job).work(), 32 * 40 * (2 * 5 * 65 + 3 * 60) + updates + states);
}

/// Steps of one image with the largest network, each of whose states is hashed: nearly all of the work is not arithmetic.
#[test]
fn states_that_are_hashed_again_and_again_are_work() {
    let job = TrainingJob {
        width: 64,
        height: 64,
        classes: 1,
        network: NetworkShape::Perceptron { hidden: MAX_CHANNELS },
        batch: 1,
        segments: 1,
        segment_steps: MAX_SEGMENT_STEPS,
        state_interval: 1,
        ..job()
    };
    let hashed = u128::from(job.state_bytes()) * u128::from(MAX_SEGMENT_STEPS);
    assert!(spec(job).work() > 16 * hashed && hashed > 1 << 42);
}

#[test]
fn a_job_is_its_bytes() {
    for job in [
        job(),
        TrainingJob {
            start: Some(blob(7)),
            ..job()
        },
    ] {
        let bytes = spec(job).encode();
        assert_eq!(bytes[..2], [2, 3]);
        assert_eq!(JobSpec::decode_all(&mut bytes.as_slice()), Ok(spec(job)));
    }
}

#[test]
fn zeros_are_refused() {
    for zero in [
        TrainingJob { width: 0, ..job() },
        TrainingJob { height: 0, ..job() },
        TrainingJob { classes: 0, ..job() },
        TrainingJob { data: blob(0), ..job() },
        TrainingJob {
            start: Some(blob(0)),
            ..job()
        },
        TrainingJob { batch: 0, ..job() },
        TrainingJob { segments: 0, ..job() },
        TrainingJob {
            segment_steps: 0,
            ..job()
        },
        TrainingJob {
            state_interval: 0,
            ..job()
        },
        TrainingJob {
            network: NetworkShape::Perceptron { hidden: 0 },
            ..job()
        },
        TrainingJob {
            network: convolution(0, 3, 2),
            ..job()
        },
        TrainingJob {
            network: convolution(1, 0, 2),
            ..job()
        },
        TrainingJob {
            network: convolution(1, 3, 0),
            ..job()
        },
    ] {
        assert_eq!(spec(zero).validate(), Err(JobError::Zero), "{zero:?}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    for large in [
        TrainingJob {
            width: MAX_SAMPLE_SIDE + 1,
            ..job()
        },
        TrainingJob {
            height: u32::MAX,
            ..job()
        },
        TrainingJob {
            classes: MAX_CLASSES + 1,
            ..job()
        },
        TrainingJob {
            data: blob(MAX_BLOB + 1),
            ..job()
        },
        TrainingJob {
            batch: MAX_BATCH + 1,
            ..job()
        },
        TrainingJob {
            segments: MAX_SEGMENTS + 1,
            ..job()
        },
        TrainingJob {
            segment_steps: MAX_SEGMENT_STEPS + 1,
            ..job()
        },
        TrainingJob {
            rate_shift: MAX_RATE_SHIFT + 1,
            ..job()
        },
        TrainingJob {
            momentum_shift: MAX_MOMENTUM_SHIFT + 1,
            ..job()
        },
        TrainingJob {
            network: NetworkShape::Perceptron {
                hidden: MAX_CHANNELS + 1,
            },
            ..job()
        },
        TrainingJob {
            network: convolution(u32::MAX, 3, 2),
            ..job()
        },
        TrainingJob {
            network: convolution(1, MAX_WINDOW + 2, 2),
            ..job()
        },
        TrainingJob {
            network: convolution(1, 3, MAX_POOL + 1),
            ..job()
        },
        // 1,024 positions; 16 positions of 1,025 channels; more than 2²⁰ states; 64 MiB of states, 64 times.
        TrainingJob {
            width: 64,
            height: 64,
            ..job()
        },
        TrainingJob {
            network: convolution(1025, 3, 2),
            ..job()
        },
        TrainingJob {
            segments: 32,
            segment_steps: MAX_SEGMENT_STEPS,
            state_interval: 1,
            ..job()
        },
        TrainingJob {
            width: 64,
            height: 64,
            network: NetworkShape::Perceptron { hidden: 2048 },
            segments: 64,
            ..job()
        },
    ] {
        assert_eq!(spec(large).validate(), Err(JobError::TooLarge), "{large:?}");
    }
    let work = TrainingJob {
        width: 64,
        height: 64,
        network: NetworkShape::Convolutional {
            channels: 256,
            window: 7,
            pool: 8,
        },
        batch: 256,
        segments: 2,
        segment_steps: MAX_SEGMENT_STEPS,
        state_interval: MAX_SEGMENT_STEPS,
        ..job()
    };
    assert_eq!(spec(work).validate(), Err(JobError::TooMuchWork));
}

#[test]
fn what_does_not_fit_is_refused() {
    for wrong in [
        TrainingJob {
            network: convolution(1, 4, 2),
            ..job()
        },
        TrainingJob { height: 2, ..job() },
        TrainingJob {
            width: 4,
            network: convolution(1, 3, 5),
            ..job()
        },
        TrainingJob {
            state_interval: 3,
            ..job()
        },
        TrainingJob {
            state_interval: 11,
            ..job()
        },
        TrainingJob {
            start: Some(blob(job().state_bytes() - 1)),
            ..job()
        },
    ] {
        assert_eq!(spec(wrong).validate(), Err(JobError::Inconsistent), "{wrong:?}");
    }
}
