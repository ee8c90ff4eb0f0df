//! Content-addressed store of job specifications, inputs and results.
//!
//! A blob's key is computed from its content, so that every read is checked: a blob that does not match its key is
//! reported as [`BlobError::Corrupt`], never returned. The store is a folder by default and an S3 bucket by URL.
//!
//! | kind | key |
//! | --- | --- |
//! | [`BlobKind::Job`], [`BlobKind::Input`] | `blake2_256` of the content |
//! | [`BlobKind::Output`] | the result digest: Merkle root of the content's 1 KiB chunks |
//!
//! This crate knows no chain: the caller says which blobs are still wanted ([`BlobStore::collect_garbage`]).

#![deny(missing_docs)]

mod error;
mod kind;
mod store;

pub use error::BlobError;
pub use kind::{BlobKey, BlobKind, OUTPUT_CHUNK_BYTES};
pub use store::{BlobStore, Garbage};
