//! What can go wrong with a blob.

use crate::BlobKind;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No store can be opened at the location.
    #[error("cannot open a blob store at {location:?}: {reason}; give a folder, or a URL such as s3://bucket/prefix")]
    Location {
        /// What was given.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such blob.
    #[error("there is no {kind} {key} in the blob store")]
    NotFound {
        /// Its kind.
        kind: BlobKind,
        /// Its key, in hex.
        key: String,
    },
    /// The content is not what the key says.
    #[error(
        "the {kind} {key} in the blob store is damaged: its content hashes to {found}; delete it and fetch it anew"
    )]
    Corrupt {
        /// Its kind.
        kind: BlobKind,
        /// Its key, in hex.
        key: String,
        /// What its content hashes to, in hex.
        found: String,
    },
    /// The blob is larger than the reader is willing to take.
    #[error("the {kind} {key} has {size} bytes, and at most {limit} were expected; it is not fetched")]
    TooLarge {
        /// Its kind.
        kind: BlobKind,
        /// Its key, in hex.
        key: String,
        /// Its size in bytes.
        size: u64,
        /// The most that was expected, in bytes.
        limit: u64,
    },
    /// The storage behind the store failed.
    #[error("the blob store failed: {0}")]
    Storage(#[from] object_store::Error),
}

impl BlobError {
    /// Whether the same call may succeed later.
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::Storage(_) | Self::NotFound { .. } => true,
            Self::Location { .. } | Self::Corrupt { .. } | Self::TooLarge { .. } => false,
        }
    }
}
