//! Fetching a task's job.

use crate::WorkerError;
use agora_blobs::{BlobKind, BlobStore};
use agora_compute::MemoryInputs;
use agora_primitives::job::{JobSource, JobSpec};
use codec::DecodeAll;

/// Fetches a task's job specification, compares it with what the chain says, and fetches the job's inputs.
///
/// Errors: `Blobs` if something cannot be fetched, `Job` if the specification is not what `source` says.
pub async fn load_job(blobs: &BlobStore, source: &JobSource) -> Result<(JobSpec, MemoryInputs), WorkerError> {
    let spec = load_spec(blobs, source).await?;
    let inputs = load_inputs(blobs, &spec).await?;
    Ok((spec, inputs))
}

/// Fetches a task's job specification, and compares it with what the chain says.
///
/// Errors: as [`load_job`].
pub(crate) async fn load_spec(blobs: &BlobStore, source: &JobSource) -> Result<JobSpec, WorkerError> {
    let spec = match source {
        JobSource::Inline(spec) => spec.clone(),
        JobSource::Stored(stored) => {
            let bytes = blobs.get(BlobKind::Job, &stored.spec.hash.0, stored.spec.size).await?;
            if bytes.len() as u64 != stored.spec.size {
                return Err(WorkerError::Job("it has another length than the chain says".to_owned()));
            }
            JobSpec::decode_all(&mut bytes.as_slice()).map_err(|error| WorkerError::Job(error.to_string()))?
        }
    };
    spec.validate().map_err(|error| WorkerError::Job(error.to_string()))?;
    if spec.specialisation() != source.specialisation() {
        return Err(WorkerError::Job(
            "it is another kind of work than the chain says".to_owned(),
        ));
    }
    Ok(spec)
}

/// Copies a task's specification, if it is stored, and the job's inputs to `own`, so that nobody can take them away.
///
/// Errors: `Blobs` if something cannot be fetched or put.
pub(crate) async fn keep_job(
    blobs: &BlobStore,
    own: &BlobStore,
    source: &JobSource,
    spec: &JobSpec,
) -> Result<(), WorkerError> {
    if let JobSource::Stored(stored) = source {
        let bytes = blobs.get(BlobKind::Job, &stored.spec.hash.0, stored.spec.size).await?;
        own.put(BlobKind::Job, bytes).await?;
    }
    for input in spec.inputs() {
        let content = blobs.get(BlobKind::Input, &input.hash.0, input.size).await?;
        own.put(BlobKind::Input, content).await?;
    }
    Ok(())
}

/// Fetches the inputs of a job.
///
/// Errors: `Blobs` if one cannot be fetched, or is longer than the job says.
async fn load_inputs(blobs: &BlobStore, spec: &JobSpec) -> Result<MemoryInputs, WorkerError> {
    let mut inputs = MemoryInputs::new();
    for input in spec.inputs() {
        inputs.insert(blobs.get(BlobKind::Input, &input.hash.0, input.size).await?);
    }
    Ok(inputs)
}
