//! The sources of the files that a description names.

use crate::error::MeshError;
use std::{
    fs::File,
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

/// The longest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Gives files by their name.
pub trait Files {
    /// The content of the file.
    ///
    /// Errors: `File`, `OutsideOfFolder`, `TooLong`.
    fn read(&self, path: &str) -> Result<Vec<u8>, MeshError>;
}

/// There are no files.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, MeshError> {
        Err(MeshError::File {
            path: path.to_owned(),
            source: io::ErrorKind::NotFound.into(),
        })
    }
}

/// Files in a folder and the folders in it, and none outside.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, MeshError> {
        let inside = |component| matches!(component, Component::Normal(_) | Component::CurDir);
        if !Path::new(path).components().all(inside) {
            return Err(MeshError::OutsideOfFolder(path.to_owned()));
        }
        let failed = |source| MeshError::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(self.0.join(path)).map_err(failed)?;
        let mut content = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut content)
            .map_err(failed)?;
        check_length(content.len())?;
        Ok(content)
    }
}

/// Checks the length of a file's content.
pub(crate) fn check_length(length: usize) -> Result<(), MeshError> {
    let found = length as u64;
    if found > MAX_FILE_BYTES {
        let most = MAX_FILE_BYTES;
        return Err(MeshError::TooLong { found, most });
    }
    Ok(())
}
