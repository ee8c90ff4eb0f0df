//! Limits, encoding and hash of job specifications.

use agora_primitives::{
    job::{
        JobError, JobKind, JobSource, JobSpec, MAX_ITERATIONS, MAX_MATRIX_SIZE, MAX_STORED_JOB, MAX_WORK, StoredJob,
        SyntheticJob,
    },
    participants::Specialisation,
};
use codec::{Decode, DecodeAll, Encode};
use proptest::prelude::*;
use sp_core::H256;

fn synthetic(matrix_size: u32, iterations: u32) -> JobSpec {
    JobSpec::V1(JobKind::Synthetic(SyntheticJob {
        seed: [7; 32],
        matrix_size,
        iterations,
    }))
}

fn stored(size: u32) -> JobSource {
    JobSource::Stored(StoredJob {
        hash: H256([1; 32]),
        size,
        chunk_root: H256([2; 32]),
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
    let (size, iterations) = (MAX_MATRIX_SIZE, 1 << 10);
    assert_eq!(synthetic(size, iterations).work(), MAX_WORK);
    assert_eq!(synthetic(size, iterations).validate(), Ok(()));
    assert_eq!(synthetic(size, iterations + 1).validate(), Err(JobError::TooMuchWork));
    assert_eq!(synthetic(size, MAX_ITERATIONS).validate(), Err(JobError::TooMuchWork));
}

#[test]
fn no_sum_in_a_matrix_product_can_overflow() {
    assert!(MAX_MATRIX_SIZE as usize <= agora_math::field::MAX_DOT_LENGTH);
}

#[test]
fn versions_and_kinds_that_do_not_exist_are_refused() {
    let bytes = synthetic(3, 4).encode();
    assert_eq!(bytes.len(), 42);
    for (position, value) in [(0, 0), (0, 2), (1, 1)] {
        let mut wrong = bytes.clone();
        wrong[position] = value;
        assert!(JobSpec::decode(&mut wrong.as_slice()).is_err());
    }
}

#[test]
fn the_job_hash_is_that_of_the_specification_wherever_it_is() {
    let spec = synthetic(3, 4);
    let hash = H256(sp_crypto_hashing::blake2_256(&spec.encode()));
    assert_eq!(JobSource::Inline(spec.clone()).job_hash(), hash);
    let JobSource::Stored(stored) = stored(42) else {
        unreachable!()
    };
    assert_eq!(JobSource::Stored(StoredJob { hash, ..stored }).job_hash(), hash);
    assert_eq!(JobSource::Inline(spec).specialisation(), Specialisation::Synthetic);
    assert_eq!(JobSource::Stored(stored).specialisation(), Specialisation::Inference);
}

proptest! {
    #[test]
    fn encoding_goes_both_ways(seed: [u8; 32], matrix_size: u32, iterations: u32) {
        let spec = JobSpec::V1(JobKind::Synthetic(SyntheticJob { seed, matrix_size, iterations }));
        prop_assert_eq!(JobSpec::decode_all(&mut spec.encode().as_slice()), Ok(spec.clone()));
        let source = JobSource::Inline(spec);
        prop_assert_eq!(JobSource::decode_all(&mut source.encode().as_slice()), Ok(source.clone()));
    }
}
