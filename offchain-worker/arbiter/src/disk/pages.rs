//! Files that are read a group at a time. A group is compared with its hash before anything of it is believed: what a disk has damaged, or
//! somebody else has written, is noticed and not played by. Those that were read last stay in memory.

use crate::span;
use agora_jobs::{H256, blob};
use std::{
    collections::HashMap,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Bytes of a group, except the last of a content.
pub const GROUP_BYTES: u64 = 1 << 20;

/// Memory for what one job reads again and again: a whole scene, which is read here and there, and the weights of a step.
pub const PAGES_BYTES: usize = 1 << 27;

/// What a group counts besides its bytes.
const ENTRY_BYTES: usize = 128;

/// What went wrong with a file.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// It is not what was written to it, or not what it is said to be.
    #[error("the file {path:?} is damaged; what it should hold is made anew")]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("the file {path:?} cannot be read or written: {kind}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        kind: io::ErrorKind,
    },
    /// There is no room for it.
    #[error("{needs} more bytes are needed in {folder:?}, and there is room for {room}")]
    Full {
        /// Where.
        folder: PathBuf,
        /// How many bytes.
        needs: u64,
        /// How many bytes there is room for.
        room: u64,
    },
}

impl Trouble {
    pub(super) fn of(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Self::Full {
                folder: path.parent().unwrap_or(path).to_owned(),
                needs: 1,
                room: 0,
            },
            kind => Self::File {
                path: path.to_owned(),
                kind,
            },
        }
    }

    /// Whether there is no room, so that nothing is wrong with what is there.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }
}

/// The groups that were read last, of all files of one job, and the first trouble with one of them. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Pages(Arc<Inner>);

struct Inner {
    /// Most bytes of all groups.
    limit: usize,
    next_file: AtomicU64,
    groups: Mutex<Groups>,
    trouble: Mutex<Option<Trouble>>,
    troubles: AtomicU64,
}

/// The number of a file, and where in it a group begins.
type Place = (u64, u64);

/// Two generations: when the young take half of the memory, the old are forgotten. What is read again is young again.
#[derive(Default)]
struct Groups {
    young: HashMap<Place, Arc<[u8]>>,
    young_bytes: usize,
    old: HashMap<Place, Arc<[u8]>>,
    old_bytes: usize,
}

impl Groups {
    fn find(&mut self, place: Place, limit: usize) -> Option<Arc<[u8]>> {
        if let Some(group) = self.young.get(&place) {
            return Some(Arc::clone(group));
        }
        let group = self.old.remove(&place)?;
        self.old_bytes = self.old_bytes.saturating_sub(bytes_of(&group));
        self.keep(place, &group, limit);
        Some(group)
    }

    fn keep(&mut self, place: Place, group: &Arc<[u8]>, limit: usize) {
        let bytes = bytes_of(group);
        if self.young_bytes.saturating_add(bytes) > limit / 2 {
            self.old = std::mem::take(&mut self.young);
            self.old_bytes = std::mem::take(&mut self.young_bytes);
        }
        if self.young.insert(place, Arc::clone(group)).is_none() {
            self.young_bytes = self.young_bytes.saturating_add(bytes);
        }
    }
}

fn bytes_of(group: &Arc<[u8]>) -> usize {
    group.len().saturating_add(ENTRY_BYTES)
}

impl Pages {
    /// None yet; `limit` bytes of memory at most, but the last two in any case.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Inner {
            limit,
            next_file: AtomicU64::default(),
            groups: Mutex::default(),
            trouble: Mutex::default(),
            troubles: AtomicU64::default(),
        }))
    }

    /// About how many bytes of memory they take.
    pub fn bytes_held(&self) -> usize {
        let groups = self.groups();
        groups.young_bytes.saturating_add(groups.old_bytes)
    }

    /// Remembers `trouble`, unless there was some before.
    pub(super) fn report(&self, trouble: Trouble) {
        self.0.troubles.fetch_add(1, Ordering::Relaxed);
        self.trouble_now().get_or_insert(trouble);
    }

    /// The trouble that there was first since this was asked last.
    pub(super) fn take_trouble(&self) -> Option<Trouble> {
        self.trouble_now().take()
    }

    /// How often there was trouble.
    pub(super) fn troubles(&self) -> u64 {
        self.0.troubles.load(Ordering::Relaxed)
    }

    fn trouble_now(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.0.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a group has to hash to.
#[derive(Clone, Copy)]
pub enum Expected {
    /// It is a whole content.
    Whole(H256),
    /// It is the subtree of a content that begins at this byte of it.
    Subtree(u64, H256),
}

impl Expected {
    fn is(self, bytes: &[u8]) -> bool {
        match self {
            Self::Whole(hash) => blob::hash(bytes) == hash,
            Self::Subtree(first, hash) => span::subtree((first, bytes.len() as u64), bytes) == hash,
        }
    }
}

/// An open file.
pub struct Paged {
    pages: Pages,
    number: u64,
    path: PathBuf,
    file: File,
}

impl Paged {
    pub fn new(pages: &Pages, path: PathBuf, file: File) -> Self {
        Self {
            pages: pages.clone(),
            number: pages.0.next_file.fetch_add(1, Ordering::Relaxed),
            path,
            file,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The group of `len` bytes from byte `at` of the file on. `None`: it is not there, or not what was `expected`; that is reported.
    pub fn group(&self, at: u64, len: u64, expected: Expected) -> Option<Arc<[u8]>> {
        let place = (self.number, at);
        let limit = self.pages.0.limit;
        if let Some(group) = self.pages.groups().find(place, limit) {
            return Some(group);
        }
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        if let Err(error) = self.file.read_exact_at(&mut bytes, at) {
            // Where it ends early it was cut.
            let is_short = error.kind() == io::ErrorKind::UnexpectedEof;
            let path = self.path.clone();
            self.pages.report(match is_short {
                true => Trouble::Damaged { path },
                false => Trouble::of(&path, &error),
            });
            return None;
        }
        if !expected.is(&bytes) {
            self.pages.report(Trouble::Damaged {
                path: self.path.clone(),
            });
            return None;
        }
        let group: Arc<[u8]> = bytes.into();
        self.pages.groups().keep(place, &group, limit);
        Some(group)
    }

    /// Reads up to `len` bytes from byte `at` of the file on, unchecked.
    pub fn read(&self, at: u64, len: u64) -> Result<Vec<u8>, Trouble> {
        let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
        let read = self.file.read_exact_at(&mut bytes, at);
        read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Trouble::Damaged {
                path: self.path.clone(),
            },
            _ => Trouble::of(&self.path, &error),
        })?;
        Ok(bytes)
    }

    /// Writes `bytes` from byte `at` of the file on.
    pub fn write(&self, at: u64, bytes: &[u8]) -> Result<(), Trouble> {
        let written = self.file.write_all_at(bytes, at);
        written.map_err(|error| Trouble::of(&self.path, &error))
    }

    /// Cuts the file to `len` bytes.
    pub fn cut(&self, len: u64) -> Result<(), Trouble> {
        let cut = self.file.set_len(len);
        cut.map_err(|error| Trouble::of(&self.path, &error))
    }
}
