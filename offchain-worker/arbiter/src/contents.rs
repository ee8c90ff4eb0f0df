//! What runs read, by content address.

use agora_jobs::{BlobRef, ChunkProof, blob::CHUNK_BYTES};
use agora_reference::Inputs;
use std::sync::Arc;

/// Contents that somebody has, in memory or elsewhere.
pub trait Contents {
    /// Writes chunk `index` of `blob` to `chunk`, and returns how many bytes it has. `None`: it is not at hand, or there is no such
    /// chunk.
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize>;

    /// Shows chunk `index` of `blob`. `None`: as [`Self::chunk`].
    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof>;
}

impl<I: Inputs> Contents for I {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        chunk_of(self.content(blob)?, index, chunk)
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        ChunkProof::new(self.content(blob)?, index)
    }
}

/// Writes chunk `index` of `content` to `chunk`, and returns how many bytes it has. `None`: there is no such chunk.
pub fn chunk_of(content: &[u8], index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
    let from = usize::try_from(index).ok()?.checked_mul(CHUNK_BYTES)?;
    let bytes = content.get(from..)?;
    let bytes = bytes.get(..bytes.len().min(CHUNK_BYTES))?;
    chunk.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(bytes.len())
}

/// The whole of `blob`, in memory. `None`: a part is not at hand.
pub fn whole(contents: &dyn Contents, blob: &BlobRef) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; CHUNK_BYTES];
    for index in 0..blob.chunks() {
        let length = contents.chunk(blob, index, &mut chunk)?;
        bytes.extend_from_slice(chunk.get(..length)?);
    }
    (bytes.len() as u64 == blob.size).then_some(bytes)
}

/// Contents that several have.
#[derive(Clone)]
pub struct Shared(Arc<dyn Contents + Send + Sync>);

impl Shared {
    /// Shares `contents`.
    pub fn new(contents: impl Contents + Send + Sync + 'static) -> Self {
        Self(Arc::new(contents))
    }
}

impl Contents for Shared {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        self.0.chunk(blob, index, chunk)
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        self.0.prove(blob, index)
    }
}
