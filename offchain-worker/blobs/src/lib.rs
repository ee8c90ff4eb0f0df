//! Content-addressed store of job specifications, inputs and results.
//!
//! A blob's key is computed from its content, so that every read is checked: a blob that does not match its key is
//! reported as [`BlobError::Corrupt`], never returned. The store is a folder by default and an S3 bucket by URL.
//!
//! | kind | key |
//! | --- | --- |
//! | [`BlobKind::Job`], [`BlobKind::Input`], [`BlobKind::Output`] | BLAKE3 of the content |
//! | [`BlobKind::States`] | the states root of the claim: root of the Merkle tree over the digests |
//!
//! This crate knows no chain: the caller says which blobs are still wanted ([`BlobStore::collect_garbage`]).

#![deny(missing_docs)]

mod error;
mod kind;
mod store;

pub use error::BlobError;
pub use kind::{BlobKey, BlobKind};
pub use store::{BlobStore, Garbage};
