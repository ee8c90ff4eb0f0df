//! What strangers cannot have of somebody who serves, and tunnels that end.

use crate::support::{content, here, wanted};
use agora_bench_iroh::{
    IrohSource, Limits, Provider, ServeLimits,
    tunnel::{Entrance, Exit, STREAMS},
};
use agora_blobs::{BlobError, read};
use iroh_blobs::{Hash, get::request::get_hash_seq_and_sizes};
use std::time::{Duration, Instant};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

/// How many connect to `server`, until nobody has for a second.
async fn connected(server: &TcpListener) -> Vec<TcpStream> {
    let mut connected = Vec::new();
    while let Ok(another) = tokio::time::timeout(Duration::from_secs(1), server.accept()).await {
        connected.push(another.expect("it connects").0);
    }
    connected
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_waits_for_more_streams_of_a_tunnel_than_it_may_have() {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let exit = Exit::open(&here(), server.local_addr().expect("an address")).await;
    let exit = exit.expect("it opens");
    let entrance = Entrance::open(&here(), exit.address.clone()).await.expect("it opens");
    let mut clients = Vec::new();
    for _ in 0..STREAMS + 8 {
        let mut client = TcpStream::connect(entrance.address).await.expect("it connects");
        client.write_all(b"?").await.expect("written");
        clients.push(client);
    }
    let served = connected(&server).await;
    assert_eq!(served.len(), STREAMS);
    drop(served);
    assert_eq!(connected(&server).await.len(), 8);
    drop(clients);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_whose_connection_has_ended_makes_another() {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let exit = Exit::open(&here(), server.local_addr().expect("an address")).await;
    let exit = exit.expect("it opens");
    let entrance = Entrance::open(&here(), exit.address.clone()).await.expect("it opens");
    let first = entrance.connection().await.expect("it connects");
    first.close(0u8.into(), b"gone");
    let mut client = TcpStream::connect(entrance.address).await.expect("it connects");
    client.write_all(b"?").await.expect("written");
    assert_eq!(connected(&server).await.len(), 1);
    let second = entrance.connection().await.expect("it is there");
    assert_ne!(first.stable_id(), second.stable_id());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_connect_to_a_provider_than_may_and_whoever_leaves_makes_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let limits = ServeLimits { connections: 1 };
    let provider = Provider::start(&here(), &folder.path().join("store"), limits).await;
    let provider = provider.expect("it serves");
    let bytes = content(100_000, 40);
    let path = folder.path().join("file");
    std::fs::write(&path, &bytes).expect("written");
    provider.add(&path).await.expect("added");
    let limits = Limits {
        attempts: 1,
        rest: Duration::from_millis(20),
        ..Limits::default()
    };
    let open = async |name: &str| {
        let peers = vec![provider.address.clone()];
        let source = IrohSource::open(&here(), &folder.path().join(name), limits, peers).await;
        source.expect("it opens")
    };
    let (one, other) = (open("one").await, open("other").await);
    assert_eq!(read(&one, &wanted(&bytes)).await.expect("it is fetched"), bytes);
    let error = read(&other, &wanted(&bytes)).await.expect_err("there is no room");
    assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
    one.close().await.expect("closed");
    let began = Instant::now();
    while read(&other, &wanted(&bytes)).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "there is room");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_blobs_is_not_served_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let provider = Provider::start(&here(), &folder.path().join("store"), ServeLimits::default()).await;
    let provider = provider.expect("it serves");
    let bytes = content(40_000, 41);
    let list = Hash::new(&bytes).as_bytes().to_vec();
    for content in [&bytes, &list] {
        let path = folder.path().join(Hash::new(content).to_hex());
        std::fs::write(&path, content).expect("written");
        provider.add(&path).await.expect("added");
    }
    let peers = vec![provider.address.clone()];
    let source = IrohSource::open(&here(), &folder.path().join("one"), Limits::default(), peers).await;
    let source = source.expect("it opens");
    let connection = source.connect(&provider.address).await.expect("it connects");
    let listed = get_hash_seq_and_sizes(&connection, &Hash::new(&list), 1 << 20, None).await;
    println!(
        "{}",
        listed.expect_err("what is in a list is asked for by its own name")
    );
    assert_eq!(read(&source, &wanted(&list)).await.expect("as a blob it is"), list);
}
