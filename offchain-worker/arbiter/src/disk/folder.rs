//! The folder of one job: how much may be in it, and how much is.

use super::pages::{Pages, Trouble};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Of the free space, so much is left to others, whoever has jobs computed here: a journal needs some, too.
const LEFT_FREE: u64 = 16;

/// The folder of one job. Its owner alone can read it, and no other process uses it.
pub struct Folder {
    path: PathBuf,
    /// Most bytes of the files in it.
    limit: u64,
    used: AtomicU64,
    pub pages: Pages,
}

impl Folder {
    /// Makes the folder `path` if it is not there; `limit` bytes may be in it.
    pub fn open(path: &Path, limit: u64, pages: &Pages) -> Result<Self, Trouble> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| Trouble::of(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            limit,
            used: AtomicU64::default(),
            pages: pages.clone(),
        })
    }

    /// Where the file `name` is.
    pub fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens the file `name`, and makes it if it is not there.
    pub fn file(&self, name: &str) -> Result<File, Trouble> {
        let path = self.at(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        options.open(&path).map_err(|error| Trouble::of(&path, &error))
    }

    /// Removes the files of which `is_old` says so by their names.
    pub fn remove(&self, is_old: impl Fn(&str) -> bool) -> Result<(), Trouble> {
        let failed = |error: io::Error| Trouble::of(&self.path, &error);
        for entry in std::fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_str().is_some_and(&is_old) {
                std::fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Sets `bytes` aside.
    ///
    /// Errors: `Full`.
    pub fn take(&self, bytes: u64) -> Result<(), Trouble> {
        let more = |used: u64| used.checked_add(bytes).filter(|&used| used <= self.limit);
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.full(bytes)),
        }
    }

    /// Gives back what was set aside and is not used.
    pub fn give(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        // It always gives a number.
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// How many bytes more may be in it.
    pub fn room(&self) -> u64 {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// Checks that there is room for `bytes` more, by the limit and on the disk.
    ///
    /// Errors: `Full`.
    pub fn check_room(&self, bytes: u64) -> Result<(), Trouble> {
        match self.full(bytes) {
            Trouble::Full { room, .. } if bytes <= room => Ok(()),
            full => Err(full),
        }
    }

    /// That there is no room for `needs` bytes, and for how many there is.
    pub fn full(&self, needs: u64) -> Trouble {
        let room = self.room();
        Trouble::Full {
            folder: self.path.clone(),
            needs,
            room: spare_space(&self.path).map_or(room, |spare| spare.min(room)),
        }
    }
}

/// The free space in `folder` that may be taken, in bytes: all but a sixteenth. `None`: the system does not tell.
pub fn spare_space(folder: &Path) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(folder).ok()?;
    let free = stat.blocks_available().saturating_mul(stat.fragment_size());
    Some(free.saturating_sub(free / LEFT_FREE))
}
