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
    let spec = match source {
        JobSource::Inline(spec) => spec.clone(),
        JobSource::Stored(stored) => {
            let bytes = blobs.get(BlobKind::Job, &stored.hash.0, stored.size.into()).await?;
            JobSpec::decode_all(&mut bytes.as_slice()).map_err(|error| WorkerError::Job(error.to_string()))?
        }
    };
    spec.validate().map_err(|error| WorkerError::Job(error.to_string()))?;
    if spec.specialisation() != source.specialisation() {
        return Err(WorkerError::Job(
            "it is another kind of work than the chain says".to_owned(),
        ));
    }
    let mut inputs = MemoryInputs::new();
    for input in spec.inputs() {
        inputs.insert(blobs.get(BlobKind::Input, &input.hash.0, input.size.into()).await?);
    }
    Ok((spec, inputs))
}
