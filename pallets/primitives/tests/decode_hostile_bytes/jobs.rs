//! Job specifications.

use crate::{mutation::hostile, rounds};
use agora_primitives::{
    job::{
        BlobRef, InferenceJob, InferenceTask, JobKind, JobSource, JobSpec, MAX_BLOB, MAX_ITEM_OUTPUT, MAX_ITEMS,
        MAX_ITERATIONS, MAX_MATRIX_SIZE, RowsJob, StoredJob, SyntheticJob,
    },
    participants::Specialisation,
};
use codec::Encode;
use proptest::{prelude::*, sample::select};
use sp_core::H256;

#[path = "../../../../fuzz/src/jobs.rs"]
mod properties;

fn blob() -> impl Strategy<Value = BlobRef> {
    (any::<[u8; 32]>(), 0..2 * MAX_BLOB).prop_map(|(hash, size)| BlobRef { hash: H256(hash), size })
}

/// Rows whose sizes fit one another, so that most are valid before they are changed.
fn rows() -> impl Strategy<Value = JobKind> {
    let counts = (1..500u32, 0..400u32, 0..400u32, 0..300u32, 0..300u32);
    (counts, blob(), blob()).prop_map(|((columns, first_row, rows, more_rows, vectors), matrix, input)| {
        JobKind::Rows(RowsJob {
            matrix: BlobRef {
                size: (first_row + rows + more_rows) * columns,
                ..matrix
            },
            columns,
            first_row,
            rows,
            input: BlobRef {
                size: vectors * columns,
                ..input
            },
            vectors,
        })
    })
}

fn inference() -> impl Strategy<Value = JobKind> {
    let tasks = [
        InferenceTask::Embedding,
        InferenceTask::Classification,
        InferenceTask::Generation,
    ];
    let counts = (0..2 * MAX_ITEMS, any::<u64>(), 0..2 * MAX_ITEM_OUTPUT);
    (blob(), blob(), select(tasks.to_vec()), counts).prop_map(
        |(model, input, task, (items, item_work, item_output))| {
            JobKind::Inference(InferenceJob {
                model,
                input,
                task,
                items,
                item_work,
                item_output,
            })
        },
    )
}

fn job() -> impl Strategy<Value = JobSpec> {
    let synthetic = (any::<[u8; 32]>(), 0..2 * MAX_MATRIX_SIZE, 0..2 * MAX_ITERATIONS);
    let synthetic = synthetic.prop_map(|(seed, matrix_size, iterations)| {
        JobKind::Synthetic(SyntheticJob {
            seed,
            matrix_size,
            iterations,
        })
    });
    prop_oneof![synthetic, rows(), inference()].prop_map(JobSpec::V1)
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
