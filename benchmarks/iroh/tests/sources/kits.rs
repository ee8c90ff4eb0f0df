//! Each way to pass blobs on, with the same handles.

use crate::support::{BadPeer, Fault, Patience, here, wanted};
use agora_bench_iroh::{
    IrohSource, Limits, Provider, ServeLimits,
    tunnel::{Entrance, Exit},
};
use agora_blobs::{
    BlobKind, BlobSource, BlobStore, Blobs, Cache, Wanted,
    http::{self, PeerLimits, Peers, Reach, Served},
};
use agora_test_support::proxy::Proxy;
use iroh::EndpointAddr;
use std::{net::SocketAddr, path::Path};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

/// A way to pass blobs on.
pub trait Kit {
    /// How somebody who serves is reached.
    type Peer: Clone;
    /// Somebody who serves.
    type Server;
    /// A bad network in front of somebody, or somebody bad.
    type Bad;
    /// Somebody who fetches.
    type Source: BlobSource + Clone + 'static;
    /// Bytes that come with a request beside the blob and its tree, at most: heads.
    const HEAD: u64;

    async fn server() -> Self::Server;
    /// Serves `content`, and says how it is asked for.
    async fn put(server: &Self::Server, content: &[u8]) -> Wanted;
    fn peer(server: &Self::Server) -> Self::Peer;
    /// The file that a blob is served from.
    fn file(server: &Self::Server, wanted: &Wanted) -> std::path::PathBuf;
    /// The numbers that `fault` gets count connections, or streams: what one request goes over.
    async fn bad(peer: Self::Peer, fault: impl Fn(u64) -> Fault + Send + Sync + 'static) -> Self::Bad;
    fn bad_peer(bad: &Self::Bad) -> Self::Peer;
    /// Connections, or streams, that it has had.
    fn asked(bad: &Self::Bad) -> u64;
    /// Bytes that have passed towards the client.
    fn passed(bad: &Self::Bad) -> u64;
    async fn source(folder: &Path, patience: Patience, peers: Vec<Self::Peer>) -> Self::Source;
    /// Ends it, so that its folder is another's.
    async fn close(source: Self::Source);
    /// Bytes on disk for blobs.
    fn used(source: &Self::Source) -> u64;
}

/// Our HTTP.
pub struct Http;

pub struct HttpServer {
    address: SocketAddr,
    store: BlobStore,
    folder: TempDir,
    _until: DropGuard,
}

pub fn url(address: SocketAddr) -> Url {
    Url::parse(&format!("http://{address}/")).expect("it is a URL")
}

impl Kit for Http {
    type Peer = SocketAddr;
    type Server = HttpServer;
    type Bad = Proxy;
    type Source = Blobs;
    const HEAD: u64 = 1000;

    async fn server() -> HttpServer {
        let folder = tempfile::tempdir().expect("a folder");
        let store = BlobStore::open(&folder.path().join("blobs").display().to_string()).expect("it opens");
        let cache = Cache::open(&folder.path().join("cache"), 1 << 30).expect("it opens");
        let served = Served::new(store.clone(), cache).expect("it is a folder");
        let (ready, address) = tokio::sync::oneshot::channel();
        let until = CancellationToken::new();
        let stop = until.clone();
        tokio::spawn(async move {
            let tell = |address| ready.send(address).expect("somebody waits");
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            http::serve(served, any, http::ServeLimits::default(), stop, tell).await
        });
        HttpServer {
            address: address.await.expect("it is ready"),
            store,
            folder,
            _until: until.drop_guard(),
        }
    }

    async fn put(server: &HttpServer, content: &[u8]) -> Wanted {
        server.store.put(BlobKind::Input, content.to_vec()).await.expect("put");
        wanted(content)
    }

    fn peer(server: &HttpServer) -> SocketAddr {
        server.address
    }

    fn file(server: &HttpServer, wanted: &Wanted) -> std::path::PathBuf {
        let name = hex::encode(wanted.key);
        server.folder.path().join("blobs/inputs").join(&name[..2]).join(name)
    }

    async fn bad(peer: SocketAddr, fault: impl Fn(u64) -> Fault + Send + Sync + 'static) -> Proxy {
        Proxy::start(peer, fault).await.expect("a proxy")
    }

    fn bad_peer(bad: &Proxy) -> SocketAddr {
        bad.address
    }

    fn asked(bad: &Proxy) -> u64 {
        bad.connections()
    }

    fn passed(bad: &Proxy) -> u64 {
        bad.passed()
    }

    async fn source(folder: &Path, patience: Patience, peers: Vec<SocketAddr>) -> Blobs {
        let limits = PeerLimits {
            reach: Reach::Anywhere,
            named_reach: Reach::Anywhere,
            idle: patience.idle,
            attempts: patience.attempts,
            in_flight: patience.in_flight,
            rest: patience.rest,
            least_rate: 1 << 10,
            piece: 256 << 10,
            ..PeerLimits::default()
        };
        let store = BlobStore::open(&folder.join("blobs").display().to_string()).expect("it opens");
        let cache = Cache::open(&folder.join("cache"), patience.quota).expect("it opens");
        let peers = peers.into_iter().map(url).collect();
        Blobs::new(store, cache, Peers::new(limits).expect("a client"), peers)
    }

    async fn close(source: Blobs) {
        drop(source);
    }

    fn used(source: &Blobs) -> u64 {
        source.cache().used().expect("it tells")
    }
}

/// `iroh-blobs`.
pub struct Iroh;

pub struct IrohServer {
    provider: Provider,
    folder: TempDir,
}

impl Kit for Iroh {
    type Peer = EndpointAddr;
    type Server = IrohServer;
    type Bad = BadPeer;
    type Source = IrohSource;
    const HEAD: u64 = 1000;

    async fn server() -> IrohServer {
        let folder = tempfile::tempdir().expect("a folder");
        let provider = Provider::start(&here(), &folder.path().join("store"), ServeLimits::default()).await;
        let provider = provider.expect("it serves");
        IrohServer { provider, folder }
    }

    async fn put(server: &IrohServer, content: &[u8]) -> Wanted {
        let wanted = wanted(content);
        let path = Self::file(server, &wanted);
        std::fs::write(&path, content).expect("written");
        server.provider.add(&path).await.expect("added");
        wanted
    }

    fn peer(server: &IrohServer) -> EndpointAddr {
        server.provider.address.clone()
    }

    fn file(server: &IrohServer, wanted: &Wanted) -> std::path::PathBuf {
        server.folder.path().join(hex::encode(wanted.key))
    }

    async fn bad(peer: EndpointAddr, fault: impl Fn(u64) -> Fault + Send + Sync + 'static) -> BadPeer {
        BadPeer::start(peer, fault).await
    }

    fn bad_peer(bad: &BadPeer) -> EndpointAddr {
        bad.address.clone()
    }

    fn asked(bad: &BadPeer) -> u64 {
        bad.passed.streams()
    }

    fn passed(bad: &BadPeer) -> u64 {
        bad.passed.bytes()
    }

    async fn source(folder: &Path, patience: Patience, peers: Vec<EndpointAddr>) -> IrohSource {
        let limits = Limits {
            idle: patience.idle,
            attempts: patience.attempts,
            in_flight: patience.in_flight,
            rest: patience.rest,
            quota: patience.quota,
            least_rate: 1 << 10,
            piece: 256 << 10,
            ..Limits::default()
        };
        let source = IrohSource::open(&here(), &folder.join("iroh"), limits, peers).await;
        source.expect("it opens")
    }

    async fn close(source: IrohSource) {
        source.close().await.expect("closed");
    }

    fn used(source: &IrohSource) -> u64 {
        source.used().expect("it tells")
    }
}

/// Our HTTP over iroh.
pub struct Tunnel;

pub struct TunnelServer {
    http: HttpServer,
    exit: std::sync::Arc<Exit>,
}

/// What leads to a server, or to a bad network in front of it.
pub struct TunnelBad {
    proxy: Proxy,
    exit: std::sync::Arc<Exit>,
}

/// A source, and what leads it to its peers.
#[derive(Clone, Debug)]
pub struct Tunnelled {
    blobs: Blobs,
    _entrances: std::sync::Arc<Vec<Entrance>>,
}

impl BlobSource for Tunnelled {
    fn fetch<'a>(
        &'a self,
        wanted: &'a Wanted,
    ) -> futures::future::BoxFuture<'a, Result<agora_blobs::Fetched, agora_blobs::BlobError>> {
        self.blobs.fetch(wanted)
    }

    fn heal<'a>(&'a self, wanted: &'a Wanted) -> futures::future::BoxFuture<'a, Result<bool, agora_blobs::BlobError>> {
        self.blobs.heal(wanted)
    }
}

async fn exit(to: SocketAddr) -> std::sync::Arc<Exit> {
    std::sync::Arc::new(Exit::open(&here(), to).await.expect("it opens"))
}

impl Kit for Tunnel {
    type Peer = std::sync::Arc<Exit>;
    type Server = TunnelServer;
    type Bad = TunnelBad;
    type Source = Tunnelled;
    const HEAD: u64 = 1000;

    async fn server() -> TunnelServer {
        let http = Http::server().await;
        let exit = exit(http.address).await;
        TunnelServer { http, exit }
    }

    async fn put(server: &TunnelServer, content: &[u8]) -> Wanted {
        Http::put(&server.http, content).await
    }

    fn peer(server: &TunnelServer) -> Self::Peer {
        server.exit.clone()
    }

    fn file(server: &TunnelServer, wanted: &Wanted) -> std::path::PathBuf {
        Http::file(&server.http, wanted)
    }

    async fn bad(peer: Self::Peer, fault: impl Fn(u64) -> Fault + Send + Sync + 'static) -> TunnelBad {
        let proxy = Http::bad(peer.server, fault).await;
        let exit = exit(proxy.address).await;
        TunnelBad { proxy, exit }
    }

    fn bad_peer(bad: &TunnelBad) -> Self::Peer {
        bad.exit.clone()
    }

    fn asked(bad: &TunnelBad) -> u64 {
        bad.proxy.connections()
    }

    fn passed(bad: &TunnelBad) -> u64 {
        bad.proxy.passed()
    }

    async fn source(folder: &Path, patience: Patience, peers: Vec<Self::Peer>) -> Tunnelled {
        let (mut entrances, mut addresses) = (Vec::new(), Vec::new());
        for peer in peers {
            let entrance = Entrance::open(&here(), peer.address.clone()).await.expect("it opens");
            addresses.push(entrance.address);
            entrances.push(entrance);
        }
        Tunnelled {
            blobs: Http::source(folder, patience, addresses).await,
            _entrances: std::sync::Arc::new(entrances),
        }
    }

    async fn close(source: Tunnelled) {
        drop(source);
    }

    fn used(source: &Tunnelled) -> u64 {
        Http::used(&source.blobs)
    }
}
