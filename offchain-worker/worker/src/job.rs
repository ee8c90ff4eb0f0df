//! Fetching a task's job.

use crate::WorkerError;
use agora_arbiter::disk::{FileInput, FileInputs, Pages};
use agora_blobs::{BlobKind, BlobSource, BlobStore, Fetched, Wanted, copy, open, read, read_shared};
use agora_compute::{Computation, EngineError, Inputs, MemoryInputs};
use agora_primitives::job::{Claim, H256, JobSource, JobSpec};
use codec::DecodeAll;
use std::time::Duration;

/// What those who serve blobs bring in a second at least, all together: whoever is slower keeps a place that others need.
const LEAST_RATE: u64 = 1 << 20;

/// Waits for what fetches `bytes`, for as long as that may take. What has arrived until then stays, and the next try goes on
/// with it.
///
/// Errors: those of `fetch`, `TooSlow`.
pub(crate) async fn in_time<T>(
    bytes: u64,
    fetch: impl Future<Output = Result<T, WorkerError>>,
) -> Result<T, WorkerError> {
    let patience = Duration::from_secs(60 + bytes / LEAST_RATE);
    let slow = |_| WorkerError::TooSlow {
        seconds: patience.as_secs(),
    };
    tokio::time::timeout(patience, fetch).await.map_err(slow)?
}

/// Fetches to disk what a check of `claim` about `spec` needs, the output first: it is what may be withheld.
///
/// Errors: as [`load_output`].
pub(crate) async fn fetch_for_check(blobs: &dyn BlobSource, spec: &JobSpec, claim: &Claim) -> Result<(), WorkerError> {
    let output = claim.output().filter(|output| output.size == spec.max_output_bytes());
    if let Some(output) = output {
        blobs.fetch(&Wanted::content(BlobKind::Output, output)).await?;
    }
    fetch_inputs(blobs, spec).await
}

/// Fetches the inputs of a job to disk.
///
/// Errors: `Blobs` if one cannot be fetched.
pub(crate) async fn fetch_inputs(blobs: &dyn BlobSource, spec: &JobSpec) -> Result<(), WorkerError> {
    for input in spec.inputs() {
        blobs.fetch(&Wanted::content(BlobKind::Input, &input)).await?;
    }
    Ok(())
}

/// Puts a result into `to`: the output, and the list of the states before it.
///
/// Errors: `Blobs` if it cannot be put.
pub(crate) async fn put_result(to: &BlobStore, computation: &Computation) -> Result<(), WorkerError> {
    put_states(to, &computation.states()).await?;
    to.put(BlobKind::Output, computation.output.clone()).await?;
    Ok(())
}

/// Puts the list of the `states` before an output into `to`.
///
/// Errors: as [`put_result`].
pub(crate) async fn put_states(to: &BlobStore, states: &[H256]) -> Result<(), WorkerError> {
    let list = states.iter().flat_map(|digest| digest.0).collect();
    to.put(BlobKind::States, list).await?;
    Ok(())
}

/// Fetches a task's job specification, compares it with what the chain says, and fetches the job's inputs.
///
/// Errors: `Blobs` if something cannot be fetched, `Job` if the specification is not what `source` says.
pub async fn load_job(blobs: &dyn BlobSource, source: &JobSource) -> Result<(JobSpec, MemoryInputs), WorkerError> {
    let spec = load_spec(blobs, source).await?;
    let inputs = load_inputs(blobs, &spec).await?;
    Ok((spec, inputs))
}

/// Fetches a task's job specification, and compares it with what the chain says.
///
/// Errors: as [`load_job`].
pub async fn load_spec(blobs: &dyn BlobSource, source: &JobSource) -> Result<JobSpec, WorkerError> {
    let spec = match source {
        JobSource::Inline(spec) => spec.clone(),
        JobSource::Stored(stored) => {
            let bytes = read(blobs, &Wanted::content(BlobKind::Job, &stored.spec)).await?;
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
    blobs: &dyn BlobSource,
    own: &BlobStore,
    source: &JobSource,
    spec: &JobSpec,
) -> Result<(), WorkerError> {
    if let JobSource::Stored(stored) = source {
        copy(blobs, &Wanted::content(BlobKind::Job, &stored.spec), own).await?;
    }
    for input in spec.inputs() {
        copy(blobs, &Wanted::content(BlobKind::Input, &input), own).await?;
    }
    Ok(())
}

/// Fetches the output that `claim` about `spec` names, to be checked with
/// [`check_claim`](crate::check_claim). Nothing is fetched for a claim that is decided without: of unusable inputs, or of an
/// output whose length is not that of the job's.
///
/// Errors: `Blobs` if it cannot be fetched.
pub async fn load_output(blobs: &dyn BlobSource, spec: &JobSpec, claim: &Claim) -> Result<Vec<u8>, WorkerError> {
    match claim.output() {
        Some(output) if output.size == spec.max_output_bytes() => {
            Ok(read(blobs, &Wanted::content(BlobKind::Output, output)).await?)
        }
        _ => Ok(Vec::new()),
    }
}

/// The output that `claim` about `spec` names and the job's inputs, from where [`fetch_for_check`] has put them.
///
/// Errors: as [`load_output`].
pub(crate) async fn load_for_check(
    blobs: &dyn BlobSource,
    spec: &JobSpec,
    claim: &Claim,
) -> Result<(Vec<u8>, MemoryInputs), WorkerError> {
    Ok((load_output(blobs, spec, claim).await?, load_inputs(blobs, spec).await?))
}

/// How many bytes a job's inputs and its output have, which a worker and a verifier hold in memory. Work does not tell: one
/// multiplication may be asked of an input of gigabytes.
pub(crate) fn job_bytes(spec: &JobSpec) -> u64 {
    spec.input_bytes().saturating_add(spec.max_output_bytes())
}

/// What shows the chain the inputs of `spec`, where it computes the job itself: their bytes, in the order of the job.
///
/// Errors: `Engine` if one is not there.
pub(crate) fn evidence(spec: &JobSpec, inputs: &MemoryInputs) -> Result<Vec<u8>, WorkerError> {
    let mut evidence = Vec::new();
    for input in spec.inputs() {
        evidence.extend_from_slice(&inputs.get(&input).map_err(EngineError::from)?);
    }
    Ok(evidence)
}

/// Fetches the inputs of a job, and opens them where they are: what is read of them is held in `pages`.
///
/// Errors: as [`load_inputs`].
pub(crate) async fn open_inputs(
    blobs: &dyn BlobSource,
    spec: &JobSpec,
    pages: &Pages,
) -> Result<FileInputs, WorkerError> {
    let mut inputs = Vec::new();
    for input in spec.inputs() {
        let (pages, wanted) = (pages.clone(), Wanted::content(BlobKind::Input, &input));
        let opened = open(blobs, &wanted, move |fetched| {
            Ok(match fetched {
                Fetched::Private(path) | Fetched::Shared(path) => FileInput::open(&pages, path)?,
                Fetched::Memory(content) => FileInput::held(content),
            })
        });
        inputs.push((input, opened.await?));
    }
    Ok(inputs.into_iter().collect())
}

/// Fetches the inputs of a job.
///
/// Errors: `Blobs` if one cannot be fetched, or is longer than the job says.
pub(crate) async fn load_inputs(blobs: &dyn BlobSource, spec: &JobSpec) -> Result<MemoryInputs, WorkerError> {
    let mut inputs = MemoryInputs::new();
    for input in spec.inputs() {
        inputs.insert(read_shared(blobs, &Wanted::content(BlobKind::Input, &input)).await?);
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_blobs::BlobError;
    use agora_primitives::job::{BlobRef, JobKind, MatmulJob, SyntheticJob, states_root};

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
    fn evidence_is_the_inputs_in_the_order_of_the_job() {
        let mut inputs = MemoryInputs::new();
        let (matrix, vectors) = (vec![2u8, 1], vec![3u8]);
        let job = MatmulJob {
            matrix: inputs.insert(matrix),
            columns: 1,
            first_row: 0,
            rows: 2,
            input: BlobRef::to(&vectors),
            vectors: 1,
        };
        let spec = JobSpec::V2(JobKind::Matmul(job));
        assert!(evidence(&spec, &inputs).is_err(), "one is not here");
        inputs.insert(vectors);
        assert_eq!(evidence(&spec, &inputs).expect("both are here"), [2, 1, 3]);
    }

    #[test]
    fn what_is_there_is_not_copied_again() {
        let (from, to) = (BlobStore::in_memory(), BlobStore::in_memory());
        block_on(async {
            let key = from.put(BlobKind::Input, vec![7; 10]).await.expect("put");
            let wanted = Wanted::content(BlobKind::Input, &BlobRef::to(&[7; 10]));
            let shorter = Wanted { size: 9, ..wanted };
            assert!(copy(&from, &shorter, &to).await.is_err(), "it is too long");
            copy(&from, &wanted, &to).await.expect("copied");
            from.remove(BlobKind::Input, &key).await.expect("removed");
            copy(&from, &wanted, &to).await.expect("it is there");
            assert_eq!(to.get(BlobKind::Input, &key, 10).await.expect("there"), [7; 10]);
        });
    }
}
