//! What was computed and is on disk, so that somebody who was killed goes on from there.
//!
//! The job's hash, and then a record for each content, in the order in which they are computed: its digest, and a check of that. A record
//! that was torn does not pass its check, and a content that was torn does not hash to its digest: it ends there.

use super::{
    folder::Folder,
    pages::{Paged, Trouble},
};
use agora_jobs::{H256, blob};

/// How the file is called.
pub const INDEX: &str = "index";
/// What the file begins with, before the hash of the job: what it is, and the version of it.
const MAGIC: [u8; 8] = *b"agcourt1";
/// Bytes before the first record.
pub const HEADER_BYTES: u64 = 40;
/// Bytes of a record.
pub const RECORD_BYTES: u64 = 40;
const RECORD: usize = RECORD_BYTES as usize;
/// Records that are read at a time.
const AT_ONCE: u64 = 1 << 12;

/// The record of a unit that finds the inputs unusable, in the place of a digest.
pub const UNUSABLE: H256 = H256::zero();

/// The file.
pub struct Index {
    file: Paged,
    job: H256,
    records: u64,
}

impl Index {
    /// Opens the file in `folder`, and returns the records in it about `job`. One about another job, or of another version, is begun anew.
    ///
    /// Errors: `File`, `Full`.
    pub fn open(folder: &Folder, job: H256) -> Result<(Self, Vec<H256>), Trouble> {
        let path = folder.at(INDEX);
        let file = folder.file(INDEX)?;
        let size = file.metadata().map_err(|error| Trouble::of(&path, &error))?.len();
        let mut index = Self {
            file: Paged::new(&folder.pages, path, file),
            job,
            records: 0,
        };
        let header = [&MAGIC[..], &job.0].concat();
        if size < HEADER_BYTES || index.file.read(0, HEADER_BYTES)? != header {
            index.file.cut(0)?;
            index.file.write(0, &header)?;
            return Ok((index, Vec::new()));
        }
        let mut digests = Vec::new();
        let whole = size.saturating_sub(HEADER_BYTES) / RECORD_BYTES;
        while index.records < whole {
            let count = whole.saturating_sub(index.records).min(AT_ONCE);
            let bytes = index.file.read(index.bytes(), count.saturating_mul(RECORD_BYTES))?;
            for record in bytes.chunks_exact(RECORD) {
                let digest = record.first_chunk().copied().map(H256).unwrap_or_default();
                if record != index.record(&digest) {
                    return Ok((index, digests));
                }
                digests.push(digest);
                index.records = index.records.saturating_add(1);
            }
        }
        Ok((index, digests))
    }

    /// Bytes of all records, and of what is before them.
    pub const fn bytes(&self) -> u64 {
        HEADER_BYTES.saturating_add(self.records.saturating_mul(RECORD_BYTES))
    }

    /// The next record, of `digest`.
    fn record(&self, digest: &H256) -> [u8; RECORD] {
        let about = [&self.job.0[..], &self.records.to_le_bytes(), &digest.0].concat();
        let check = blob::hash(&about);
        let mut record = [0; RECORD];
        for (to, from) in record.iter_mut().zip(digest.0.iter().chain(&check.0)) {
            *to = *from;
        }
        record
    }

    /// Forgets all records after the first `records`.
    ///
    /// Errors: `File`.
    pub fn cut(&mut self, records: u64) -> Result<(), Trouble> {
        self.records = records;
        self.file.cut(self.bytes())
    }

    /// Adds a record.
    ///
    /// Errors: `File`, `Full`.
    pub fn append(&mut self, digest: &H256) -> Result<(), Trouble> {
        self.file.write(self.bytes(), &self.record(digest))?;
        self.records = self.records.saturating_add(1);
        Ok(())
    }
}
