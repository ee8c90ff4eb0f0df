//! Files that become inputs of jobs.

use crate::exit::CliError;
use std::path::Path;

/// The content of the file at `path`.
pub fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let content = std::fs::read(path).map_err(|reason| CliError::File {
        path: path.display().to_string(),
        reason,
    })?;
    if content.starts_with(b"version https://git-lfs") {
        let reason = "a Git LFS pointer, not the file itself: run `git lfs pull` in its folder";
        return Err(unusable(path, reason));
    }
    Ok(content)
}

/// The file at `path` is not what the job needs.
pub fn unusable(path: &Path, reason: impl std::fmt::Display) -> CliError {
    CliError::Usage(format!("{}: {reason}", path.display()))
}
