//! Files that survive a power cut and that only their owner can read.
//!
//! A file is complete or not there: it is written under another name, synced, renamed, and its folder is synced. What is fetched
//! into a cache is synced when it is linked.

use crate::{BlobError, BlobKey, Wanted};
use agora_jobs::{BlobRef, H256};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

/// How files are named until they are complete.
pub const UNFINISHED: &str = "unfinished";
/// Bytes that are copied at a time.
const COPIED_AT_ONCE: usize = 1 << 18;

/// Makes `path` and the folders above it, readable by their owner alone where they are new. On return the names of the
/// new ones are on disk.
pub fn private_folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above {
        private_folder(above)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // Somebody else has made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }?;
    sync_folder(above.unwrap_or(Path::new(".")))
}

/// Takes a folder of ours from everybody but its owner, however it was made.
pub fn close_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// As `close_folder`, for a folder that the operator named and that may not be ours: one of another owner stays as it is, and so
/// does one that is shared on purpose (with the sticky bit, as `/tmp`).
pub fn close_own_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        const STICKY: u32 = 0o1000;
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path)?.permissions());
        if mode & STICKY != 0 {
            return Ok(());
        }
        match close_folder(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            closed => closed,
        }
    }
    #[cfg(not(unix))]
    close_folder(path)
}

/// Makes the file `path` if it is not there, and takes it from everybody but its owner, however it was made. What is in it stays.
pub fn close_file(path: &Path) -> io::Result<()> {
    let file = private_file().open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// How files are opened for writing: created if need be, readable by their owner alone.
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes `content` to `path`.
pub fn write(path: &Path, content: &[u8]) -> Result<(), BlobError> {
    publish(path, |file| {
        file.write_all(content).map_err(|error| BlobError::file(path, error))
    })
}

/// Copies the file `from`, which is to be `wanted`, to `path`.
///
/// Errors: `Corrupt`, `TooLarge`, `Length` if it is another one; nothing is left at `path` then.
pub fn copy_checked(wanted: &Wanted, from: &Path, path: &Path) -> Result<(), BlobError> {
    publish(path, |file| copy_into(wanted, from, file, path))
}

/// Copies the file `from`, which is to be `wanted`, into `file`, which is at `path`.
///
/// Errors: `Corrupt`, `TooLarge`, `Length` if it is another one, of which a part has been written then.
pub fn copy_into(wanted: &Wanted, from: &Path, file: &mut File, path: &Path) -> Result<(), BlobError> {
    let mut source = File::open(from).map_err(|error| BlobError::file(from, error))?;
    let mut hasher = blake3::Hasher::new();
    let mut states = Vec::new();
    let mut buffer = vec![0; COPIED_AT_ONCE];
    let mut copied = 0u64;
    loop {
        let read = source.read(&mut buffer).map_err(|error| BlobError::file(from, error))?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        copied = copied.saturating_add(read as u64);
        wanted.check_limit(copied)?;
        match wanted.blob() {
            Some(_) => _ = hasher.update(bytes),
            None => states.extend_from_slice(bytes),
        }
        file.write_all(bytes).map_err(|error| BlobError::file(path, error))?;
    }
    wanted.check_len(copied)?;
    wanted.check_key(match wanted.blob() {
        Some(_) => *hasher.finalize().as_bytes(),
        None => wanted.kind.key_of(&states),
    })
}

/// Checks that the file `path` is `wanted`.
///
/// Errors: `Corrupt`, `TooLarge`, `Length` if it is another one.
pub fn check(wanted: &Wanted, path: &Path) -> Result<(), BlobError> {
    let about = std::fs::metadata(path).map_err(|error| BlobError::file(path, error))?;
    wanted.check_len(about.len())?;
    wanted.check_key(key_of_file(wanted, path)?)
}

/// Whether the bytes of the file `path` have the key that is wanted, however many they are.
pub fn has_key(wanted: &Wanted, path: &Path) -> Result<bool, BlobError> {
    if wanted.blob().is_none() {
        let about = std::fs::metadata(path).map_err(|error| BlobError::file(path, error))?;
        if about.len() > crate::MAX_STATES_BYTES {
            return Ok(false);
        }
    }
    Ok(key_of_file(wanted, path)? == wanted.key)
}

fn key_of_file(wanted: &Wanted, path: &Path) -> Result<BlobKey, BlobError> {
    if wanted.blob().is_none() {
        let bytes = std::fs::read(path).map_err(|error| BlobError::file(path, error))?;
        return Ok(wanted.kind.key_of(&bytes));
    }
    Ok(blob_of_file(path)?.hash.0)
}

/// The content of the file `path`, for several to share.
pub fn read_shared(path: &Path) -> Result<Arc<[u8]>, BlobError> {
    let failed = |error| BlobError::file(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let length = usize::try_from(length).map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?;
    // In its place from the beginning.
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, length).collect();
    let own = Arc::get_mut(&mut bytes).ok_or_else(|| failed(io::ErrorKind::Other.into()))?;
    file.read_exact(own).map_err(failed)?;
    Ok(bytes)
}

/// What the content of the file `path` is called.
pub fn blob_of_file(path: &Path) -> Result<BlobRef, BlobError> {
    let failed = |error| BlobError::file(path, error);
    let mut hasher = blake3::Hasher::new();
    hasher
        .update_reader(File::open(path).map_err(failed)?)
        .map_err(failed)?;
    Ok(BlobRef {
        hash: H256(*hasher.finalize().as_bytes()),
        size: hasher.count(),
    })
}

/// Lets `path` name the file `from` too, which nobody writes to any more; copies it where that is impossible. What `path`
/// names then is hashed: a disk may have changed it since it was written. On return it is on disk.
///
/// Errors: `Corrupt`, `TooLarge`, `Length` if `from` is another blob; nothing is left at `path` then.
pub fn link(wanted: &Wanted, from: &Path, path: &Path) -> Result<(), BlobError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    private_folder(folder).map_err(|error| BlobError::file(folder, error))?;
    match std::fs::hard_link(from, path) {
        Ok(()) => {}
        // What is there is kept if it is right.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match check(wanted, path) {
            Ok(()) => {}
            Err(_) => return copy_checked(wanted, from, path),
        },
        Err(_) => return copy_checked(wanted, from, path),
    }
    if let Err(error) = check(wanted, path) {
        remove(path)?;
        return Err(error);
    }
    // Who fetched it did not wait for the disk.
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| BlobError::file(path, error))?;
    sync_folder(folder).map_err(|error| BlobError::file(folder, error))
}

/// Has `fill` write a file, and puts it at `path` if that succeeded.
pub fn publish(path: &Path, fill: impl FnOnce(&mut File) -> Result<(), BlobError>) -> Result<(), BlobError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    private_folder(folder).map_err(|error| BlobError::file(folder, error))?;
    let unfinished = unfinished(path);
    let written = private_file()
        .open(&unfinished)
        .map_err(|error| BlobError::file(&unfinished, error))
        .and_then(|mut file| {
            fill(&mut file)?;
            file.sync_all().map_err(|error| BlobError::file(path, error))
        })
        .and_then(|()| rename(&unfinished, path));
    if written.is_err() {
        // What could not be written is of no use; that it cannot be removed either changes nothing.
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

/// Renames a synced file, and syncs the folder that it is in now.
pub fn rename(from: &Path, to: &Path) -> Result<(), BlobError> {
    std::fs::rename(from, to).map_err(|error| BlobError::file(to, error))?;
    let folder = to.parent().unwrap_or(Path::new("."));
    sync_folder(folder).map_err(|error| BlobError::file(folder, error))
}

/// A name beside `path` that nobody else uses.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension(format!("{:016x}.{UNFINISHED}", rand::random::<u64>()))
}

/// Syncs a folder, so that names in it survive a power cut. On Windows that is up to the file system.
fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// A file below a folder of ours.
pub struct Found {
    /// Where.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// How many of them take room on the disk: of a file with holes, fewer.
    pub allocated: u64,
    /// When it was last written or used.
    pub used: SystemTime,
    /// Whether another folder names it too.
    pub is_linked: bool,
}

/// The files in `folder` and in the folders in it. A folder or a file that is gone meanwhile is left out.
pub fn files(folder: &Path) -> Result<Vec<Found>, BlobError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(BlobError::file(&folder, error)),
        };
        for entry in entries.flatten() {
            let Ok(about) = entry.metadata() else { continue };
            if about.is_dir() {
                folders.push(entry.path());
            } else if about.is_file() {
                found.push(Found {
                    path: entry.path(),
                    name: entry.file_name().to_string_lossy().into_owned(),
                    size: about.len(),
                    allocated: allocated(&about),
                    used: about.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                    is_linked: is_linked(&about),
                });
            }
        }
    }
    Ok(found)
}

/// How many bytes of the file `path` take room on the disk; none if it is not there.
pub fn allocated_at(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |about| allocated(&about))
}

fn allocated(about: &std::fs::Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::blocks(about)
        .saturating_mul(512)
        .min(about.len());
    #[cfg(not(unix))]
    return about.len();
}

/// Whether `path` still names the open `file`. Where that cannot be told, open files cannot be renamed or removed.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let open = file.metadata()?;
        match std::fs::symlink_metadata(path) {
            Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        Ok(true)
    }
}

fn is_linked(about: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(about) > 1;
    #[cfg(not(unix))]
    return {
        let _ = about;
        false
    };
}

/// Removes a file; one that is gone already changes nothing.
pub fn remove(path: &Path) -> Result<(), BlobError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BlobError::file(path, error)),
        _ => Ok(()),
    }
}

/// Does `work` with files where it holds up nobody.
pub async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(BlobError::File {
            path: PathBuf::new(),
            reason: io::Error::other(error),
        }),
    }
}
