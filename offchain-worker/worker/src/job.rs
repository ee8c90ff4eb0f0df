//! Fetching a task's job.

use crate::WorkerError;
use agora_blobs::{BlobKey, BlobKind, BlobStore};
use agora_compute::MemoryInputs;
use agora_primitives::job::{Claim, JobSource, JobSpec, MAX_OUTPUT};
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
        copy(blobs, own, BlobKind::Job, &stored.spec.hash.0, stored.spec.size).await?;
    }
    for input in spec.inputs() {
        copy(blobs, own, BlobKind::Input, &input.hash.0, input.size).await?;
    }
    Ok(())
}

/// Copies a blob of at most `limit` bytes, unless it is there already.
///
/// Errors: `Blobs`.
pub(crate) async fn copy(
    from: &BlobStore,
    to: &BlobStore,
    kind: BlobKind,
    key: &BlobKey,
    limit: u64,
) -> Result<(), WorkerError> {
    if !to.contains(kind, key).await? {
        to.put(kind, from.get(kind, key, limit).await?).await?;
    }
    Ok(())
}

/// Fetches the output that `claim` about `spec` names, to be checked with
/// [`check_claim`](crate::check_claim). Nothing is fetched for a claim that is decided without: of unusable inputs, or of an
/// output whose length is not that of the job's.
///
/// Errors: `Blobs` if it cannot be fetched.
pub async fn load_output(blobs: &BlobStore, spec: &JobSpec, claim: &Claim) -> Result<Vec<u8>, WorkerError> {
    match claim.output() {
        Some(output) if output.size == spec.max_output_bytes() => {
            Ok(blobs.get(BlobKind::Output, &output.hash.0, MAX_OUTPUT).await?)
        }
        _ => Ok(Vec::new()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use agora_blobs::BlobError;
    use agora_primitives::job::{BlobRef, JobKind, SyntheticJob, states_root};

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime can be built")
            .block_on(future)
    }

    #[test]
    fn outputs_are_fetched_only_for_claims_that_they_decide() {
        let spec = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [1; 32],
            matrix_size: 2,
            iterations: 1,
        }));
        let claim = |output| Claim::Output {
            output,
            states_root: states_root(&[]),
        };
        let output = BlobRef::to(&[1, 2, 3, 4]);
        let longer = BlobRef { size: 5, ..output };
        let blobs = BlobStore::in_memory();
        let load = |claim: Claim| block_on(load_output(&blobs, &spec, &claim));
        for decided in [Claim::Unusable, claim(longer)] {
            assert_eq!(load(decided).expect("nothing is fetched"), [0; 0]);
        }
        let missing = load(claim(output)).expect_err("it is not there");
        assert!(
            matches!(missing, WorkerError::Blobs(BlobError::NotFound { .. })),
            "{missing}"
        );
        block_on(blobs.put(BlobKind::Output, vec![1, 2, 3, 4])).expect("put");
        assert_eq!(load(claim(output)).expect("it is there"), [1, 2, 3, 4]);
    }

    #[test]
    fn what_is_there_is_not_copied_again() {
        let (from, to) = (BlobStore::in_memory(), BlobStore::in_memory());
        block_on(async {
            let key = from.put(BlobKind::Input, vec![7; 10]).await.expect("put");
            assert!(
                copy(&from, &to, BlobKind::Input, &key, 9).await.is_err(),
                "it is too long"
            );
            copy(&from, &to, BlobKind::Input, &key, 10).await.expect("copied");
            from.remove(BlobKind::Input, &key).await.expect("removed");
            copy(&from, &to, BlobKind::Input, &key, 10).await.expect("it is there");
            assert_eq!(to.get(BlobKind::Input, &key, 10).await.expect("there"), [7; 10]);
        });
    }
}
