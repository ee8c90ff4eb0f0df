//! Limits, encoding and hash of job specifications.

use agora_jobs::{
    BlobRef, H256, JobError, JobKind, JobSource, JobSpec, MAX_BLOB, MAX_BOUNCES, MAX_COLUMNS, MAX_FRAMES,
    MAX_IMAGE_SIDE, MAX_ITERATIONS, MAX_MATRIX_SIZE, MAX_ROWS, MAX_SAMPLES, MAX_SCENE_BYTES, MAX_STEPS, MAX_STORED_JOB,
    MAX_VECTORS, MAX_WORK, MatmulJob, Region, RenderingJob, SCENE_BYTE_WORK, SEGMENT_WORK, STEP_WORK, Specialisation,
    StoredJob, SyntheticJob,
};
use codec::{Decode, DecodeAll, Encode};
use proptest::prelude::*;

fn synthetic(matrix_size: u32, iterations: u32) -> JobSpec {
    JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [7; 32],
        matrix_size,
        iterations,
    }))
}

fn stored(size: u64) -> JobSource {
    JobSource::Stored(StoredJob {
        spec: blob(size),
        specialisation: Specialisation::Inference,
    })
}

#[test]
fn jobs_within_the_limits_are_valid() {
    for (matrix_size, iterations) in [(1, 1), (MAX_MATRIX_SIZE, 1), (1, MAX_ITERATIONS)] {
        assert_eq!(synthetic(matrix_size, iterations).validate(), Ok(()));
        assert_eq!(JobSource::Inline(synthetic(matrix_size, iterations)).validate(), Ok(()));
    }
    assert_eq!(stored(1).validate(), Ok(()));
    assert_eq!(stored(MAX_STORED_JOB).validate(), Ok(()));
}

#[test]
fn jobs_outside_of_the_limits_are_refused() {
    assert_eq!(synthetic(0, 1).validate(), Err(JobError::Zero));
    assert_eq!(synthetic(1, 0).validate(), Err(JobError::Zero));
    assert_eq!(synthetic(MAX_MATRIX_SIZE + 1, 1).validate(), Err(JobError::TooLarge));
    assert_eq!(synthetic(1, MAX_ITERATIONS + 1).validate(), Err(JobError::TooLarge));
    assert_eq!(JobSource::Inline(synthetic(0, 1)).validate(), Err(JobError::Zero));
    assert_eq!(stored(0).validate(), Err(JobError::Zero));
    assert_eq!(stored(MAX_STORED_JOB + 1).validate(), Err(JobError::TooLarge));
}

#[test]
fn more_work_than_one_task_may_be_is_refused() {
    // The largest matrices reach both limits at once.
    let largest = synthetic(MAX_MATRIX_SIZE, MAX_ITERATIONS);
    assert_eq!(largest.work(), MAX_WORK);
    assert_eq!(largest.validate(), Ok(()));
    let side = 2048;
    let spec = |max_bounces| {
        JobSpec::V2(JobKind::Rendering(RenderingJob {
            scene: blob(100),
            seed: [1; 32],
            width: side,
            height: side,
            region: Region {
                x: 0,
                y: 0,
                width: side,
                height: side,
            },
            first_frame: 0,
            frames: 1,
            samples: MAX_SAMPLES,
            max_bounces,
            max_steps: 1,
        }))
    };
    // The bounces that make a job nearly as much work as one may be.
    let paths = u128::from(side) * u128::from(side) * u128::from(MAX_SAMPLES);
    let most = ((MAX_WORK / paths - STEP_WORK) / SEGMENT_WORK) as u32 - 1;
    assert_eq!(spec(most).validate(), Ok(()));
    assert!(spec(most + 1).work() > MAX_WORK);
    assert_eq!(spec(most + 1).validate(), Err(JobError::TooMuchWork));
}

fn blob(size: u64) -> BlobRef {
    BlobRef {
        hash: H256([3; 32]),
        size,
    }
}

/// 10 rows of 4 numbers; rows 2 to 8 times 5 vectors.
fn matmul_job() -> MatmulJob {
    MatmulJob {
        matrix: blob(40),
        columns: 4,
        first_row: 2,
        rows: 7,
        input: blob(20),
        vectors: 5,
    }
}

#[test]
fn row_jobs_are_valid_exactly_if_their_sizes_fit() {
    let validate = |job| JobSpec::V2(JobKind::Matmul(job)).validate();
    let job = matmul_job();
    assert_eq!(validate(job), Ok(()));
    assert_eq!(validate(MatmulJob { rows: 8, ..job }), Ok(()));
    for wrong in [
        MatmulJob { rows: 9, ..job },
        MatmulJob {
            first_row: u32::MAX,
            ..job
        },
        MatmulJob { vectors: 4, ..job },
        MatmulJob {
            matrix: blob(41),
            ..job
        },
        MatmulJob { input: blob(21), ..job },
    ] {
        assert_eq!(validate(wrong), Err(JobError::Inconsistent), "{wrong:?}");
    }
    for zero in [
        MatmulJob { rows: 0, ..job },
        MatmulJob { columns: 0, ..job },
        MatmulJob { vectors: 0, ..job },
        MatmulJob { matrix: blob(0), ..job },
        MatmulJob { input: blob(0), ..job },
    ] {
        assert_eq!(validate(zero), Err(JobError::Zero), "{zero:?}");
    }
    for large in [
        MatmulJob {
            columns: MAX_COLUMNS + 1,
            ..job
        },
        MatmulJob {
            rows: MAX_ROWS + 1,
            ..job
        },
        MatmulJob {
            vectors: MAX_VECTORS + 1,
            ..job
        },
        MatmulJob {
            matrix: blob(MAX_BLOB + 1),
            ..job
        },
    ] {
        assert_eq!(validate(large), Err(JobError::TooLarge), "{large:?}");
    }
    let spec = JobSpec::V2(JobKind::Matmul(job));
    assert_eq!((spec.work(), spec.max_output_bytes()), (4 * 7 * 5, 4 * 7 * 5));
    assert_eq!(spec.inputs(), [job.matrix, job.input]);
}

#[test]
fn a_job_whose_output_is_too_long_is_refused() {
    let job = MatmulJob {
        matrix: blob(MAX_ROWS.into()),
        columns: 1,
        first_row: 0,
        rows: MAX_ROWS,
        input: blob(65),
        vectors: 65,
    };
    assert_eq!(JobSpec::V2(JobKind::Matmul(job)).validate(), Err(JobError::TooLarge));
    let fits = MatmulJob {
        input: blob(64),
        vectors: 64,
        ..job
    };
    assert_eq!(JobSpec::V2(JobKind::Matmul(fits)).validate(), Ok(()));
}

#[test]
fn no_sum_of_a_row_job_can_overflow() {
    assert!(i64::from(MAX_COLUMNS) * 128 * 128 <= i64::from(i32::MAX));
}

#[test]
fn rendering_jobs_are_bounded_and_keep_to_their_image() {
    let region = Region {
        x: 100,
        y: 50,
        width: 130,
        height: 65,
    };
    let job = RenderingJob {
        scene: blob(100),
        seed: [1; 32],
        width: 640,
        height: 480,
        region,
        first_frame: 10,
        frames: 2,
        samples: 16,
        max_bounces: 4,
        max_steps: 256,
    };
    let spec = |job| JobSpec::V2(JobKind::Rendering(job));
    assert_eq!(spec(job).validate(), Ok(()));
    assert_eq!(job.tiles(), 3 * 2 * 2);
    assert_eq!(spec(job).max_output_bytes(), 130 * 65 * 2 * 3);
    let paths = 130 * 65 * 2 * 16;
    let work = paths * (5 * SEGMENT_WORK + 256 * STEP_WORK) + 100 * SCENE_BYTE_WORK;
    assert_eq!(spec(job).work(), work);
    assert_eq!(spec(job).inputs(), [blob(100)]);
    assert_eq!(spec(job).encode().len(), 2 + 40 + 32 + 11 * 4);

    let refused = |job: RenderingJob, error| assert_eq!(spec(job).validate(), Err(error), "{job:?}");
    for zero in [
        RenderingJob { scene: blob(0), ..job },
        RenderingJob { width: 0, ..job },
        RenderingJob { height: 0, ..job },
        RenderingJob { frames: 0, ..job },
        RenderingJob { samples: 0, ..job },
        RenderingJob { max_steps: 0, ..job },
        RenderingJob {
            region: Region { width: 0, ..region },
            ..job
        },
        RenderingJob {
            region: Region { height: 0, ..region },
            ..job
        },
    ] {
        refused(zero, JobError::Zero);
    }
    for large in [
        RenderingJob {
            scene: blob(MAX_SCENE_BYTES + 1),
            ..job
        },
        RenderingJob {
            width: MAX_IMAGE_SIDE + 1,
            ..job
        },
        RenderingJob {
            height: MAX_IMAGE_SIDE + 1,
            ..job
        },
        RenderingJob {
            samples: MAX_SAMPLES + 1,
            ..job
        },
        RenderingJob {
            frames: MAX_FRAMES + 1,
            ..job
        },
        RenderingJob {
            max_bounces: MAX_BOUNCES + 1,
            ..job
        },
        RenderingJob {
            max_steps: MAX_STEPS + 1,
            ..job
        },
        // Too many bytes, and too many tiles.
        RenderingJob {
            region: Region {
                x: 0,
                y: 0,
                width: 640,
                height: 480,
            },
            frames: 400,
            ..job
        },
        RenderingJob {
            height: 8192,
            region: Region {
                x: 0,
                y: 0,
                width: 1,
                height: 8192,
            },
            frames: 600,
            ..job
        },
    ] {
        refused(large, JobError::TooLarge);
    }
    for outside in [
        RenderingJob {
            region: Region { x: 511, ..region },
            ..job
        },
        RenderingJob {
            region: Region { y: 416, ..region },
            ..job
        },
        RenderingJob {
            region: Region { x: u32::MAX, ..region },
            ..job
        },
        RenderingJob {
            first_frame: MAX_FRAMES - 1,
            ..job
        },
        RenderingJob {
            first_frame: u32::MAX,
            ..job
        },
        RenderingJob {
            width: 8000,
            height: 499,
            ..job
        },
    ] {
        refused(outside, JobError::Inconsistent);
    }
    let much = RenderingJob {
        samples: MAX_SAMPLES,
        max_bounces: 64,
        frames: 100,
        ..job
    };
    refused(much, JobError::TooMuchWork);
}

#[test]
fn no_sum_in_a_matrix_product_can_overflow() {
    assert!(MAX_MATRIX_SIZE as usize <= agora_math::freivalds::MAX_CHAIN_SIZE);
}

#[test]
fn versions_and_kinds_that_do_not_exist_are_refused() {
    let bytes = synthetic(3, 4).encode();
    assert_eq!(bytes.len(), 42);
    for (position, value) in [(0, 1), (0, 3), (1, 99)] {
        let mut wrong = bytes.clone();
        wrong[position] = value;
        assert!(JobSpec::decode(&mut wrong.as_slice()).is_err());
    }
}

#[test]
fn the_job_hash_is_that_of_the_specification_wherever_it_is() {
    let spec = synthetic(3, 4);
    let hash = H256(*blake3::hash(&spec.encode()).as_bytes());
    assert_eq!(JobSource::Inline(spec.clone()).job_hash(), hash);
    let JobSource::Stored(stored) = stored(42) else {
        unreachable!()
    };
    assert_eq!(
        JobSource::Stored(StoredJob {
            spec: BlobRef { hash, size: 42 },
            ..stored
        })
        .job_hash(),
        hash
    );
    assert_eq!(JobSource::Inline(spec).specialisation(), Specialisation::Synthetic);
    assert_eq!(JobSource::Stored(stored).specialisation(), Specialisation::Inference);
}

proptest! {
    #[test]
    fn encoding_goes_both_ways(seed: [u8; 32], matrix_size: u32, iterations: u32) {
        let spec = JobSpec::V2(JobKind::Synthetic(SyntheticJob { seed, matrix_size, iterations }));
        prop_assert_eq!(JobSpec::decode_all(&mut spec.encode().as_slice()), Ok(spec.clone()));
        let source = JobSource::Inline(spec);
        prop_assert_eq!(JobSource::decode_all(&mut source.encode().as_slice()), Ok(source.clone()));
    }
}
