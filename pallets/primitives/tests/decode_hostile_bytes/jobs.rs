//! Job specifications.

use crate::{mutation::hostile, rounds};
use agora_primitives::{
    job::{
        JobKind, JobSource, JobSpec, MAX_ITERATIONS, MAX_MATRIX_SIZE, MAX_STORED_JOB, MAX_WORK, StoredJob, SyntheticJob,
    },
    participants::Specialisation,
};
use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};
use proptest::{prelude::*, sample::select};
use sp_core::H256;

fn job() -> impl Strategy<Value = JobSpec> {
    let synthetic = (any::<[u8; 32]>(), 0..2 * MAX_MATRIX_SIZE, 0..2 * MAX_ITERATIONS);
    synthetic.prop_map(|(seed, matrix_size, iterations)| {
        JobSpec::V1(JobKind::Synthetic(SyntheticJob {
            seed,
            matrix_size,
            iterations,
        }))
    })
}

fn source() -> impl Strategy<Value = JobSource> {
    let stored = (
        any::<[u8; 32]>(),
        any::<u32>(),
        any::<[u8; 32]>(),
        select(Specialisation::ALL.to_vec()),
    );
    let stored = stored.prop_map(|(hash, size, chunk_root, specialisation)| {
        JobSource::Stored(StoredJob {
            hash: H256(hash),
            size,
            chunk_root: H256(chunk_root),
            specialisation,
        })
    });
    prop_oneof![job().prop_map(JobSource::Inline), stored]
}

/// Decodes, and checks that the decoded value stands for exactly the bytes that it was decoded from.
fn decode<T: Decode + Encode + MaxEncodedLen>(bytes: &[u8]) -> Result<Option<T>, TestCaseError> {
    let mut rest = bytes;
    let Ok(value) = T::decode(&mut rest) else {
        return Ok(None);
    };
    let taken = &bytes[..bytes.len() - rest.len()];
    prop_assert_eq!(value.encode(), taken, "one value, one encoding");
    prop_assert!(taken.len() <= T::max_encoded_len());
    prop_assert_eq!(T::decode_all(&mut &bytes[..]).is_ok(), rest.is_empty());
    Ok(Some(value))
}

fn check_job(spec: &JobSpec) -> Result<(), TestCaseError> {
    let JobSpec::V1(JobKind::Synthetic(job)) = spec;
    let work = u128::from(job.matrix_size).pow(3).checked_mul(job.iterations.into());
    prop_assert_eq!(spec.work(), work.unwrap_or(u128::MAX));
    let sizes = (1..=MAX_MATRIX_SIZE).contains(&job.matrix_size) && (1..=MAX_ITERATIONS).contains(&job.iterations);
    prop_assert_eq!(spec.validate().is_ok(), sizes && spec.work() <= MAX_WORK);
    prop_assert_eq!(spec.specialisation(), Specialisation::Synthetic);
    Ok(())
}

#[test]
fn job_specifications_are_refused_or_stand_for_their_bytes() {
    rounds::run(
        file!(),
        hostile(job().prop_map(|job| job.encode())),
        |bytes| match decode::<JobSpec>(&bytes)? {
            Some(spec) => check_job(&spec),
            None => Ok(()),
        },
    );
}

#[test]
fn job_sources_are_refused_or_stand_for_their_bytes() {
    rounds::run(file!(), hostile(source().prop_map(|source| source.encode())), |bytes| {
        let Some(source) = decode::<JobSource>(&bytes)? else {
            return Ok(());
        };
        prop_assert_eq!(JobSource::decode(&mut &source.encode()[..]), Ok(source.clone()));
        match &source {
            JobSource::Inline(spec) => {
                check_job(spec)?;
                prop_assert_eq!(source.validate(), spec.validate());
                prop_assert_eq!(source.job_hash().0, sp_crypto_hashing::blake2_256(&spec.encode()));
            }
            JobSource::Stored(stored) => {
                prop_assert_eq!(source.validate().is_ok(), (1..=MAX_STORED_JOB).contains(&stored.size));
                prop_assert_eq!(source.job_hash(), stored.hash);
            }
        }
        Ok(())
    });
}
