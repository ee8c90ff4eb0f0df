//! From command line arguments to a job and its inputs.

use crate::{args::JobArgs, exit::CliError};
use agora_blobs::{BlobKind, BlobStore};
use agora_primitives::job::{BlobRef, JobKind, JobSpec, RowsJob, SyntheticJob};
use std::path::Path;

/// The job that `args` describe, within its limits. Its inputs are in `blobs` then.
pub async fn prepare(blobs: &BlobStore, args: JobArgs) -> Result<JobSpec, CliError> {
    let kind = match args {
        JobArgs::Synthetic {
            matrix_size,
            iterations,
            seed,
        } => JobKind::Synthetic(SyntheticJob {
            seed: parse_seed(seed.as_deref())?,
            matrix_size,
            iterations,
        }),
        JobArgs::Rows {
            matrix,
            columns,
            first_row,
            rows,
            vectors,
        } => {
            let (matrix, input) = (store(blobs, &matrix).await?, store(blobs, &vectors).await?);
            let count = |bytes: u32| bytes.checked_div(columns).unwrap_or(0);
            JobKind::Rows(RowsJob {
                matrix,
                columns,
                first_row,
                rows: rows.unwrap_or_else(|| count(matrix.size).saturating_sub(first_row)),
                input,
                vectors: count(input.size),
            })
        }
    };
    let spec = JobSpec::V1(kind);
    spec.validate().map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(spec)
}

fn parse_seed(text: Option<&str>) -> Result<[u8; 32], CliError> {
    let Some(text) = text else { return Ok(rand::random()) };
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut seed)
        .map_err(|_| CliError::Usage("--seed takes 64 hex digits".to_owned()))?;
    Ok(seed)
}

/// Puts a file where workers and validators find it.
async fn store(blobs: &BlobStore, path: &Path) -> Result<BlobRef, CliError> {
    let content = std::fs::read(path).map_err(|reason| CliError::File {
        path: path.display().to_string(),
        reason,
    })?;
    let blob = BlobRef::to(&content)
        .ok_or_else(|| CliError::Usage(format!("{} is larger than an input may be", path.display())))?;
    blobs.put(BlobKind::Input, content).await?;
    Ok(blob)
}
