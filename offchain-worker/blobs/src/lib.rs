//! Content-addressed job specifications, inputs and results: where they are kept, and how strangers pass them on.
//!
//! A blob's key is computed from its content, so that every read is checked: a blob that does not match its key is
//! reported as [`BlobError::Corrupt`], never returned.
//!
//! | kind | key |
//! | --- | --- |
//! | [`BlobKind::Job`], [`BlobKind::Input`], [`BlobKind::Output`] | BLAKE3 of the content |
//! | [`BlobKind::States`] | the states root of the claim: root of the Merkle tree over the digests |
//!
//! - [`BlobStore`]: what somebody keeps and, if asked to, serves: a folder, or an S3 bucket.
//! - [`Cache`]: a private folder for what came from others, and the only place that partial blobs are in.
//! - [`BlobSource`]: whatever blobs can be had from. [`Blobs`] is a store, a cache and peers together.
//! - [`http`]: serving a store and a cache to strangers, and fetching from them.
//!
//! Bytes from others go to disk as they arrive, each group of 16 KiB after it was checked against the root. Nothing larger
//! than a group is believed or held before that. `docs/protocol/blobs.md` has the bytes that cross the wire.
//!
//! This crate knows no chain: the caller says which blobs are still wanted ([`BlobStore::collect_garbage`]).

#![deny(missing_docs)]

mod blobs;
mod cache;
mod denied;
mod disk;
mod error;
pub mod http;
mod joined;
mod kind;
mod openings;
mod partial;
mod queue;
mod source;
mod store;
mod tree;

pub use blobs::{Blobs, Origin};
pub use cache::Cache;
pub use denied::Denied;
pub use disk::{close_file, close_own_folder, private_folder};
pub use error::BlobError;
pub use kind::{BlobKey, BlobKind, MAX_STATES_BYTES, Wanted};
pub use openings::keyed_openings;
pub use source::{BlobSource, Fetched, copy, open, read, read_shared, save};
pub use store::{BlobStore, Garbage};
