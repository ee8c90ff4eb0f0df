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
