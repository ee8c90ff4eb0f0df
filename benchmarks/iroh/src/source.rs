//! Fetching over `iroh-blobs`, as a source of blobs.
//!
//! What arrives is in a store of `iroh-blobs`, which notes what of a blob it has. What that store cannot do is not made up for
//! here, but said in the tests: it removes nothing when it is asked to, it believes its notes about what is on disk, and a
//! blob that it has once called whole it never writes to again.

use crate::{
    Failure, Place, endpoint, provider,
    queue::{Next, Queue},
};
use agora_blobs::{BlobError, BlobKind, BlobSource, Fetched, Wanted};
use futures::{FutureExt, StreamExt, future::BoxFuture, future::join_all};
use iroh::{Endpoint, EndpointAddr, EndpointId, endpoint::Connection};
use iroh_blobs::{
    Hash,
    api::{blobs::BlobStatus, remote::GetProgressItem},
    get::{
        GetError,
        fsm::{AtBlobHeaderNextError, DecodeError},
        request::get_verified_size,
    },
    protocol::{ChunkRanges, ChunkRangesExt, ERR_INTERNAL, GetRequest},
    store::fs::{FsStore, options::PathOptions},
};
use std::{
    collections::HashMap,
    io,
    ops::Range,
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Bytes of a group: what is checked at a time, here as over HTTP.
const GROUP: u64 = 16 << 10;

/// How much patience others get, and how much room there is. Fields and defaults are those of our HTTP client.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long connecting may take.
    pub connect: Duration,
    /// How long nothing may arrive.
    pub idle: Duration,
    /// Bytes per second that must arrive on average, once a request has taken longer than `idle`.
    pub least_rate: u64,
    /// Requests to one peer at a time, where there are several peers. One peer gets one request for everything.
    pub in_flight: usize,
    /// Bytes that one request asks for, where there are several peers.
    pub piece: u64,
    /// Requests in a row that bring nothing before a peer is given up for this blob.
    pub attempts: u32,
    /// How long a peer rests after it failed; twice as long each further time, at most ten minutes.
    pub rest: Duration,
    /// Bytes that the store may have.
    pub quota: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(15),
            least_rate: 16 << 10,
            in_flight: 2,
            piece: 4 << 20,
            attempts: 3,
            rest: Duration::from_secs(1),
            quota: 10 << 30,
        }
    }
}

/// The longest rest of a peer.
const LONGEST_REST: Duration = Duration::from_secs(600);

/// Somebody who fetches over `iroh-blobs`. Cheap to clone; clones share the store, and what is known of peers.
#[derive(Clone, Debug)]
pub struct IrohSource {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    endpoint: Endpoint,
    store: FsStore,
    folder: PathBuf,
    peers: Vec<EndpointAddr>,
    limits: Limits,
    connections: tokio::sync::Mutex<HashMap<EndpointId, Connection>>,
    /// Failures since a peer last gave something, and until when it rests.
    resting: Mutex<HashMap<EndpointId, (u32, Instant)>>,
    fetching: Mutex<HashMap<Hash, Weak<tokio::sync::Mutex<()>>>>,
}

/// Why a request brought less than was asked for.
#[derive(Debug)]
enum Trouble {
    /// The peer does not have the blob, or another one. That is no fault.
    Absent(String),
    /// The answer did not come, or ended too early, or came too slowly.
    Broken(String),
    /// What came is not the blob.
    Wrong(String),
}

/// What is known of a peer while one blob is fetched.
struct Lane<'a> {
    number: usize,
    peer: &'a EndpointAddr,
    failures: AtomicU32,
    is_dropped: AtomicBool,
    reason: Mutex<Option<String>>,
}

impl IrohSource {
    /// Somebody at `place` who asks `peers`, and keeps what comes in `folder`.
    ///
    /// Errors: the folder cannot be used, or another process uses it; as [`endpoint`].
    pub async fn open(place: &Place, folder: &Path, limits: Limits, peers: Vec<EndpointAddr>) -> Result<Self, Failure> {
        let store = provider::open(folder).await?;
        let (endpoint, _) = endpoint(place, iroh_blobs::ALPN).await?;
        Ok(Self {
            shared: Arc::new(Shared {
                endpoint,
                store,
                folder: folder.to_owned(),
                peers,
                limits,
                connections: tokio::sync::Mutex::default(),
                resting: Mutex::default(),
                fetching: Mutex::default(),
            }),
        })
    }

    /// Closes all connections, and the store: another can be opened in its folder then.
    ///
    /// Errors: the store has failed.
    pub async fn close(self) -> Result<(), Failure> {
        self.shared.endpoint.close().await;
        Ok(self.shared.store.shutdown().await?)
    }

    /// A connection to a peer: the one that is open, or a new one.
    ///
    /// Errors: it cannot be reached.
    pub async fn connect(&self, peer: &EndpointAddr) -> Result<Connection, Failure> {
        self.shared
            .connection(peer)
            .await
            .map_err(|trouble| trouble.to_string().into())
    }

    /// Bytes on disk, for everything.
    ///
    /// Errors: the folder cannot be read.
    pub fn used(&self) -> Result<u64, BlobError> {
        used(&self.shared.folder)
    }
}

impl BlobSource for IrohSource {
    fn fetch<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Result<Fetched, BlobError>> {
        Box::pin(self.shared.fetch(wanted))
    }
}

impl Shared {
    async fn fetch(&self, wanted: &Wanted) -> Result<Fetched, BlobError> {
        // Its key is not the BLAKE3 hash of its bytes, which is the only name that this protocol knows.
        if wanted.kind == BlobKind::States {
            return Err(BlobError::NotFound {
                kind: wanted.kind,
                key: hex::encode(wanted.key),
            });
        }
        if wanted.size == 0 {
            wanted.check(&[])?;
            return Ok(Fetched::Memory(Vec::new()));
        }
        let hash = Hash::from_bytes(wanted.key);
        let lock = self.lock(hash);
        let _alone = lock.lock().await;
        let file = PathOptions::new(&self.folder).data_path(&hash);
        if let BlobStatus::Complete { size } = self.status(hash).await? {
            wanted.check_len(size)?;
            return Ok(Fetched::Private(file));
        }
        self.check_fits(wanted)?;
        let limits = &self.limits;
        let patience = limits.connect.saturating_add(limits.idle).saturating_mul(4);
        let longest = patience.saturating_add(Duration::from_secs(wanted.size / limits.least_rate.max(1)));
        let lanes = self.lanes();
        // Who has brought it does not matter once it is whole; those who are late are not waited for.
        let filled = tokio::time::timeout(longest, self.fill(wanted, hash, &lanes)).await;
        if let BlobStatus::Complete { .. } = self.status(hash).await? {
            return Ok(Fetched::Private(file));
        }
        if filled.is_err() {
            return Err(unavailable(
                wanted,
                format!("the whole fetch has taken {} s", longest.as_secs()),
            ));
        }
        let tried = lanes.iter().filter_map(|lane| {
            let reason = lane.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
            Some(format!("{}: {reason}", lane.peer.id))
        });
        Err(unavailable(wanted, tried.collect::<Vec<_>>().join("; ")))
    }

    async fn status(&self, hash: Hash) -> Result<BlobStatus, BlobError> {
        self.store.status(hash).await.map_err(|error| self.failed(error))
    }

    /// The store has failed.
    fn failed(&self, error: impl std::error::Error + Send + Sync + 'static) -> BlobError {
        BlobError::File {
            path: self.folder.clone(),
            reason: io::Error::other(error),
        }
    }

    /// Fetches of one blob wait for each other: the second one finds it here.
    fn lock(&self, hash: Hash) -> Arc<tokio::sync::Mutex<()>> {
        let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = fetching.get(&hash).and_then(Weak::upgrade) {
            return lock;
        }
        fetching.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        fetching.insert(hash, Arc::downgrade(&lock));
        lock
    }

    /// Checks that the blob and its tree fit. Nothing can be removed for it: the store removes what has no name from time to
    /// time, but not when it is asked to.
    fn check_fits(&self, wanted: &Wanted) -> Result<(), BlobError> {
        let tree = wanted.size.div_ceil(GROUP).saturating_sub(1).saturating_mul(64);
        let size = wanted.size.saturating_add(tree);
        // What the empty store has is not the blobs'.
        let in_use = used(&self.folder.join("data"))?;
        if in_use.saturating_add(size) <= self.limits.quota {
            return Ok(());
        }
        Err(BlobError::Quota {
            folder: self.folder.clone(),
            size,
            quota: self.limits.quota,
            in_use,
        })
    }

    fn lanes(&self) -> Vec<Lane<'_>> {
        let lanes = self.peers.iter().enumerate().map(|(number, peer)| {
            let rests = self
                .rests(peer.id)
                .map(|left| format!("it rests for {} ms", left.as_millis()));
            Lane {
                number,
                peer,
                failures: AtomicU32::new(0),
                is_dropped: AtomicBool::new(rests.is_some()),
                reason: Mutex::new(rests),
            }
        });
        lanes.collect()
    }

    /// Asks all peers for what is missing, until it is here or nobody is left.
    async fn fill(&self, wanted: &Wanted, hash: Hash, lanes: &[Lane<'_>]) {
        let missing = self.missing(hash, 0..wanted.size).await;
        let is_alone = lanes.len() < 2;
        let pieces = match is_alone {
            true => vec![missing],
            false => pieces(&missing, wanted.size, self.limits.piece),
        };
        let queue = Queue::new(pieces.into_iter().filter(|piece| !piece.is_empty()).collect());
        let requests = if is_alone { 1 } else { self.limits.in_flight.max(1) };
        let queue = &queue;
        let all = lanes.iter().map(|lane| async move {
            if lane.is_dropped.load(Ordering::Relaxed) {
                return;
            }
            if let Err(trouble) = self.check_size(wanted, hash, lane).await {
                self.drop_peer(lane, &trouble);
                return;
            }
            join_all((0..requests).map(|_| self.run(wanted, hash, lane, queue))).await;
        });
        let whole = self.store.observe(hash).await_completion();
        tokio::select! {
            _ = join_all(all) => {}
            // If the store has failed, the peers say so.
            Ok(_) = whole => {}
        }
    }

    /// What is missing of `range`, in chunks of 1 KiB.
    async fn missing(&self, hash: Hash, range: Range<u64>) -> ChunkRanges {
        let all = ChunkRanges::bytes(range);
        match self.store.observe(hash).await {
            Ok(here) => all - here.ranges,
            Err(_) => all,
        }
    }

    /// Asks one peer for one part after another, until nothing is left or it is given up.
    async fn run(&self, wanted: &Wanted, hash: Hash, lane: &Lane<'_>, queue: &Queue) {
        let patience = self.limits.idle / 2;
        while !lane.is_dropped.load(Ordering::Relaxed) {
            let changed = queue.changed();
            let (id, part) = match queue.next(lane.number, patience) {
                Next::Ask(id, part) => (id, part),
                Next::Nothing => return,
                Next::Wait => {
                    // Time passes, too: another peer may have become slow.
                    let _ = tokio::time::timeout(patience.max(Duration::from_millis(1)), changed).await;
                    continue;
                }
            };
            let left = part & self.missing(hash, 0..wanted.size).await;
            let (brought, ended) = self.ask(hash, lane.peer, left.clone()).await;
            let Err(trouble) = ended else {
                queue.done(id);
                lane.failures.store(0, Ordering::Relaxed);
                self.resting().remove(&lane.peer.id);
                continue;
            };
            let left = left & self.missing(hash, 0..wanted.size).await;
            queue.failed(id, lane.number, left);
            if brought > 0 {
                lane.failures.store(0, Ordering::Relaxed);
            }
            let failures = lane.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            if matches!(trouble, Trouble::Broken(_)) && failures < self.limits.attempts {
                if brought == 0 {
                    tokio::time::sleep(self.limits.rest.saturating_mul(failures) / 2).await;
                }
            } else {
                self.drop_peer(lane, &trouble);
            }
        }
    }

    /// Asks a peer for the last chunk, which proves the length, before anything is written here.
    async fn check_size(&self, wanted: &Wanted, hash: Hash, lane: &Lane<'_>) -> Result<(), Trouble> {
        let mut failures = 0;
        loop {
            let asked = async {
                let connection = self.connection(lane.peer).await?;
                let size = tokio::time::timeout(self.limits.idle, get_verified_size(&connection, &hash));
                let size = size.await.map_err(|_| self.silent())?;
                Ok::<_, Trouble>(size.map_err(trouble)?.0)
            };
            match asked.await {
                Ok(found) if found == wanted.size => return Ok(()),
                Ok(found) => {
                    let wanted = wanted.size;
                    return Err(Trouble::Absent(format!("its blob has {found} bytes, not {wanted}")));
                }
                Err(Trouble::Broken(_)) if failures + 1 < self.limits.attempts => {
                    failures += 1;
                    tokio::time::sleep(self.limits.rest.saturating_mul(failures) / 2).await;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// One request. Returns how many bytes came, also if it failed.
    async fn ask(&self, hash: Hash, peer: &EndpointAddr, part: ChunkRanges) -> (u64, Result<(), Trouble>) {
        if part.is_empty() {
            return (0, Ok(()));
        }
        let connection = match self.connection(peer).await {
            Ok(connection) => connection,
            Err(trouble) => return (0, Err(trouble)),
        };
        let request = GetRequest::blob_ranges(hash, part);
        let mut progress = pin!(self.store.remote().execute_get(connection, request).stream());
        let (mut brought, began) = (0, Instant::now());
        loop {
            match tokio::time::timeout(self.limits.idle, progress.next()).await {
                Err(_) => return (brought, Err(self.silent())),
                Ok(None) => return (brought, Err(Trouble::Broken("the answer ended too early".to_owned()))),
                Ok(Some(GetProgressItem::Done(_))) => return (brought, Ok(())),
                Ok(Some(GetProgressItem::Error(error))) => return (brought, Err(trouble(error))),
                Ok(Some(GetProgressItem::Progress(bytes))) => brought = bytes,
            }
            let time = began.elapsed();
            let least = u128::from(self.limits.least_rate).saturating_mul(time.as_millis()) / 1000;
            if time > self.limits.idle && u128::from(brought) < least {
                let slow = format!("{brought} bytes arrived in {} ms", time.as_millis());
                return (brought, Err(Trouble::Broken(slow)));
            }
        }
    }

    fn silent(&self) -> Trouble {
        Trouble::Broken(format!("nothing arrived for {} ms", self.limits.idle.as_millis()))
    }

    async fn connection(&self, peer: &EndpointAddr) -> Result<Connection, Trouble> {
        let mut connections = self.connections.lock().await;
        if let Some(open) = connections.get(&peer.id).filter(|open| open.close_reason().is_none()) {
            return Ok(open.clone());
        }
        let connecting = self.endpoint.connect(peer.clone(), iroh_blobs::ALPN).boxed();
        let limit = self.limits.connect;
        let connection = match tokio::time::timeout(limit, connecting).await {
            Ok(connected) => connected.map_err(|error| Trouble::Broken(format!("{error:#}")))?,
            Err(_) => {
                let silent = format!("it did not answer within {} ms", limit.as_millis());
                return Err(Trouble::Broken(silent));
            }
        };
        connections.insert(peer.id, connection.clone());
        Ok(connection)
    }

    fn resting(&self) -> MutexGuard<'_, HashMap<EndpointId, (u32, Instant)>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests(&self, peer: EndpointId) -> Option<Duration> {
        let (_, until) = *self.resting().get(&peer)?;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    fn drop_peer(&self, lane: &Lane<'_>, trouble: &Trouble) {
        if lane.is_dropped.swap(true, Ordering::Relaxed) {
            return;
        }
        *lane.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble.to_string());
        if !matches!(trouble, Trouble::Absent(_)) {
            let mut resting = self.resting();
            let failures = resting.get(&lane.peer.id).map_or(0, |(failures, _)| *failures);
            let factor = 1u32.checked_shl(failures).unwrap_or(u32::MAX);
            let rest = self.limits.rest.saturating_mul(factor).min(LONGEST_REST);
            resting.insert(lane.peer.id, (failures.saturating_add(1), Instant::now() + rest));
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent(why) | Self::Broken(why) | Self::Wrong(why) => f.write_str(why),
        }
    }
}

fn unavailable(wanted: &Wanted, tried: String) -> BlobError {
    BlobError::Unavailable {
        kind: wanted.kind,
        key: hex::encode(wanted.key),
        tried,
    }
}

/// What an error of a request says about the peer.
fn trouble(error: GetError) -> Trouble {
    // Somebody who does not have the blob, or cannot read it, breaks off before the first byte and says no more than this.
    if matches!(error, GetError::AtBlobHeaderNext { .. }) && error.iroh_error_code() == Some(ERR_INTERNAL) {
        return Trouble::Absent("it does not have it, or cannot read it".to_owned());
    }
    match &error {
        GetError::AtBlobHeaderNext {
            source: AtBlobHeaderNextError::NotFound { .. },
            ..
        }
        | GetError::Decode {
            source: DecodeError::ChunkNotFound { .. },
            ..
        } => Trouble::Absent("it does not have it".to_owned()),
        GetError::Decode {
            source: DecodeError::ParentHashMismatch { .. } | DecodeError::LeafHashMismatch { .. },
            ..
        } => Trouble::Wrong("it sent bytes that are not of this blob".to_owned()),
        _ => Trouble::Broken(format!("{error:#}")),
    }
}

/// Cuts ranges of a blob of `size` bytes into pieces of at most `piece` bytes.
fn pieces(missing: &ChunkRanges, size: u64, piece: u64) -> Vec<ChunkRanges> {
    let piece = piece.max(GROUP).next_multiple_of(GROUP);
    let starts = (0..size.div_ceil(piece)).map(|number| number.saturating_mul(piece));
    starts
        .map(|start| missing.clone() & ChunkRanges::bytes(start..start.saturating_add(piece).min(size)))
        .collect()
}

/// Bytes on disk below `folder`.
fn used(folder: &Path) -> Result<u64, BlobError> {
    let failed = |error| BlobError::File {
        path: folder.to_owned(),
        reason: error,
    };
    let mut used = 0u64;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // What has gone meanwhile takes no room.
        let Ok(about) = entry.metadata() else { continue };
        used = used.saturating_add(match about.is_dir() {
            true => self::used(&entry.path())?,
            false => std::os::unix::fs::MetadataExt::blocks(&about).saturating_mul(512),
        });
    }
    Ok(used)
}
