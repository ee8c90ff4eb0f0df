//! A large blob is never in memory as a whole, neither where it is served nor where it is fetched.
//!
//! A program of its own, as the system counts the memory of a process.
#![cfg(target_os = "linux")]

use agora_blobs::{
    BlobKind, BlobSource, BlobStore, Blobs, Cache, Fetched, Wanted,
    http::{PeerLimits, Peers, Reach, ServeLimits, Served, serve},
};
use agora_jobs::{BlobRef, H256};
use std::{fs::File, io::Write, net::SocketAddr};
use tokio_util::sync::CancellationToken;
use url::Url;

const SIZE: u64 = 64 << 20;

/// A figure of this process, in bytes.
fn figure(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the system tells");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim_start_matches(':').trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("it is a figure") << 10
}

/// Writes a blob of `SIZE` bytes piece by piece.
fn write(path: &std::path::Path) -> H256 {
    let mut file = File::create(path).expect("created");
    let mut hasher = blake3::Hasher::new();
    for number in 0..SIZE >> 16 {
        let mut piece = vec![0; 1 << 16];
        blake3::Hasher::new()
            .update(&number.to_le_bytes())
            .finalize_xof()
            .fill(&mut piece);
        hasher.update(&piece);
        file.write_all(&piece).expect("written");
    }
    H256(*hasher.finalize().as_bytes())
}

#[tokio::test]
async fn memory_does_not_grow_with_the_blob() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |name: &str| BlobStore::open(&folder.path().join(name).display().to_string()).expect("it opens");
    let cache = |name: &str| Cache::open(&folder.path().join(name), 1 << 30).expect("it opens");
    let file = folder.path().join("file");
    let blob = BlobRef {
        hash: write(&file),
        size: SIZE,
    };
    let wanted = Wanted::content(BlobKind::Input, &blob);
    let before = figure("VmHWM");

    let store = open("theirs");
    store.copy(&wanted, file).await.expect("stored");
    let served = Served::new(store, cache("their cache")).expect("it is a folder");
    let (ready, address) = tokio::sync::oneshot::channel();
    let shutdown = CancellationToken::new();
    let until = shutdown.clone();
    let server = tokio::spawn(async move {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let tell = |address| ready.send(address).expect("somebody waits");
        serve(served, any, ServeLimits::default(), until, tell).await
    });
    let url = Url::parse(&format!("http://{}/", address.await.expect("ready"))).expect("it is a URL");
    let limits = PeerLimits {
        reach: Reach::Anywhere,
        named_reach: Reach::Anywhere,
        ..PeerLimits::default()
    };
    let peers = Peers::new(limits).expect("a client");
    let blobs = Blobs::new(open("mine"), cache("my cache"), peers, vec![url]);
    let Fetched::Private(path) = blobs.fetch(&wanted).await.expect("it is fetched") else {
        panic!("it is in the cache");
    };
    assert_eq!(std::fs::metadata(path).expect("it is there").len(), SIZE);
    let grown = figure("VmHWM").saturating_sub(before);
    assert!(grown < SIZE / 2, "the process has grown by {grown} bytes");

    // Whoever needs all of it in memory has it there once.
    let before = figure("VmRSS");
    let content = agora_blobs::read_shared(&blobs, &wanted).await.expect("it is read");
    assert_eq!(content.len() as u64, SIZE);
    let held = figure("VmHWM").saturating_sub(before);
    assert!(held < SIZE + SIZE / 2, "the process has grown by {held} bytes");
    println!(
        "64 MiB were stored, served and fetched with {} KiB more memory",
        grown >> 10
    );
    shutdown.cancel();
    server.await.expect("it ends").expect("it has served");
}
