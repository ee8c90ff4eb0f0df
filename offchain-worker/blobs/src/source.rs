//! Whatever blobs can be had from.

use crate::{BlobError, BlobStore, Wanted, disk};
use agora_jobs::BlobRef;
use futures::future::BoxFuture;
use std::{fmt::Debug, io, path::PathBuf, sync::Arc};

/// A blob that can be read on this machine.
#[derive(Clone, Debug)]
pub enum Fetched {
    /// A file that nobody writes to, as it is in a private cache.
    Private(PathBuf),
    /// A file that others may write to, so that a copy of it is needed for what must last.
    Shared(PathBuf),
    /// Its bytes.
    Memory(Vec<u8>),
}

/// Whatever blobs can be had from: a store of one's own, or strangers.
pub trait BlobSource: Debug + Send + Sync {
    /// Makes a blob readable on this machine. The lengths are right, and content from others has been checked; [`read`] and
    /// [`copy`] check all of it.
    ///
    /// Errors: `NotFound` if this source has no such blob, `Unavailable` if nobody gives it now, `TooLarge` and `Length` if
    /// it is another one than was promised, `Quota` and `DiskFull` if there is no room for it, `Denied` if it is not wanted here.
    fn fetch<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Result<Fetched, BlobError>>;

    /// Replaces a shared file that has turned out to be damaged, and says whether it did.
    fn heal<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Result<bool, BlobError>> {
        let _ = wanted;
        Box::pin(async { Ok(false) })
    }
}

/// Fetches a blob and has `apply` use it, which checks it. A damaged file is replaced and used again, once: a private one is
/// removed and fetched again, a shared one is healed if its source can do that.
async fn apply<T>(
    source: &dyn BlobSource,
    wanted: &Wanted,
    apply: impl Fn(Fetched) -> BoxFuture<'static, Result<T, BlobError>> + Send,
) -> Result<T, BlobError> {
    let fetched = source.fetch(wanted).await?;
    let damaged = match &fetched {
        Fetched::Private(path) | Fetched::Shared(path) => Some(path.clone()),
        Fetched::Memory(_) => None,
    };
    let is_private = matches!(fetched, Fetched::Private(_));
    match (apply(fetched).await, damaged) {
        (
            Err(error @ (BlobError::Corrupt { .. } | BlobError::Length { .. } | BlobError::TooLarge { .. })),
            Some(damaged),
        ) => {
            if is_private {
                tracing::warn!(file = ?damaged, %error, "A file of the cache is damaged; it is fetched again.");
                disk::remove(&damaged)?;
            } else if !source.heal(wanted).await? {
                return Err(error);
            }
            apply(source.fetch(wanted).await?).await
        }
        (applied, _) => applied,
    }
}

/// Fetches a blob and reads it whole, checked against its key.
///
/// Errors: as [`BlobSource::fetch`], and `Corrupt`. A damaged file of the private cache is removed and fetched again, once.
pub async fn read(source: &dyn BlobSource, wanted: &Wanted) -> Result<Vec<u8>, BlobError> {
    let owned = *wanted;
    apply(source, wanted, move |fetched| {
        Box::pin(disk::aside(move || {
            let bytes = match fetched {
                Fetched::Memory(bytes) => bytes,
                Fetched::Private(file) | Fetched::Shared(file) => {
                    std::fs::read(&file).map_err(|error| BlobError::file(&file, error))?
                }
            };
            owned.check(&bytes)?;
            Ok(bytes)
        }))
    })
    .await
}

/// Fetches a blob and has `open` open it, which hashes all of it and says what it has found: for content that is too large for memory. Runs
/// where it holds up nobody.
///
/// Errors: as [`read`], and `File` if it cannot be opened.
pub async fn open<T: Send + 'static>(
    source: &dyn BlobSource,
    wanted: &Wanted,
    open: impl Fn(Fetched) -> io::Result<(BlobRef, T)> + Clone + Send + Sync + 'static,
) -> Result<T, BlobError> {
    let owned = *wanted;
    apply(source, wanted, move |fetched| {
        let open = open.clone();
        Box::pin(disk::aside(move || {
            let path = match &fetched {
                Fetched::Private(path) | Fetched::Shared(path) => path.clone(),
                Fetched::Memory(_) => PathBuf::new(),
            };
            let (found, opened) = open(fetched).map_err(|error| BlobError::file(&path, error))?;
            owned.check_len(found.size)?;
            owned.check_key(found.hash.0)?;
            Ok(opened)
        }))
    })
    .await
}

/// As [`read`], for who shares the bytes: they are in memory once, where to put a vector behind an [`Arc`] would copy it.
///
/// Errors: as [`read`].
pub async fn read_shared(source: &dyn BlobSource, wanted: &Wanted) -> Result<Arc<[u8]>, BlobError> {
    let owned = *wanted;
    apply(source, wanted, move |fetched| {
        Box::pin(disk::aside(move || {
            let bytes = match fetched {
                Fetched::Memory(bytes) => bytes.into(),
                Fetched::Private(file) | Fetched::Shared(file) => disk::read_shared(&file)?,
            };
            owned.check(&bytes)?;
            Ok(bytes)
        }))
    })
    .await
}

/// Copies a blob to the store `to`, checked against its key, unless it is there already and right.
///
/// Errors: as [`read`].
pub async fn copy(source: &dyn BlobSource, wanted: &Wanted, to: &BlobStore) -> Result<(), BlobError> {
    if to.contains(wanted.kind, &wanted.key).await? {
        if !to.is_damaged(wanted).await? {
            return Ok(());
        }
        to.remove(wanted.kind, &wanted.key).await?;
    }
    let (owned, to) = (*wanted, to.clone());
    apply(source, wanted, move |fetched| {
        let to = to.clone();
        Box::pin(async move {
            match fetched {
                Fetched::Memory(bytes) => {
                    owned.check(&bytes)?;
                    to.put(owned.kind, bytes).await?;
                    Ok(())
                }
                Fetched::Private(path) => to.link(&owned, path).await,
                Fetched::Shared(path) => to.copy(&owned, path).await,
            }
        })
    })
    .await
}

/// Writes a blob to the file `path`, whose folder and permissions are the caller's business; checked while it is written,
/// and never in memory as a whole unless the source has it there.
///
/// Errors: as [`read`]; a part of the blob may have been written then.
pub async fn save(source: &dyn BlobSource, wanted: &Wanted, path: PathBuf) -> Result<(), BlobError> {
    let owned = *wanted;
    apply(source, wanted, move |fetched| {
        let path = path.clone();
        Box::pin(disk::aside(move || {
            let failed = |error| BlobError::file(&path, error);
            let mut file = std::fs::File::create(&path).map_err(failed)?;
            match fetched {
                Fetched::Memory(bytes) => {
                    owned.check(&bytes)?;
                    io::Write::write_all(&mut file, &bytes).map_err(failed)
                }
                Fetched::Private(from) | Fetched::Shared(from) => disk::copy_into(&owned, &from, &mut file, &path),
            }
        }))
    })
    .await
}
