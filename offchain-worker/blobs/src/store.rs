//! The store itself: a folder, or a bucket.

mod folder;

use crate::{BlobError, BlobKey, BlobKind, BlobSource, Fetched, Wanted, disk, kind::key_of_name};
use agora_jobs::BlobRef;
use folder::Folder;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
use object_store::{
    ObjectStore, ObjectStoreExt, ObjectStoreScheme, PutPayload, aws::AmazonS3Builder, buffered::BufWriter,
    memory::InMemory, path::Path, prefix::PrefixStore,
};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::io::AsyncWriteExt;

/// A store of blobs. Cheap to clone; clones share the connection.
#[derive(Clone, Debug)]
pub struct BlobStore {
    place: Place,
}

/// Where the blobs are.
#[derive(Clone, Debug)]
enum Place {
    Folder(Arc<Folder>),
    Objects(Arc<dyn ObjectStore>),
}

/// What collecting garbage did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Garbage {
    /// Blobs removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// Blobs kept.
    pub kept: u64,
}

impl Garbage {
    /// This and `other` together.
    pub const fn and(self, other: Self) -> Self {
        Self {
            removed: self.removed.saturating_add(other.removed),
            removed_bytes: self.removed_bytes.saturating_add(other.removed_bytes),
            kept: self.kept.saturating_add(other.kept),
        }
    }
}

impl BlobStore {
    /// Opens the store at `location`: a folder, which is created if need be, readable by its owner alone, or an
    /// `s3://bucket/prefix` URL, whose credentials come from the environment as for every S3 client
    /// (`AWS_ACCESS_KEY_ID` …).
    pub fn open(location: &str) -> Result<Self, BlobError> {
        let refuse = |reason: String| BlobError::Location {
            location: location.to_owned(),
            reason,
        };
        if !location.contains("://") {
            let folder = Folder::open(location.into()).map_err(|error| refuse(error.to_string()))?;
            return Ok(Self {
                place: Place::Folder(Arc::new(folder)),
            });
        }
        let url = url::Url::parse(location).map_err(|error| refuse(error.to_string()))?;
        match ObjectStoreScheme::parse(&url).map_err(|error| refuse(error.to_string()))? {
            (ObjectStoreScheme::AmazonS3, prefix) => {
                let bucket = AmazonS3Builder::from_env()
                    .with_url(location)
                    .build()
                    .map_err(|error| refuse(error.to_string()))?;
                Ok(Self::objects(PrefixStore::new(bucket, prefix)))
            }
            _ => Err(refuse(format!("the scheme {:?} is not supported", url.scheme()))),
        }
    }

    /// A store that lives as long as the process. For tests.
    pub fn in_memory() -> Self {
        Self::objects(InMemory::new())
    }

    fn objects(objects: impl ObjectStore) -> Self {
        Self {
            place: Place::Objects(Arc::new(objects)),
        }
    }

    /// Stores `content` and returns its key; on return it is on disk. Storing the same content again changes nothing.
    pub async fn put(&self, kind: BlobKind, content: Vec<u8>) -> Result<BlobKey, BlobError> {
        let key = kind.key_of(&content);
        match &self.place {
            Place::Folder(folder) => {
                let path = folder.path(kind, &key);
                disk::aside(move || disk::write(&path, &content)).await?;
            }
            Place::Objects(objects) => {
                objects.put(&path(kind, &key), PutPayload::from(content)).await?;
            }
        }
        Ok(key)
    }

    /// Stores a copy of the file `from`, which is to be `wanted`, without holding it in memory.
    ///
    /// Errors: `Corrupt`, `TooLarge`, `Length` if it is another one.
    pub async fn copy(&self, wanted: &Wanted, from: PathBuf) -> Result<(), BlobError> {
        let wanted = *wanted;
        match &self.place {
            Place::Folder(folder) => {
                let path = folder.path(wanted.kind, &wanted.key);
                disk::aside(move || disk::copy_checked(&wanted, &from, &path)).await
            }
            Place::Objects(objects) => {
                // What is uploaded is not checked on its way.
                let checked = from.clone();
                disk::aside(move || disk::check(&wanted, &checked)).await?;
                let failed = |error| BlobError::file(&from, error);
                let mut file = tokio::fs::File::open(&from).await.map_err(failed)?;
                wanted.check_len(file.metadata().await.map_err(failed)?.len())?;
                let mut object = BufWriter::new(Arc::clone(objects), path(wanted.kind, &wanted.key));
                tokio::io::copy(&mut file, &mut object).await.map_err(failed)?;
                object.shutdown().await.map_err(failed)
            }
        }
    }

    /// Stores the file `from`, which is `wanted` and which nobody writes to: as a further name of it where that is possible.
    ///
    /// Errors: as [`BlobStore::copy`].
    pub async fn link(&self, wanted: &Wanted, from: PathBuf) -> Result<(), BlobError> {
        let Place::Folder(folder) = &self.place else {
            return self.copy(wanted, from).await;
        };
        let (wanted, path) = (*wanted, folder.path(wanted.kind, &wanted.key));
        disk::aside(move || disk::link(&wanted, &from, &path)).await
    }

    /// Fetches a blob of at most `limit` bytes and checks it against its key.
    pub async fn get(&self, kind: BlobKind, key: &BlobKey, limit: u64) -> Result<Vec<u8>, BlobError> {
        let wanted = Wanted {
            kind,
            key: *key,
            size: limit,
        };
        let content = match &self.place {
            Place::Folder(folder) => {
                let path = folder.path(kind, key);
                disk::aside(move || Folder::read(&wanted, &path)).await?
            }
            Place::Objects(objects) => {
                let object = objects.get(&path(kind, key)).await;
                let object = object.map_err(|error| absent_or(error, &wanted))?;
                wanted.check_limit(object.meta.size)?;
                object.bytes().await?.to_vec()
            }
        };
        wanted.check_key(kind.key_of(&content))?;
        Ok(content)
    }

    /// Whether the blob is there. Does not check its content.
    pub async fn contains(&self, kind: BlobKind, key: &BlobKey) -> Result<bool, BlobError> {
        Ok(self.size_of(kind, key).await?.is_some())
    }

    /// The length of a blob in bytes, if it is there.
    pub async fn size_of(&self, kind: BlobKind, key: &BlobKey) -> Result<Option<u64>, BlobError> {
        match &self.place {
            Place::Folder(folder) => folder.size_of(kind, key),
            Place::Objects(objects) => match objects.head(&path(kind, key)).await {
                Ok(about) => Ok(Some(about.size)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Removes a blob; removing one that is not there changes nothing.
    pub async fn remove(&self, kind: BlobKind, key: &BlobKey) -> Result<(), BlobError> {
        match &self.place {
            Place::Folder(folder) => disk::remove(&folder.path(kind, key)),
            Place::Objects(objects) => match objects.delete(&path(kind, key)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Removes every blob that was stored longer than `age` ago and that `wanted` does not want.
    ///
    /// Objects that this store did not write are left alone.
    pub async fn collect_garbage(
        &self,
        age: Duration,
        wanted: impl Fn(BlobKind, &BlobKey) -> bool,
    ) -> Result<Garbage, BlobError> {
        let newest = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        let objects = match &self.place {
            Place::Folder(folder) => return folder.collect_garbage(newest, wanted),
            Place::Objects(objects) => objects,
        };
        let mut garbage = Garbage::default();
        for kind in BlobKind::ALL {
            let all = objects.list(Some(&Path::from(kind.folder())));
            for object in all.try_collect::<Vec<_>>().await? {
                let Some(key) = object.location.filename().and_then(key_of_name) else {
                    continue;
                };
                if SystemTime::from(object.last_modified) > newest || wanted(kind, &key) {
                    garbage.kept += 1;
                } else {
                    self.remove(kind, &key).await?;
                    garbage.removed += 1;
                    garbage.removed_bytes += object.size;
                }
            }
        }
        Ok(garbage)
    }

    /// How many bytes are in the folder. `None`: it is a bucket.
    ///
    /// Errors: `File`.
    pub fn used(&self) -> Result<Option<u64>, BlobError> {
        match &self.place {
            Place::Folder(folder) => folder.used().map(Some),
            Place::Objects(_) => Ok(None),
        }
    }

    /// Removes blobs from a folder that `wanted` does not want until it has at most `quota` bytes: what was stored longest ago first,
    /// and nothing that was stored within `least`. A bucket is left alone. What is counted as kept was counted before.
    ///
    /// Errors: `File`.
    pub fn shrink(
        &self,
        quota: u64,
        least: Duration,
        wanted: impl Fn(BlobKind, &BlobKey) -> bool,
    ) -> Result<Garbage, BlobError> {
        let newest = SystemTime::now().checked_sub(least).unwrap_or(SystemTime::UNIX_EPOCH);
        match &self.place {
            Place::Folder(folder) => folder.shrink(quota, newest, wanted),
            Place::Objects(_) => Ok(Garbage::default()),
        }
    }

    /// Stores the file `from` without holding it in memory, and returns what it is called.
    ///
    /// Errors: `File`, `DiskFull`, `Storage`; `Corrupt`, `TooLarge` or `Length` if somebody writes to it meanwhile.
    pub async fn put_file(&self, kind: BlobKind, from: PathBuf) -> Result<BlobRef, BlobError> {
        let hashed = from.clone();
        let blob = disk::aside(move || disk::blob_of_file(&hashed)).await?;
        self.copy(&Wanted::content(kind, &blob), from).await?;
        Ok(blob)
    }

    /// The file of a blob with this key that may be served, and its length. `None`: there is none, or this is no folder.
    pub(crate) fn served(&self, kinds: &[BlobKind], key: &BlobKey) -> Result<Option<(PathBuf, u64)>, BlobError> {
        let Place::Folder(folder) = &self.place else {
            return Ok(None);
        };
        for kind in kinds {
            if let Some(size) = folder.size_of(*kind, key)? {
                return Ok(Some((folder.path(*kind, key), size)));
            }
        }
        Ok(None)
    }

    /// Whether a folder has a file for `wanted` that is not it: one of another length, or with other bytes. What is in a
    /// bucket is checked when it is read.
    pub(crate) async fn is_damaged(&self, wanted: &Wanted) -> Result<bool, BlobError> {
        let Place::Folder(folder) = &self.place else {
            return Ok(false);
        };
        let (wanted, path) = (*wanted, folder.path(wanted.kind, &wanted.key));
        disk::aside(move || Ok(path.is_file() && !disk::has_key(&wanted, &path)?)).await
    }

    /// Whether it is a folder, so that reading from it needs no cache.
    pub(crate) const fn is_folder(&self) -> bool {
        matches!(self.place, Place::Folder(_))
    }

    /// The bytes of a blob as they arrive, unchecked. `None`: it is not in the bucket, or this is a folder.
    pub(crate) async fn stream(
        &self,
        wanted: &Wanted,
    ) -> Result<Option<BoxStream<'static, Result<bytes::Bytes, object_store::Error>>>, BlobError> {
        let Place::Objects(objects) = &self.place else {
            return Ok(None);
        };
        match objects.get(&path(wanted.kind, &wanted.key)).await {
            Ok(object) => {
                wanted.check_len(object.meta.size)?;
                Ok(Some(object.into_stream().boxed()))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl BlobSource for BlobStore {
    fn fetch<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Result<Fetched, BlobError>> {
        Box::pin(async move {
            let size = self.size_of(wanted.kind, &wanted.key).await?;
            wanted.check_len(size.ok_or_else(|| wanted.not_found())?)?;
            match &self.place {
                Place::Folder(folder) => Ok(Fetched::Shared(folder.path(wanted.kind, &wanted.key))),
                Place::Objects(_) => {
                    let content = self.get(wanted.kind, &wanted.key, wanted.size).await?;
                    Ok(Fetched::Memory(content))
                }
            }
        })
    }
}

/// Where a blob is: spread over 256 folders by the first byte of its key.
fn path(kind: BlobKind, key: &BlobKey) -> Path {
    let name = hex::encode(key);
    Path::from_iter([kind.folder(), name.get(..2).unwrap_or_default(), &name])
}

fn absent_or(error: object_store::Error, wanted: &Wanted) -> BlobError {
    match error {
        object_store::Error::NotFound { .. } => wanted.not_found(),
        error => error.into(),
    }
}
