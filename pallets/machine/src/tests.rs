//! Tests of the machine as a whole: programs that run, and segments that are executed from witnesses.

pub(crate) mod assembler;
mod attacks;
mod emulator;
mod instructions;
mod programs;
pub(crate) mod random;
mod segments;
mod vectors;

use crate::{Chunks, PAGE_BYTES, Program};
use agora_jobs::{BlobRef, ChunkProof, blob::CHUNK_BYTES};

/// Blobs in memory.
#[derive(Default)]
pub(crate) struct Blobs(pub Vec<Vec<u8>>);

impl Blobs {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|content| BlobRef::to(content) == *blob)
            .map(Vec::as_slice)
    }
}

impl Chunks for Blobs {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; PAGE_BYTES]) -> Option<()> {
        let bytes = &self.content(blob)?[index as usize * CHUNK_BYTES..];
        let bytes = &bytes[..bytes.len().min(CHUNK_BYTES)];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(())
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        ChunkProof::new(self.content(blob)?, index)
    }
}

/// A program with an empty input.
pub(crate) fn program(image: &[u8], gas: u64) -> Program<'_> {
    Program {
        image,
        input: BlobRef::to(&[]),
        gas,
        reads: None,
    }
}
