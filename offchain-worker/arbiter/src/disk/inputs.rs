//! The inputs of one job, in files.

use super::{
    pages::{GROUP_BYTES, Paged, Pages},
    stored::{Hashing, Stored},
};
use crate::contents::{Contents, chunk_of};
use agora_jobs::{BlobRef, ChunkProof, H256, blob::CHUNK_BYTES};
use std::{collections::HashMap, fs::File, io, os::unix::fs::FileExt, path::PathBuf};

/// The inputs of a job that somebody has, in files or in memory. A file may belong to others, and be written to: what is read of it is
/// compared with its hash each time.
pub struct FileInputs(HashMap<BlobRef, FileInput>);

/// One of them.
pub struct FileInput(Place);

enum Place {
    /// With the chaining values of its groups.
    File(Paged, Vec<H256>),
    Memory(Vec<u8>),
}

impl FileInput {
    /// What is in the file `path`, and what it is called. The file stays open, and may be removed. What is read of it is held in `pages`.
    ///
    /// Errors: those of reading it. Complexity: that of hashing it.
    pub fn open(pages: &Pages, path: PathBuf) -> io::Result<(BlobRef, Self)> {
        let file = File::open(&path)?;
        let size = file.metadata()?.len();
        let mut hashing = Hashing::default();
        let mut group = Vec::new();
        while hashing.size() < size {
            let len = size.saturating_sub(hashing.size()).min(GROUP_BYTES);
            group.resize(usize::try_from(len).unwrap_or_default(), 0);
            file.read_exact_at(&mut group, hashing.size())?;
            hashing.update(&group);
        }
        let (blob, groups) = hashing.finish();
        Ok((blob, Self(Place::File(Paged::new(pages, path, file), groups))))
    }

    /// What is in memory, and what it is called.
    pub fn held(content: Vec<u8>) -> (BlobRef, Self) {
        (BlobRef::to(&content), Self(Place::Memory(content)))
    }
}

impl FromIterator<(BlobRef, FileInput)> for FileInputs {
    fn from_iter<T: IntoIterator<Item = (BlobRef, FileInput)>>(inputs: T) -> Self {
        Self(inputs.into_iter().collect())
    }
}

impl Contents for FileInputs {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        match &self.0.get(blob)?.0 {
            Place::File(file, groups) => stored(blob, file, groups).chunk(index, chunk),
            Place::Memory(content) => chunk_of(content, index, chunk),
        }
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        match &self.0.get(blob)?.0 {
            Place::File(file, groups) => stored(blob, file, groups).prove(index),
            Place::Memory(content) => ChunkProof::new(content, index),
        }
    }
}

const fn stored<'a>(blob: &BlobRef, file: &'a Paged, groups: &'a [H256]) -> Stored<'a> {
    Stored {
        file: Some(file),
        offset: 0,
        blob: *blob,
        groups,
    }
}
