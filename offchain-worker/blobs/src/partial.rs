//! A blob of which a part has arrived.
//!
//! Nothing is noted beside the bytes and the tree: after a break, what is there is hashed, and what is right is kept. So a
//! power cut, a full disk or a damaged sector costs the groups that it hit, and nothing is believed.

use crate::{BlobError, Cache, Wanted, disk, joined::JoinedWrites, queue::Queue, tree};
use agora_jobs::BlobRef;
use bao_tree::{
    ChunkRanges,
    io::{
        BaoContentItem,
        outboard::PreOrderOutboard,
        sync::{OutboardMut, WriteAt},
    },
};
use std::{
    fs::{File, TryLockError},
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// For how many bytes room is made at a time. Whoever lies about a length gets no more than this for nothing.
const ROOM_AT_ONCE: u64 = 16 << 20;

/// A file that its path names and that nobody else has locked. Whoever renames or removes such a file holds it.
#[derive(Debug)]
pub struct Locked {
    file: File,
    path: PathBuf,
}

impl Locked {
    /// Opens and locks `path`, made if need be. `None`: somebody else holds it.
    pub fn open(path: &Path) -> Result<Option<Self>, BlobError> {
        let file = disk::private_file().open(path);
        Self::lock(file.map_err(|error| BlobError::file(path, error))?, path)
    }

    /// As [`Locked::open`], if the file is there.
    pub fn existing(path: &Path) -> Result<Option<Self>, BlobError> {
        match std::fs::OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => Self::lock(file, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BlobError::file(path, error)),
        }
    }

    fn lock(file: File, path: &Path) -> Result<Option<Self>, BlobError> {
        let failed = |error| BlobError::file(path, error);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Between opening and locking whoever held it may have given it another name, or removed it.
        if !disk::is_at(&file, path).map_err(failed)? {
            return Ok(None);
        }
        let path = path.to_owned();
        Ok(Some(Self { file, path }))
    }

    /// Whether somebody holds `path`.
    pub fn is_held(path: &Path) -> bool {
        File::open(path).is_ok_and(|file| file.try_lock().is_err())
    }

    /// Removes it and its tree.
    pub fn remove(&self) -> Result<(), BlobError> {
        disk::remove(&self.tree_path())?;
        disk::remove(&self.path)
    }

    fn tree_path(&self) -> PathBuf {
        self.path.with_extension("tree")
    }
}

/// A blob of which a part has arrived. While it exists, nobody else writes to its files. If nothing has arrived when it is
/// dropped, nothing stays.
#[derive(Debug)]
pub struct Partial {
    blob: BlobRef,
    /// Locked, so that other processes keep off.
    data: Locked,
    tree: File,
    have: Mutex<ChunkRanges>,
    /// What is still to be asked for, by all who fetch it.
    queue: Queue,
    cache: Cache,
    room: Mutex<Room>,
    /// Held while it is finished.
    is_finished: Mutex<bool>,
}

/// How much has been written, and for how much there is room.
#[derive(Debug)]
struct Room {
    written: u64,
    made: u64,
}

impl Partial {
    /// Opens the files of a partial blob of `cache` and finds out what of it is right.
    ///
    /// Complexity: hashes what is there.
    pub fn open(blob: BlobRef, data: Locked, cache: Cache) -> Result<Self, BlobError> {
        let failed = |error| BlobError::file(&data.path, error);
        let tree = disk::private_file().open(data.tree_path()).map_err(failed)?;
        let is_new = data.file.metadata().map_err(failed)?.len() == 0;
        let have = if is_new {
            ChunkRanges::empty()
        } else {
            data.file.set_len(blob.size).map_err(failed)?;
            tree.set_len(tree::shape(&blob).outboard_size()).map_err(failed)?;
            let pairs = tree::in_file(&blob, tree.try_clone().map_err(failed)?);
            tree::right_groups(&blob, &data.file, &pairs).map_err(failed)?
        };
        let partial = Self {
            blob,
            data,
            tree,
            have: Mutex::new(have),
            queue: Queue::default(),
            cache,
            room: Mutex::new(Room { written: 0, made: 0 }),
            is_finished: Mutex::new(false),
        };
        let arrived = partial.arrived();
        *partial.room() = Room {
            written: arrived,
            made: arrived,
        };
        Ok(partial)
    }

    /// Makes room for `bytes` that are about to be written, which have been checked or come from a bucket of one's own.
    fn reserve(&self, bytes: u64) -> Result<(), BlobError> {
        let mut room = self.room();
        let written = room.written.saturating_add(bytes);
        if written > room.made {
            let left = self.blob.size.saturating_sub(room.made);
            let step = ROOM_AT_ONCE.max(bytes).min(left.max(bytes));
            // Pairs of hashes come with the bytes, where there is more than one group.
            let pairs = (step / tree::GROUP_BYTES).saturating_mul(64);
            self.cache.make_room(step.saturating_add(pairs))?;
            if room.made == 0 {
                let sized = self.data.file.set_len(self.blob.size);
                sized.map_err(|error| BlobError::file(&self.data.path, error))?;
            }
            room.made = room.made.saturating_add(step);
        }
        room.written = written;
        Ok(())
    }

    /// What it is to become.
    pub const fn blob(&self) -> &BlobRef {
        &self.blob
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.data.path
    }

    /// How many bytes have arrived and are right.
    pub fn arrived(&self) -> u64 {
        let have = self.have();
        tree::bytes(&self.blob, &have)
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }

    /// What is missing of `range`, in order.
    pub fn missing(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let missing = tree::groups(&self.blob, range) - self.have().clone();
        tree::bytes(&self.blob, &missing)
    }

    /// Whether all of it has arrived.
    pub fn is_whole(&self) -> bool {
        self.missing(0..self.blob.size).is_empty()
    }

    /// What is still to be asked for.
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Whether it has become a blob.
    pub fn is_finished(&self) -> bool {
        *self.finished()
    }

    /// A handle with which one task writes.
    pub fn writer(&self) -> Result<Writer<'_>, BlobError> {
        let failed = |error| BlobError::file(&self.data.path, error);
        Ok(Writer {
            partial: self,
            data: JoinedWrites::to(self.data.file.try_clone().map_err(failed)?),
            tree: tree::in_file(&self.blob, JoinedWrites::to(self.tree.try_clone().map_err(failed)?)),
            pending: 0..0,
            arrived: 0,
        })
    }

    /// Moves the whole blob to `path`, and its tree to `tree_path`, once, whoever calls it. It does not wait for the disk: what
    /// a power cut damages is found when it is read, and fetched again. What must last is [linked](disk::link).
    ///
    /// Each group of it has been compared with the root by this process: when it was opened, or when it was written.
    pub fn finish(&self, path: &Path, tree_path: &Path) -> Result<(), BlobError> {
        let mut is_finished = self.finished();
        if *is_finished {
            return Ok(());
        }
        let failed = |error| BlobError::file(&self.data.path, error);
        let length = self.data.file.metadata().map_err(failed)?.len();
        if !self.is_whole()
            || length != self.blob.size
            || !disk::is_at(&self.data.file, &self.data.path).map_err(failed)?
        {
            return Err(failed(io::Error::other("somebody else has changed this file")));
        }
        for folder in [path, tree_path].into_iter().filter_map(Path::parent) {
            disk::private_folder(folder).map_err(|error| BlobError::file(folder, error))?;
        }
        let rename = |from: &Path, to: &Path| std::fs::rename(from, to).map_err(|error| BlobError::file(to, error));
        rename(&self.data.tree_path(), tree_path)?;
        rename(&self.data.path, path)?;
        *is_finished = true;
        Ok(())
    }

    fn finished(&self) -> MutexGuard<'_, bool> {
        self.is_finished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn have(&self) -> MutexGuard<'_, ChunkRanges> {
        // Ranges are whole whenever the lock is free, whoever has panicked.
        self.have.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_finished()
            && self.have().is_empty()
            && let Err(error) = self.data.remove()
        {
            tracing::warn!(%error, "What is left of a fetch that brought nothing cannot be removed.");
        }
    }
}

/// Writes a whole blob whose bytes come in order and without proofs, from a bucket of one's own; checks it at the end.
///
/// Errors: `Corrupt`, `TooLarge`, `Length`; nothing of it counts as arrived then.
pub fn fill_in_order(
    wanted: &Wanted,
    partial: &Partial,
    mut chunks: tokio::sync::mpsc::Receiver<bytes::Bytes>,
) -> Result<(), BlobError> {
    let failed = |error| BlobError::file(&partial.data.path, error);
    let mut data = partial.data.file.try_clone().map_err(failed)?;
    let mut hasher = blake3::Hasher::new();
    let mut written = 0u64;
    while let Some(bytes) = chunks.blocking_recv() {
        let end = written.saturating_add(bytes.len() as u64);
        wanted.check_limit(end)?;
        partial.reserve(bytes.len() as u64)?;
        hasher.update(&bytes);
        data.write_all_at(written, &bytes).map_err(failed)?;
        written = end;
    }
    wanted.check_len(written)?;
    wanted.check_key(*hasher.finalize().as_bytes())?;
    // What is not in the tree is found out when the blob is first served.
    partial.tree.set_len(0).map_err(failed)?;
    *partial.have() = tree::all(&partial.blob);
    Ok(())
}

/// How many bytes are written before they count as arrived.
const COUNTED_AT_ONCE: u64 = 1 << 20;

/// Writes to a partial blob. What is not flushed has not arrived.
pub struct Writer<'a> {
    partial: &'a Partial,
    data: JoinedWrites,
    tree: PreOrderOutboard<JoinedWrites>,
    /// What is written and does not count as arrived yet.
    pending: Range<u64>,
    /// Bytes that have arrived by it.
    arrived: u64,
}

impl Writer<'_> {
    /// Writes what has been checked against the root.
    pub fn write(&mut self, item: BaoContentItem) -> Result<(), BlobError> {
        let failed = |error| BlobError::file(&self.partial.data.path, error);
        match item {
            BaoContentItem::Parent(parent) => self.tree.save(parent.node, &parent.pair).map_err(failed),
            BaoContentItem::Leaf(leaf) => {
                self.partial.reserve(leaf.data.len() as u64)?;
                if leaf.offset != self.pending.end || leaf.offset.saturating_sub(self.pending.start) >= COUNTED_AT_ONCE
                {
                    self.flush()?;
                    self.pending = leaf.offset..leaf.offset;
                }
                self.data.write_all_at(leaf.offset, &leaf.data).map_err(failed)?;
                self.pending.end = leaf.offset.saturating_add(leaf.data.len() as u64);
                Ok(())
            }
        }
    }

    /// How many bytes have arrived by it.
    pub const fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Writes what is still in memory; then all that was written has arrived.
    pub fn flush(&mut self) -> Result<(), BlobError> {
        let failed = |error| BlobError::file(&self.partial.data.path, error);
        self.data.flush().map_err(failed)?;
        self.tree.data.flush().map_err(failed)?;
        if !self.pending.is_empty() {
            self.arrived += self.pending.end.saturating_sub(self.pending.start);
            *self.partial.have() |= tree::groups(&self.partial.blob, self.pending.clone());
            self.pending = self.pending.end..self.pending.end;
        }
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use agora_jobs::H256;

    #[test]
    fn a_file_that_got_another_name_before_it_was_locked_is_not_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("partial");
        let opened = disk::private_file().open(&path).expect("it opens");
        std::fs::rename(&path, folder.path().join("whole")).expect("renamed");
        assert!(Locked::lock(opened, &path).expect("it tells").is_none());
        assert!(Locked::existing(&path).expect("it tells").is_none());
        let held = Locked::open(&path).expect("it opens").expect("nobody holds it");
        assert!(Locked::open(&path).expect("it tells").is_none(), "it is held");
        held.remove().expect("removed");
        let again = Locked::open(&path).expect("it opens");
        assert!(again.is_some(), "another file has the name now");
        assert!(folder.path().join("whole").exists());
    }

    #[test]
    fn what_is_not_whole_or_not_ones_own_never_becomes_a_blob() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(&folder.path().join("cache"), 1 << 20).expect("it opens");
        let (path, whole) = (folder.path().join("partial"), folder.path().join("whole"));
        let open = |size| {
            let locked = Locked::open(&path).expect("it opens").expect("nobody holds it");
            let hash = H256(*blake3::hash(b"something").as_bytes());
            Partial::open(BlobRef { hash, size }, locked, cache.clone()).expect("it opens")
        };
        let tree = folder.path().join("tree");
        open(9).finish(&whole, &tree).expect_err("nothing has arrived");
        let mut partial = open(9);
        partial.data.file.write_all_at(0, b"something").expect("written");
        *partial.have() = tree::all(&partial.blob);
        std::fs::rename(&path, folder.path().join("elsewhere")).expect("renamed");
        std::fs::write(&path, b"anything!").expect("written");
        partial.finish(&whole, &tree).expect_err("it is another file");
        assert!(!whole.exists());
        std::fs::rename(folder.path().join("elsewhere"), &path).expect("renamed");
        partial.finish(&whole, &tree).expect("it is this one");
        assert_eq!(std::fs::read(&whole).expect("it is there"), b"something");
    }
}
