//! Files that become inputs of jobs.

use crate::exit::CliError;
use agora_blobs::{BlobKind, BlobStore};
use agora_primitives::job::BlobRef;
use std::path::Path;

/// The content of the file at `path`.
pub fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|reason| CliError::File {
        path: path.display().to_string(),
        reason,
    })
}

/// The lines of the file at `path` that are not empty.
pub fn sentences(path: &Path) -> Result<Vec<String>, CliError> {
    let text = String::from_utf8(read(path)?)
        .map_err(|error| CliError::Usage(format!("{} is not UTF-8: {error}", path.display())))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

/// Puts an input into the blob store, where workers and verifiers find it.
pub async fn store(blobs: &BlobStore, content: Vec<u8>) -> Result<BlobRef, CliError> {
    let blob = BlobRef::to(&content);
    blobs.put(BlobKind::Input, content).await?;
    Ok(blob)
}

/// The file at `path` is not what the job needs.
pub fn unusable(path: &Path, reason: impl std::fmt::Display) -> CliError {
    CliError::Usage(format!("{}: {reason}", path.display()))
}
