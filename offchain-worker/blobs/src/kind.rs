//! What a blob is, and how its key follows from its content.

use crate::BlobError;
use agora_jobs::{BlobRef, H256, blob};
use agora_math::merkle;
use std::fmt;

/// A blob's key: 32 bytes computed from its content.
pub type BlobKey = [u8; 32];

/// The longest list of states that is fetched, in bytes: 2²⁰ digests, which is more than any kind of job has.
pub const MAX_STATES_BYTES: u64 = 32 << 20;

/// What a blob is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BlobKind {
    /// A SCALE-encoded job specification.
    Job,
    /// The canonical output of a job.
    Output,
    /// The digests of the states of a computation before its output, 32 bytes each.
    States,
    /// An input of a job: a model, a scene, data.
    Input,
}

impl BlobKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Job, Self::Output, Self::States, Self::Input];

    /// The key of `content`.
    pub fn key_of(self, content: &[u8]) -> BlobKey {
        match self {
            Self::Job | Self::Output | Self::Input => blob::hash(content).0,
            // Bytes beyond the last digest count as one that is shorter, so that they are not overlooked.
            Self::States => {
                let digests = content.chunks(32);
                merkle::root(&digests.map(merkle::leaf_hash).collect::<Vec<_>>())
            }
        }
    }

    /// Name of the folder that holds blobs of this kind.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Job => "jobs",
            Self::Output => "outputs",
            Self::States => "states",
            Self::Input => "inputs",
        }
    }
}

/// A blob that somebody wants: its address, and how large it is at most.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Wanted {
    /// What it is.
    pub kind: BlobKind,
    /// Its key.
    pub key: BlobKey,
    /// Its length in bytes; of a list of states, the most that it may have.
    pub size: u64,
}

impl Wanted {
    /// The content `blob`, as a `kind` that is addressed by its BLAKE3 hash.
    pub const fn content(kind: BlobKind, blob: &BlobRef) -> Self {
        Self {
            kind,
            key: blob.hash.0,
            size: blob.size,
        }
    }

    /// The list of states with this root.
    pub const fn states(root: &H256) -> Self {
        Self {
            kind: BlobKind::States,
            key: root.0,
            size: MAX_STATES_BYTES,
        }
    }

    /// Checks that a blob of `found` bytes can be the one that is wanted.
    ///
    /// Errors: `TooLarge`, `Length`.
    pub fn check_len(&self, found: u64) -> Result<(), BlobError> {
        self.check_limit(found)?;
        if found < self.size && self.kind != BlobKind::States {
            return Err(BlobError::Length {
                kind: self.kind,
                key: hex::encode(self.key),
                size: found,
                expected: self.size,
            });
        }
        Ok(())
    }

    /// Checks that a blob of `found` bytes is not longer than wanted. Errors: `TooLarge`.
    pub(crate) fn check_limit(&self, found: u64) -> Result<(), BlobError> {
        if found <= self.size {
            return Ok(());
        }
        Err(BlobError::TooLarge {
            kind: self.kind,
            key: hex::encode(self.key),
            size: found,
            limit: self.size,
        })
    }

    /// Checks that `content` is what is wanted.
    ///
    /// Errors: `TooLarge`, `Length`, `Corrupt`.
    pub fn check(&self, content: &[u8]) -> Result<(), BlobError> {
        self.check_len(content.len() as u64)?;
        self.check_key(self.kind.key_of(content))
    }

    /// Checks that `found` is its key. Errors: `Corrupt`.
    pub(crate) fn check_key(&self, found: BlobKey) -> Result<(), BlobError> {
        if found == self.key {
            return Ok(());
        }
        Err(BlobError::Corrupt {
            kind: self.kind,
            key: hex::encode(self.key),
            found: hex::encode(found),
        })
    }

    /// That it is nowhere.
    pub(crate) fn not_found(&self) -> BlobError {
        BlobError::NotFound {
            kind: self.kind,
            key: hex::encode(self.key),
        }
    }

    /// As content that is addressed by its BLAKE3 hash. `None`: it is a list of states.
    pub(crate) fn blob(&self) -> Option<BlobRef> {
        (self.kind != BlobKind::States).then_some(BlobRef {
            hash: H256(self.key),
            size: self.size,
        })
    }
}

/// The key that a file of this name holds, if it is one.
pub(crate) fn key_of_name(name: &str) -> Option<BlobKey> {
    hex::decode(name).ok()?.try_into().ok()
}

impl fmt::Display for BlobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Job => "job",
            Self::Output => "output",
            Self::States => "list of states",
            Self::Input => "input",
        })
    }
}
