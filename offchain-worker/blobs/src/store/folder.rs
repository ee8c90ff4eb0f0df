//! A store in a folder: `<kind>/<first two hex digits>/<key in hex>`.

use super::Garbage;
use crate::{BlobError, BlobKey, BlobKind, Wanted, disk, kind::key_of_name};
use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// A folder of blobs.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Opens it, and makes it if need be.
    pub fn open(root: PathBuf) -> io::Result<Self> {
        disk::private_folder(&root)?;
        if !std::fs::metadata(&root)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { root })
    }

    /// Where a blob is.
    pub fn path(&self, kind: BlobKind, key: &BlobKey) -> PathBuf {
        let name = hex::encode(key);
        self.root
            .join(kind.folder())
            .join(name.get(..2).unwrap_or_default())
            .join(name)
    }

    /// The length of a blob in bytes, if it is there.
    pub fn size_of(&self, kind: BlobKind, key: &BlobKey) -> Result<Option<u64>, BlobError> {
        let path = self.path(kind, key);
        match std::fs::metadata(&path) {
            Ok(about) => Ok(about.is_file().then_some(about.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BlobError::file(&path, error)),
        }
    }

    /// Reads the file of a blob, unless it is longer than wanted.
    pub fn read(wanted: &Wanted, path: &Path) -> Result<Vec<u8>, BlobError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => wanted.not_found(),
            _ => BlobError::file(path, error),
        };
        wanted.check_limit(std::fs::metadata(path).map_err(failed)?.len())?;
        std::fs::read(path).map_err(failed)
    }

    /// How many bytes are here.
    pub fn used(&self) -> Result<u64, BlobError> {
        let mut used = 0u64;
        for kind in BlobKind::ALL {
            let files = disk::files(&self.root.join(kind.folder()))?;
            used = files
                .iter()
                .fold(used, |used, file| used.saturating_add(file.allocated));
        }
        Ok(used)
    }

    /// Removes what was stored longest ago and is not wanted, but nothing newer than `newest`, until there are at most `quota` bytes.
    pub fn shrink(
        &self,
        quota: u64,
        newest: SystemTime,
        wanted: impl Fn(BlobKind, &BlobKey) -> bool,
    ) -> Result<Garbage, BlobError> {
        let (mut used, mut removable) = (0u64, Vec::new());
        for kind in BlobKind::ALL {
            for file in disk::files(&self.root.join(kind.folder()))? {
                used = used.saturating_add(file.allocated);
                let is_removable =
                    key_of_name(&file.name).is_some_and(|key| file.used <= newest && !wanted(kind, &key));
                removable.extend(is_removable.then_some(file));
            }
        }
        removable.sort_by_key(|file| file.used);
        let mut garbage = Garbage::default();
        for file in removable {
            if used <= quota {
                break;
            }
            disk::remove(&file.path)?;
            used = used.saturating_sub(file.allocated);
            garbage.removed += 1;
            garbage.removed_bytes += file.size;
        }
        Ok(garbage)
    }

    /// Removes what was stored before `newest` and is not wanted, and files that were never finished.
    pub fn collect_garbage(
        &self,
        newest: SystemTime,
        wanted: impl Fn(BlobKind, &BlobKey) -> bool,
    ) -> Result<Garbage, BlobError> {
        let mut garbage = Garbage::default();
        for kind in BlobKind::ALL {
            for file in disk::files(&self.root.join(kind.folder()))? {
                let Some(key) = key_of_name(&file.name) else {
                    if file.name.ends_with(disk::UNFINISHED) && file.used <= newest {
                        disk::remove(&file.path)?;
                    }
                    continue;
                };
                if file.used > newest || wanted(kind, &key) {
                    garbage.kept += 1;
                } else {
                    disk::remove(&file.path)?;
                    garbage.removed += 1;
                    garbage.removed_bytes += file.size;
                }
            }
        }
        Ok(garbage)
    }
}
