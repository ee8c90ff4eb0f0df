//! Job specifications.

use crate::{mutation::hostile, rounds};
use agora_primitives::{
    job::{JobKind, JobSource, JobSpec, MAX_ITERATIONS, MAX_MATRIX_SIZE, StoredJob, SyntheticJob},
    participants::Specialisation,
};
use codec::Encode;
use proptest::{prelude::*, sample::select};
use sp_core::H256;

#[path = "../../../../fuzz/src/jobs.rs"]
mod properties;

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

#[test]
fn job_specifications_are_refused_or_stand_for_their_bytes() {
    rounds::run(file!(), hostile(job().prop_map(|job| job.encode())), |bytes| {
        properties::check_spec(&bytes);
        Ok(())
    });
}

#[test]
fn job_sources_are_refused_or_stand_for_their_bytes() {
    rounds::run(file!(), hostile(source().prop_map(|source| source.encode())), |bytes| {
        properties::check_source(&bytes);
        Ok(())
    });
}
