//! What can go wrong with a blob.

use crate::BlobKind;
use std::path::{Path, PathBuf};

/// An error of a store, of the cache, or of those from whom a blob is fetched.
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
    /// The operator of this machine does not want the blob here.
    #[error("the {kind} {key} is neither fetched nor served here: --deny-blob names it")]
    Denied {
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
    /// The blob is shorter than was promised.
    #[error("the {kind} {key} has {size} bytes where {expected} were promised")]
    Length {
        /// Its kind.
        kind: BlobKind,
        /// Its key, in hex.
        key: String,
        /// Its size in bytes.
        size: u64,
        /// What was promised, in bytes.
        expected: u64,
    },
    /// The blob does not fit into the cache.
    #[error(
        "a blob of {size} bytes does not fit into the cache {folder:?}: of its {quota} bytes {in_use} are in use; \
         allow more with --cache-size, or free some with `agora blobs gc`"
    )]
    Quota {
        /// The cache's folder.
        folder: PathBuf,
        /// The blob's size in bytes.
        size: u64,
        /// How many bytes the cache may have.
        quota: u64,
        /// How many cannot be removed, as somebody uses them.
        in_use: u64,
    },
    /// Nobody has given the blob.
    #[error("the {kind} {key} could not be fetched; what arrived of it is kept. Tried: {tried}")]
    Unavailable {
        /// Its kind.
        kind: BlobKind,
        /// Its key, in hex.
        key: String,
        /// Each peer, and why it did not give the blob.
        tried: String,
    },
    /// An address from which nothing is fetched.
    #[error("nothing is fetched from {url:?}: {reason}")]
    Url {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Blobs cannot be served.
    #[error("cannot serve blobs at {address}: {reason}; choose another address with --serve")]
    Serve {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        reason: std::io::Error,
    },
    /// The store is not one that can be served.
    #[error("only a folder can be served: those who share a bucket fetch from it. Give a folder with --blobs")]
    NotAFolder,
    /// The disk is full.
    #[error("the disk of {path:?} is full: free some space; what was fetched so far is kept")]
    DiskFull {
        /// The file that was written.
        path: PathBuf,
    },
    /// A file on this machine failed.
    #[error("{path:?}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        reason: std::io::Error,
    },
    /// The HTTP client cannot be set up.
    #[error("cannot set up HTTP: {0}")]
    Http(String),
    /// The storage behind the store failed.
    #[error("the blob store failed: {0}")]
    Storage(#[from] object_store::Error),
}

impl BlobError {
    /// The failure of a file.
    pub(crate) fn file(path: &Path, reason: std::io::Error) -> Self {
        let path = path.to_owned();
        match reason.kind() {
            // A limit to the size of files is met like a full disk.
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
                Self::DiskFull { path }
            }
            _ => Self::File { path, reason },
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::Storage(_)
            | Self::NotFound { .. }
            | Self::Unavailable { .. }
            | Self::Quota { .. }
            | Self::DiskFull { .. }
            | Self::File { .. } => true,
            Self::Location { .. }
            | Self::Corrupt { .. }
            | Self::Denied { .. }
            | Self::TooLarge { .. }
            | Self::Length { .. }
            | Self::Url { .. }
            | Self::Serve { .. }
            | Self::NotAFolder
            | Self::Http(_) => false,
        }
    }
}
