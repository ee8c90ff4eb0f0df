//! Somebody who serves, somebody who fetches, and somebody who answers with whatever a test says.

use agora_blobs::{
    BlobKind, BlobStore, Blobs, Cache, Denied, Wanted,
    http::{PeerLimits, Peers, Reach, ServeLimits, Served, serve},
};
use agora_jobs::BlobRef;
use std::{net::SocketAddr, path::Path, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// More than any cache of these tests needs.
pub const QUOTA: u64 = 1 << 30;

/// `len` bytes that do not repeat, of which `seed` says which.
pub fn content(len: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

/// A seed that nobody has tried; printed, so that a failure can be tried again.
pub fn seed() -> u64 {
    let seed = rand::random();
    println!("seed {seed}");
    seed
}

/// The input with this content.
pub fn wanted(content: &[u8]) -> Wanted {
    Wanted::content(BlobKind::Input, &BlobRef::to(content))
}

/// Limits that fit a test: whoever is silent for 300 ms is given up.
pub fn limits() -> PeerLimits {
    PeerLimits {
        reach: Reach::Anywhere,
        named_reach: Reach::Anywhere,
        connect: Duration::from_secs(5),
        idle: Duration::from_millis(300),
        least_rate: 1 << 10,
        piece: 256 << 10,
        rest: Duration::from_millis(20),
        ..PeerLimits::default()
    }
}

pub fn url(address: SocketAddr) -> Url {
    Url::parse(&format!("http://{address}/")).expect("it is a URL")
}

/// Somebody who serves a store of their own.
pub struct Server {
    pub address: SocketAddr,
    pub store: BlobStore,
    pub folder: TempDir,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Server {
    pub async fn start() -> Self {
        Self::limited(ServeLimits::default()).await
    }

    pub async fn limited(limits: ServeLimits) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = BlobStore::open(&folder.path().join("blobs").display().to_string()).expect("it opens");
        let cache = Cache::open(&folder.path().join("cache"), QUOTA).expect("it opens");
        Self::with(store, cache, folder, limits).await
    }

    /// Somebody who serves this store and this cache, which are in `folder`.
    pub async fn serving(store: BlobStore, cache: Cache, folder: TempDir) -> Self {
        Self::with(store, cache, folder, ServeLimits::default()).await
    }

    /// The same, but for what is `denied`.
    pub async fn denying(store: BlobStore, cache: Cache, folder: TempDir, denied: Denied) -> Self {
        let served = Served::new(store.clone(), cache).expect("it is a folder");
        Self::of(store, served.without(denied), folder, ServeLimits::default()).await
    }

    async fn with(store: BlobStore, cache: Cache, folder: TempDir, limits: ServeLimits) -> Self {
        let served = Served::new(store.clone(), cache).expect("it is a folder");
        Self::of(store, served, folder, limits).await
    }

    async fn of(store: BlobStore, served: Served, folder: TempDir, limits: ServeLimits) -> Self {
        let shutdown = CancellationToken::new();
        let (ready, address) = tokio::sync::oneshot::channel();
        let until = shutdown.clone();
        let task = tokio::spawn(async move {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let tell = |address| ready.send(address).expect("somebody waits for it");
            serve(served, any, limits, until, tell).await.expect("it serves");
        });
        Self {
            address: address.await.expect("it is ready"),
            store,
            folder,
            shutdown,
            task,
        }
    }

    /// Serves `content` as an input, and says how it is asked for.
    pub async fn put(&self, content: &[u8]) -> Wanted {
        self.store.put(BlobKind::Input, content.to_vec()).await.expect("put");
        wanted(content)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Somebody who fetches into `folder`.
pub fn fetcher(folder: &Path, limits: PeerLimits, urls: Vec<Url>) -> Blobs {
    let store = BlobStore::open(&folder.join("blobs").display().to_string()).expect("it opens");
    let cache = Cache::open(&folder.join("cache"), QUOTA).expect("it opens");
    Blobs::new(store, cache, Peers::new(limits).expect("a client"), urls)
}

/// Somebody who answers every request with the bytes of `answer`, and then goes on as it says.
pub async fn liar(answer: impl Fn(String) -> Lie + Send + Sync + 'static) -> SocketAddr {
    liar_at("127.0.0.1", answer).await
}

pub async fn liar_at(host: &str, answer: impl Fn(String) -> Lie + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind((host, 0)).await.expect("a port");
    let address = listener.local_addr().expect("it has an address");
    let answer = std::sync::Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = std::sync::Arc::clone(&answer);
            tokio::spawn(async move {
                let head = head_of(&mut stream).await;
                let lie = answer(head);
                // The client may have gone; that is what tests are about.
                let _ = stream.write_all(&lie.bytes).await;
                while let Some((more, pause)) = &lie.endless {
                    if stream.write_all(more).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(*pause).await;
                }
            });
        }
    });
    address
}

/// What a liar answers.
pub struct Lie {
    pub bytes: Vec<u8>,
    /// Sent again and again, with this pause.
    pub endless: Option<(Vec<u8>, Duration)>,
}

impl Lie {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            endless: None,
        }
    }
}

async fn head_of(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// An answer, in parts.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// Sends one request, and reads until the server closes the connection.
pub async fn request(address: SocketAddr, method: &str, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("it connects");
    let text = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(text.as_bytes()).await.expect("it is sent");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.expect("it is answered");
    let end = all
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("it has a head");
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Answer {
        status: status.expect("it has a status"),
        head,
        body: all.split_off(end + 4),
    }
}
