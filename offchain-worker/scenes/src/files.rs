//! The sources of the files that a description names.

use crate::error::MeshError;
use std::{
    borrow::Cow,
    fs::{self, File},
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
        let inside = within(Path::new(path)).ok_or_else(|| MeshError::OutsideOfFolder(path.to_owned()))?;
        let failed = |source| MeshError::File {
            path: path.to_owned(),
            source,
        };
        // An empty path is the folder where the program runs.
        let root = fs::canonicalize(Path::new(".").join(&self.0)).map_err(failed)?;
        // A link inside may lead outside.
        let file = fs::canonicalize(root.join(inside)).map_err(failed)?;
        if !file.starts_with(&root) {
            return Err(MeshError::OutsideOfFolder(path.to_owned()));
        }
        // Opening a pipe would wait for a writer.
        if !fs::metadata(&file).map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is no file")));
        }
        let file = File::open(file).map_err(failed)?;
        let mut content = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut content)
            .map_err(failed)?;
        check_length(content.len())?;
        Ok(content)
    }
}

/// Files whose names count from the folder of another file.
pub(crate) struct Beside<'a> {
    files: &'a dyn Files,
    folder: &'a Path,
}

impl<'a> Beside<'a> {
    /// Files beside the one at `path`.
    pub(crate) fn new(files: &'a dyn Files, path: &'a str) -> Self {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        Self { files, folder }
    }
}

impl Files for Beside<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, MeshError> {
        let outside = || MeshError::OutsideOfFolder(path.to_owned());
        let inside = within(&self.folder.join(path)).ok_or_else(outside)?;
        self.files.read(inside.to_str().ok_or_else(outside)?)
    }
}

/// The content of the file at `path`, and the path where it was found: with `/` for each `\` of a path that was written on
/// Windows, if there is no file whose name has those.
///
/// Errors: those of `files`, for `path` as it is.
pub(crate) fn find<'a>(files: &dyn Files, path: &'a str) -> Result<(Vec<u8>, Cow<'a, str>), MeshError> {
    let missing = match files.read(path) {
        Err(error) if error.is_missing() && path.contains('\\') => error,
        result => return result.map(|content| (content, path.into())),
    };
    let slashes = path.replace('\\', "/");
    match files.read(&slashes) {
        Err(error) if error.is_missing() => Err(missing),
        result => result.map(|content| (content, slashes.into())),
    }
}

/// `path` without `.` and `..`, if it stays within the folder where it begins.
fn within(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            Component::ParentDir if inside.pop() => {}
            _ => return None,
        }
    }
    Some(inside)
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
