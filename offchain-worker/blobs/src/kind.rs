//! What a blob is, and how its key follows from its content.

use agora_jobs::blob;
use agora_math::merkle;
use std::fmt;

/// A blob's key: 32 bytes computed from its content.
pub type BlobKey = [u8; 32];

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
