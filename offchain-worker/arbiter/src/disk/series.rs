//! Contents one after the other in a file.

use super::{
    folder::Folder,
    pages::{GROUP_BYTES, Paged, Trouble},
    stored::{Hashing, Stored},
};
use agora_jobs::{BlobRef, H256};
use std::sync::Arc;

/// Contents one after the other, of any lengths: written once, in order, and read by number or by digest. In memory are their digests, where
/// they end, and the chaining values of their groups.
pub struct Series {
    folder: Arc<Folder>,
    name: String,
    /// Made when it is first written to.
    file: Option<Paged>,
    digests: Vec<H256>,
    /// Where each ends in the file.
    ends: Vec<u64>,
    /// The chaining values of the groups of all contents that have several.
    groups: Vec<H256>,
    /// Where those of each content end.
    groups_end: Vec<usize>,
    /// The content that is being written.
    open: Hashing,
    /// The numbers of all contents, by digest.
    by_digest: Vec<u32>,
    /// Whether the file is removed with this.
    is_temporary: bool,
}

impl Series {
    /// An empty one in the file `name`, whatever is in it.
    pub fn new(folder: &Arc<Folder>, name: &str) -> Self {
        Self {
            folder: Arc::clone(folder),
            name: name.to_owned(),
            file: None,
            digests: Vec::new(),
            ends: Vec::new(),
            groups: Vec::new(),
            groups_end: Vec::new(),
            open: Hashing::default(),
            by_digest: Vec::new(),
            is_temporary: false,
        }
    }

    /// The same, and the file is removed with it.
    pub fn temporary(folder: &Arc<Folder>, name: &str) -> Self {
        let mut series = Self::new(folder, name);
        series.is_temporary = true;
        series
    }

    pub fn digests(&self) -> &[H256] {
        &self.digests
    }

    /// How many contents there are.
    pub const fn count(&self) -> u64 {
        self.digests.len() as u64
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> u64 {
        self.ends.last().copied().unwrap_or_default()
    }

    fn file(&mut self) -> Result<&Paged, Trouble> {
        let opened = match self.file.take() {
            Some(file) => file,
            None => Paged::new(
                &self.folder.pages,
                self.folder.at(&self.name),
                self.folder.file(&self.name)?,
            ),
        };
        Ok(self.file.insert(opened))
    }

    /// Writes `bytes` to the end of the content that is being written. If that fails nothing has changed.
    ///
    /// Errors: `Full`, `File`.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        if bytes.is_empty() {
            return Ok(());
        }
        let at = self.bytes().saturating_add(self.open.size());
        let folder = Arc::clone(&self.folder);
        folder.take(bytes.len() as u64)?;
        let written = self.file().and_then(|file| file.write(at, bytes));
        if let Err(trouble) = written {
            folder.give(bytes.len() as u64);
            return Err(trouble);
        }
        self.open.update(bytes);
        Ok(())
    }

    /// Ends the content that is being written, and returns its digest.
    pub fn finish(&mut self) -> H256 {
        let (blob, groups) = self.open.finish();
        self.ends.push(self.bytes().saturating_add(blob.size));
        self.groups.extend(groups);
        self.groups_end.push(self.groups.len());
        self.digests.push(blob.hash);
        blob.hash
    }

    /// Takes the next `size` bytes of the file for a content, if they hash to `digest`. Returns whether they do.
    ///
    /// Errors: `Full`, `File`.
    pub fn adopt(&mut self, size: u64, digest: H256) -> Result<bool, Trouble> {
        let begin = self.bytes();
        let mut left = size;
        while left > 0 {
            let len = left.min(GROUP_BYTES);
            let at = begin.saturating_add(self.open.size());
            // What cannot be read is written anew.
            let Ok(bytes) = self.file()?.read(at, len) else {
                break;
            };
            self.open.update(&bytes);
            left = left.saturating_sub(len);
        }
        let (blob, groups) = self.open.finish();
        if blob != (BlobRef { hash: digest, size }) {
            return Ok(false);
        }
        self.folder.take(size)?;
        self.ends.push(begin.saturating_add(size));
        self.groups.extend(groups);
        self.groups_end.push(self.groups.len());
        self.digests.push(digest);
        Ok(true)
    }

    /// Cuts off the file what is after the last content.
    ///
    /// Errors: `File`.
    pub fn cut(&mut self) -> Result<(), Trouble> {
        let bytes = self.bytes();
        self.file()?.cut(bytes)
    }

    /// Makes contents known by their digests: no more come.
    pub fn seal(&mut self) {
        let count = u32::try_from(self.digests.len()).unwrap_or(u32::MAX);
        self.by_digest = (0..count).collect();
        let digests = &self.digests;
        self.by_digest
            .sort_unstable_by_key(|&number| digests.get(number as usize).copied());
    }

    /// Content `number`. `None`: there is none.
    pub fn get(&self, number: u64) -> Option<Stored<'_>> {
        let at = usize::try_from(number).ok()?;
        let before = at.checked_sub(1);
        let begin = match before {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        let groups = match before {
            Some(before) => *self.groups_end.get(before)?,
            None => 0,
        };
        Some(Stored {
            file: self.file.as_ref(),
            offset: begin,
            blob: BlobRef {
                hash: *self.digests.get(at)?,
                size: self.ends.get(at)?.checked_sub(begin)?,
            },
            groups: self.groups.get(groups..*self.groups_end.get(at)?)?,
        })
    }

    /// The content that is `blob`. `None`: there is none.
    pub fn find(&self, blob: &BlobRef) -> Option<Stored<'_>> {
        let digest = |number: &u32| self.digests.get(*number as usize).copied();
        let at = self
            .by_digest
            .binary_search_by_key(&Some(blob.hash), digest)
            .ok()
            .and_then(|at| self.by_digest.get(at))?;
        self.get(u64::from(*at)).filter(|stored| stored.blob == *blob)
    }
}

impl Drop for Series {
    fn drop(&mut self) {
        self.folder.give(self.bytes().saturating_add(self.open.size()));
        if let Some(file) = self.file.as_ref().filter(|_| self.is_temporary) {
            // What stays is removed when the folder is opened the next time.
            let _ = std::fs::remove_file(file.path());
        }
    }
}
