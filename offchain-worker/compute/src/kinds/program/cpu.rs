//! All runs of a job: of a map on all cores, of a fold one after the other.

use super::{Blobs, EngineError};
use crate::{computation::Computation, digest::output_digest, run::Run};
use agora_primitives::job::{Mode, ProgramJob};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Computes `job`.
///
/// Errors: `Input`, `Cancelled`.
pub(super) fn run(job: &ProgramJob, run: &Run<'_>) -> Result<Computation, EngineError> {
    let blobs = Blobs::of(job, run.inputs)?;
    run.progress.update(0, job.items);
    match job.mode {
        Mode::Map => {
            let items: Vec<u64> = (0..job.items.into()).collect();
            let output = records(job, &blobs, &items, run)?;
            Ok(Computation::of_parts(Vec::new(), output))
        }
        Mode::Fold => fold(job, &blobs, run),
    }
}

/// The records of these items of a map, one after the other.
pub(super) fn records(job: &ProgramJob, blobs: &Blobs, items: &[u64], run: &Run<'_>) -> Result<Vec<u8>, EngineError> {
    let mut output = vec![0; items.len() * job.record_bytes as usize];
    let done = Mutex::new(0);
    output
        .par_chunks_exact_mut(job.record_bytes as usize)
        .zip(items)
        // Runs may take different times: each is a task by itself.
        .with_max_len(1)
        .try_for_each(|(record, &item)| {
            run.cancel.check()?;
            record.copy_from_slice(&blobs.run(job, item, None, run.cancel)?.record(job));
            // Locked while progress is reported, so that it never falls.
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            *done += 1;
            run.progress.update(*done, items.len() as u32);
            Ok::<(), EngineError>(())
        })?;
    Ok(output)
}

/// Step after step.
fn fold(job: &ProgramJob, blobs: &Blobs, run: &Run<'_>) -> Result<Computation, EngineError> {
    let mut digests = Vec::new();
    let mut record: Option<Vec<u8>> = None;
    for step in 0..job.items {
        run.cancel.check()?;
        let next = blobs.run(job, step.into(), record.as_deref(), run.cancel)?.record(job);
        digests.push(output_digest(&next));
        record = Some(next);
        run.progress.update(step + 1, job.items);
    }
    Ok(Computation {
        // A job has at least one step.
        output: record.unwrap_or_default(),
        state_digests: digests,
    })
}
