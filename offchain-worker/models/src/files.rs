//! The files of a published model, and what is found out about them before they are read as what they claim to be.

use crate::error::ImportError;
use serde::de::DeserializeOwned;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

/// The largest file that is read: 4 GiB.
const MAX_FILE: u64 = 1 << 32;

/// The files of a published model by their paths, with `/` between folders, such as `1_Pooling/config.json`.
pub trait ModelFiles {
    /// The content of the file `path`. `None`: there is none.
    ///
    /// Errors: `Read`, `TooLarge`.
    fn content(&self, path: &str) -> Result<Option<Vec<u8>>, ImportError>;

    /// The names of files and folders that are not inside of another folder.
    fn names(&self) -> BTreeSet<String>;
}

/// The files in a folder of this machine.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

impl ModelFiles for Folder {
    fn content(&self, path: &str) -> Result<Option<Vec<u8>>, ImportError> {
        let path = self.0.join(path);
        let length = match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            found => found.map(|found| found.len()),
        };
        let read = length.and_then(|bytes| match bytes {
            0..=MAX_FILE => fs::read(&path).map(Ok),
            bytes => Ok(Err(ImportError::TooLarge {
                file: path.display().to_string(),
                bytes,
                most: MAX_FILE,
            })),
        });
        match read {
            Ok(content) => content.map(Some),
            Err(source) => Err(ImportError::Read { path, source }),
        }
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }
}

/// Files that are held in memory.
impl ModelFiles for BTreeMap<String, Vec<u8>> {
    fn content(&self, path: &str) -> Result<Option<Vec<u8>>, ImportError> {
        Ok(self.get(path).cloned())
    }

    fn names(&self) -> BTreeSet<String> {
        let first = |path: &String| path.split('/').next().unwrap_or_default().to_owned();
        self.keys().map(first).collect()
    }
}

/// The content of `path`, which is whole as far as can be told without reading it.
///
/// Errors: `Pointer`, `WebPage`, `CutOff` if it is empty, and those of [`ModelFiles::content`].
pub(crate) fn whole(files: &dyn ModelFiles, path: &str) -> Result<Option<Vec<u8>>, ImportError> {
    let Some(content) = files.content(path)? else {
        return Ok(None);
    };
    let file = path.to_owned();
    let start = content.get(..64.min(content.len())).unwrap_or_default();
    let start = start.trim_ascii_start().to_ascii_lowercase();
    if start.starts_with(b"version https://git-lfs") {
        return Err(ImportError::Pointer { file });
    }
    if start.starts_with(b"<!doctype") || start.starts_with(b"<html") {
        return Err(ImportError::WebPage { file });
    }
    if content.is_empty() {
        return Err(ImportError::CutOff {
            file,
            found: 0,
            needed: None,
        });
    }
    Ok(Some(content))
}

/// The JSON file `path`, with or without a byte order mark.
///
/// Errors: `Json`, `CutOff`, and those of [`whole`].
pub(crate) fn json<T: DeserializeOwned>(files: &dyn ModelFiles, path: &str) -> Result<Option<T>, ImportError> {
    let Some(content) = whole(files, path)? else {
        return Ok(None);
    };
    let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
    let parsed = serde_json::from_slice(text).map_err(|source| match source.is_eof() {
        true => ImportError::CutOff {
            file: path.to_owned(),
            found: content.len() as u64,
            needed: None,
        },
        false => ImportError::Json {
            file: path.to_owned(),
            source,
        },
    });
    parsed.map(Some)
}

/// `name` in `folder`, which is empty for the folder of the model.
pub(crate) fn inside(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}
