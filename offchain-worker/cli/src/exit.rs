//! How the program ends.

use agora_blobs::BlobError;
use agora_chain::{ChainError, KeyError};
use agora_compute::EngineError;
use agora_models::{EmbedError, ImportError};
use agora_worker::{JournalError, WorkerError};

/// For `--help`.
pub const EXPLAINED: &str = "Exit codes: 0 done · 1 failed · 2 wrong usage · 3 not found · 4 refused by the chain · \
                             5 no node answers · 6 verification failed";

/// Why the program ends without having done what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Embed(#[from] EmbedError),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    NotFound(String),
    #[error("verification failed: {0}")]
    Unverified(String),
    #[error("{path}: {reason}")]
    File { path: String, reason: std::io::Error },
}

impl CliError {
    /// The process's exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Key(_) | Self::Import(_) | Self::Embed(_) => 2,
            Self::NotFound(_) | Self::Chain(ChainError::NotFound(_)) | Self::Blob(BlobError::NotFound { .. }) => 3,
            Self::Chain(error) | Self::Worker(WorkerError::Chain(error)) => match error {
                ChainError::Refused { .. }
                | ChainError::Failed(_)
                | ChainError::CannotPayFee { .. }
                | ChainError::Invalid(_) => 4,
                ChainError::Unreachable { .. } | ChainError::Disconnected(_) => 5,
                _ => 1,
            },
            Self::Unverified(_) | Self::Blob(BlobError::Corrupt { .. }) => 6,
            Self::Blob(_) | Self::Engine(_) | Self::Worker(_) | Self::Journal(_) | Self::File { .. } => 1,
        }
    }
}
