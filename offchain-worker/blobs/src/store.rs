//! The store itself.

use crate::{BlobError, BlobKey, BlobKind};
use futures::{StreamExt, TryStreamExt};
use object_store::{
    ObjectStore, ObjectStoreExt, ObjectStoreScheme, PutPayload, aws::AmazonS3Builder, local::LocalFileSystem,
    memory::InMemory, path::Path, prefix::PrefixStore,
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// A store of blobs. Cheap to clone; clones share the connection.
#[derive(Clone, Debug)]
pub struct BlobStore {
    objects: Arc<dyn ObjectStore>,
}

/// What [`BlobStore::collect_garbage`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Garbage {
    /// Blobs removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// Blobs kept.
    pub kept: u64,
}

impl BlobStore {
    /// Opens the store at `location`: a folder, which is created if need be, or an `s3://bucket/prefix` URL, whose
    /// credentials come from the environment as for every S3 client (`AWS_ACCESS_KEY_ID` …).
    pub fn open(location: &str) -> Result<Self, BlobError> {
        let refuse = |reason: String| BlobError::Location {
            location: location.to_owned(),
            reason,
        };
        if !location.contains("://") {
            std::fs::create_dir_all(location).map_err(|error| refuse(error.to_string()))?;
            let folder = LocalFileSystem::new_with_prefix(location).map_err(|error| refuse(error.to_string()))?;
            return Ok(Self {
                objects: Arc::new(folder),
            });
        }
        let url = url::Url::parse(location).map_err(|error| refuse(error.to_string()))?;
        match ObjectStoreScheme::parse(&url).map_err(|error| refuse(error.to_string()))? {
            (ObjectStoreScheme::AmazonS3, prefix) => {
                let bucket = AmazonS3Builder::from_env()
                    .with_url(location)
                    .build()
                    .map_err(|error| refuse(error.to_string()))?;
                Ok(Self {
                    objects: Arc::new(PrefixStore::new(bucket, prefix)),
                })
            }
            _ => Err(refuse(format!("the scheme {:?} is not supported", url.scheme()))),
        }
    }

    /// A store that lives as long as the process. For tests.
    pub fn in_memory() -> Self {
        Self {
            objects: Arc::new(InMemory::new()),
        }
    }

    /// Stores `content` and returns its key. Storing the same content again changes nothing.
    pub async fn put(&self, kind: BlobKind, content: Vec<u8>) -> Result<BlobKey, BlobError> {
        let key = kind.key_of(&content);
        self.objects.put(&path(kind, &key), PutPayload::from(content)).await?;
        Ok(key)
    }

    /// Fetches a blob of at most `limit` bytes and checks it against its key.
    pub async fn get(&self, kind: BlobKind, key: &BlobKey, limit: u64) -> Result<Vec<u8>, BlobError> {
        let object = self
            .objects
            .get(&path(kind, key))
            .await
            .map_err(|error| absent_or(error, kind, key))?;
        let size = object.meta.size;
        if size > limit {
            return Err(BlobError::TooLarge {
                kind,
                key: hex::encode(key),
                size,
                limit,
            });
        }
        let content = object.bytes().await?.to_vec();
        let found = kind.key_of(&content);
        if found != *key {
            return Err(BlobError::Corrupt {
                kind,
                key: hex::encode(key),
                found: hex::encode(found),
            });
        }
        Ok(content)
    }

    /// Whether the blob is there. Does not check its content.
    pub async fn contains(&self, kind: BlobKind, key: &BlobKey) -> Result<bool, BlobError> {
        match self.objects.head(&path(kind, key)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a blob; removing one that is not there changes nothing.
    pub async fn remove(&self, kind: BlobKind, key: &BlobKey) -> Result<(), BlobError> {
        match self.objects.delete(&path(kind, key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
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
        let mut garbage = Garbage::default();
        let newest = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        for kind in BlobKind::ALL {
            let all: Vec<_> = self
                .objects
                .list(Some(&Path::from(kind.folder())))
                .boxed()
                .try_collect()
                .await?;
            for object in all {
                let Some(key) = key_of(&object.location) else { continue };
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
}

/// Where a blob is: spread over 256 folders by the first byte of its key.
fn path(kind: BlobKind, key: &BlobKey) -> Path {
    let name = hex::encode(key);
    Path::from_iter([kind.folder(), &name[..2], &name])
}

/// The key of the blob at `path`, if there is one.
fn key_of(path: &Path) -> Option<BlobKey> {
    hex::decode(path.filename()?).ok()?.try_into().ok()
}

fn absent_or(error: object_store::Error, kind: BlobKind, key: &BlobKey) -> BlobError {
    match error {
        object_store::Error::NotFound { .. } => BlobError::NotFound {
            kind,
            key: hex::encode(key),
        },
        error => error.into(),
    }
}
