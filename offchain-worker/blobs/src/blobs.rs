//! A store, a private cache and peers, as one source.

use crate::{
    BlobError, BlobKind, BlobSource, BlobStore, Cache, Denied, Fetched, Wanted, cache::Claim, disk, http::Peers,
};
use agora_jobs::BlobRef;
use futures::{StreamExt, future::BoxFuture};
use std::{path::PathBuf, sync::Arc};
use url::Url;

/// Where a blob was had from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The own store, or nobody: a blob without bytes is always there.
    Store,
    /// The private cache, or others have fetched it meanwhile.
    Cache,
    /// These peers: each has given a part of it.
    Peers(Vec<Url>),
}

/// Where somebody has blobs from: the own store, the private cache, and peers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: BlobStore,
    cache: Cache,
    peers: Peers,
    urls: Arc<[Url]>,
    denied: Denied,
}

impl Blobs {
    /// Blobs of `store`, and of those that answer at `urls`, which are named here and not by strangers; what comes from them is
    /// kept in `cache`.
    pub fn new(store: BlobStore, cache: Cache, peers: Peers, urls: Vec<Url>) -> Self {
        peers.name(&urls);
        Self {
            store,
            cache,
            peers,
            urls: urls.into(),
            denied: Denied::default(),
        }
    }

    /// The same, but for the blobs that are `denied`: nothing of them is asked for, and what is here of them is not given out.
    pub fn without(self, denied: Denied) -> Self {
        Self { denied, ..self }
    }

    /// The same, asking nobody else: only what is on this machine, or in its bucket.
    pub fn without_peers(&self) -> Self {
        Self {
            urls: Arc::default(),
            ..self.clone()
        }
    }

    /// The blobs that are not wanted here.
    pub const fn denied(&self) -> &Denied {
        &self.denied
    }

    /// The same, and those that answer at `urls` too, which may be strangers' words: for instance the publisher of a task, or those who have committed to
    /// its result. Store, cache, limits and what is known of peers are shared.
    pub fn with_peers(&self, urls: impl IntoIterator<Item = Url>) -> Self {
        let mut all = self.urls.to_vec();
        for url in urls {
            if !all.contains(&url) {
                all.push(url);
            }
        }
        Self {
            urls: all.into(),
            ..self.clone()
        }
    }

    /// The own store, into which results are put.
    pub const fn store(&self) -> &BlobStore {
        &self.store
    }

    /// The private cache.
    pub const fn cache(&self) -> &Cache {
        &self.cache
    }

    /// How long the blob with this hash is, as the first peer says that has it. It may lie: a blob of that length is then not
    /// to be had. `None`: nobody has it.
    pub async fn size_at_peers(&self, key: &[u8; 32]) -> Option<u64> {
        self.peers.size_of(key, &self.urls).await
    }

    /// Fetches content from peers, as far as it has not arrived already.
    async fn fetch_content(&self, wanted: &Wanted, blob: BlobRef) -> Result<(PathBuf, Origin), BlobError> {
        let partial = match self.cache.join(wanted, blob).await? {
            Claim::Here(path) => return Ok((path, Origin::Cache)),
            Claim::Fetch(partial) => partial,
        };
        let arrived = partial.arrived();
        if arrived > 0 {
            tracing::info!(kind = %wanted.kind, key = hex::encode(wanted.key), arrived, size = blob.size, "Going on with what has arrived.");
        }
        let givers = self.peers.fill(wanted.kind, &partial, &self.urls).await?;
        let (cache, wanted) = (self.cache.clone(), *wanted);
        let path = disk::aside(move || cache.keep(&wanted, &partial)).await?;
        let origin = match givers.is_empty() {
            true => Origin::Cache,
            false => Origin::Peers(givers),
        };
        Ok((path, origin))
    }

    /// Keeps a list of states, which has been checked.
    async fn keep_states(&self, wanted: &Wanted, content: Vec<u8>) -> Result<PathBuf, BlobError> {
        let (cache, wanted) = (self.cache.clone(), *wanted);
        disk::aside(move || cache.put(&wanted, &content)).await
    }

    /// Fetches content from the bucket that is the own store, if it has it.
    async fn fetch_object(&self, wanted: &Wanted, blob: BlobRef) -> Result<Option<PathBuf>, BlobError> {
        let Some(mut stream) = self.store.stream(wanted).await? else {
            return Ok(None);
        };
        let partial = match self.cache.claim_alone(wanted, blob).await? {
            Claim::Here(path) => return Ok(Some(path)),
            Claim::Fetch(partial) => partial,
        };
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        let (cache, wanted) = (self.cache.clone(), *wanted);
        let written = disk::aside(move || {
            crate::partial::fill_in_order(&wanted, &partial, receiver)?;
            cache.keep(&wanted, &partial).map(Some)
        });
        let sent = async move {
            while let Some(bytes) = stream.next().await {
                if sender.send(bytes?).await.is_err() {
                    break;
                }
            }
            Ok::<_, BlobError>(())
        };
        let (sent, written) = tokio::join!(sent, written);
        sent?;
        written
    }

    /// Puts what others have in the place of a damaged file of the own store.
    async fn replace(&self, wanted: &Wanted) -> Result<(), BlobError> {
        tracing::warn!(kind = %wanted.kind, key = hex::encode(wanted.key), "A file of the store is damaged; it is fetched again.");
        let (path, _) = self.fetch_from_others(wanted).await?;
        self.store.copy(wanted, path).await
    }

    /// The file of a blob that is in the cache, or that others have, the own bucket among them; and where it was.
    async fn fetch_from_others(&self, wanted: &Wanted) -> Result<(PathBuf, Origin), BlobError> {
        let (cache, here) = (self.cache.clone(), *wanted);
        if let Some(path) = disk::aside(move || cache.find_right(&here)).await? {
            return Ok((path, Origin::Cache));
        }
        if !self.store.is_folder() {
            let found = match wanted.blob() {
                Some(blob) => self.fetch_object(wanted, blob).await?,
                None => match self.store.get(wanted.kind, &wanted.key, wanted.size).await {
                    Ok(content) => Some(self.keep_states(wanted, content).await?),
                    Err(BlobError::NotFound { .. }) => None,
                    Err(error) => return Err(error),
                },
            };
            if let Some(path) = found {
                return Ok((path, Origin::Store));
            }
        }
        if self.urls.is_empty() {
            return Err(wanted.not_found());
        }
        match wanted.blob() {
            Some(blob) => self.fetch_content(wanted, blob).await,
            None => {
                debug_assert_eq!(wanted.kind, BlobKind::States);
                let (content, giver) = self.peers.states(wanted, &self.urls).await?;
                let path = self.keep_states(wanted, content).await?;
                Ok((path, Origin::Peers(vec![giver])))
            }
        }
    }

    /// As [`BlobSource::fetch`], and says where it was had from.
    ///
    /// Errors: as [`BlobSource::fetch`].
    pub async fn fetch_with_origin(&self, wanted: &Wanted) -> Result<(Fetched, Origin), BlobError> {
        self.denied.check(wanted)?;
        // Nothing would be checked on the way, as there are no bytes.
        if wanted.blob().is_some_and(|blob| blob.size == 0) {
            wanted.check(&[])?;
            return Ok((Fetched::Memory(Vec::new()), Origin::Store));
        }
        if self.store.is_folder() {
            match self.store.fetch(wanted).await {
                Err(BlobError::NotFound { .. }) => {}
                Err(BlobError::Length { .. } | BlobError::TooLarge { .. }) if self.store.is_damaged(wanted).await? => {
                    self.replace(wanted).await?;
                    return Ok((self.store.fetch(wanted).await?, Origin::Store));
                }
                fetched => return Ok((fetched?, Origin::Store)),
            }
        }
        let (path, origin) = self.fetch_from_others(wanted).await?;
        Ok((Fetched::Private(path), origin))
    }
}

impl BlobSource for Blobs {
    fn fetch<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Result<Fetched, BlobError>> {
        Box::pin(async move { Ok(self.fetch_with_origin(wanted).await?.0) })
    }

    fn heal<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Result<bool, BlobError>> {
        Box::pin(async move {
            if !self.store.is_damaged(wanted).await? {
                return Ok(false);
            }
            self.replace(wanted).await?;
            Ok(true)
        })
    }
}
