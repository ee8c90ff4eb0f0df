//! What a blob is, and how its key follows from its content.

use std::fmt;

/// Length of the chunks over which a result's digest is computed.
pub const OUTPUT_CHUNK_BYTES: usize = 1024;

/// A blob's key: 32 bytes computed from its content.
pub type BlobKey = [u8; 32];

/// What a blob is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BlobKind {
    /// A SCALE-encoded job specification.
    Job,
    /// The canonical output of a job.
    Output,
    /// An input of a job: a model, a scene, data.
    Input,
}

impl BlobKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Job, Self::Output, Self::Input];

    /// The key of `content`.
    pub fn key_of(self, content: &[u8]) -> BlobKey {
        match self {
            Self::Job | Self::Input => sp_crypto_hashing::blake2_256(content),
            Self::Output => agora_math::merkle::chunked_root(content, OUTPUT_CHUNK_BYTES),
        }
    }

    /// Name of the folder that holds blobs of this kind.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Job => "jobs",
            Self::Output => "outputs",
            Self::Input => "inputs",
        }
    }
}

impl fmt::Display for BlobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Job => "job",
            Self::Output => "output",
            Self::Input => "input",
        })
    }
}
