//! The server: what anybody gets, and what nobody gets.

use crate::support::{self, Answer, Server, content, request, url, wanted};
use agora_blobs::{
    BlobError, BlobKind, BlobStore, Blobs, Cache, Denied, Wanted,
    http::{Peers, ServeLimits},
    read,
};
use agora_jobs::H256;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn get(server: &Server, path: &str, headers: &str) -> Answer {
    request(server.address, "GET", path, headers).await
}

#[tokio::test]
async fn a_blob_is_served_as_a_file_that_any_client_can_resume() {
    let server = Server::start().await;
    let bytes = content(100_000, 1);
    let name = hex::encode(server.put(&bytes).await.key);
    let path = format!("/blobs/{name}");

    let whole = get(&server, &path, "").await;
    assert_eq!((whole.status, &whole.body), (200, &bytes));
    for (header, value) in [
        ("content-length", "100000"),
        ("accept-ranges", "bytes"),
        ("agora-blob-size", "100000"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "public, max-age=31536000, immutable"),
    ] {
        assert_eq!(whole.header(header), Some(value), "{header}");
    }
    let tag = whole.header("etag").expect("it has a tag").to_owned();
    assert_eq!(tag, format!("\"{name}\""));

    let rest = get(&server, &path, "Range: bytes=70000-\r\n").await;
    assert_eq!((rest.status, &rest.body[..]), (206, &bytes[70_000..]));
    assert_eq!(rest.header("content-range"), Some("bytes 70000-99999/100000"));
    let last = get(&server, &path, &format!("Range: bytes=-1\r\nIf-Range: {tag}\r\n")).await;
    assert_eq!((last.status, &last.body[..]), (206, &bytes[99_999..]));
    let other = get(&server, &path, "Range: bytes=-1\r\nIf-Range: \"another\"\r\n").await;
    assert_eq!((other.status, other.body.len()), (200, 100_000));
    let several = get(&server, &path, "Range: bytes=0-1,5-6\r\n").await;
    assert_eq!((several.status, several.body.len()), (200, 100_000));
    let beyond = get(&server, &path, "Range: bytes=100000-\r\n").await;
    assert_eq!((beyond.status, beyond.body.len()), (416, 0));
    assert_eq!(beyond.header("content-range"), Some("bytes */100000"));
    let known = get(&server, &path, &format!("If-None-Match: {tag}\r\n")).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    let head = request(server.address, "HEAD", &path, "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("100000"));
}

#[tokio::test]
async fn a_proof_is_as_long_as_its_head_says_whatever_the_range() {
    let server = Server::start().await;
    for len in [1, 16_384, 16_385, 65_536, 100_000] {
        let name = hex::encode(server.put(&content(len, 2)).await.key);
        for (first, last) in [(0, 0), (0, len - 1), (len / 2, len / 2), (len - 1, len - 1)] {
            let path = format!("/blobs/{name}?proof={first}-{last}");
            let proof = get(&server, &path, "").await;
            assert_eq!(proof.status, 200, "{path}");
            assert_eq!(
                proof.header("content-length"),
                Some(proof.body.len().to_string().as_str()),
                "{path}"
            );
            assert_eq!(proof.header("content-type"), Some("application/vnd.agora.bao"));
            let groups = (last / 16_384 - first / 16_384 + 1) * 16_384;
            assert!(proof.body.len() <= groups + 64 * (len / 16_384 + 1), "{path}");
        }
        let beyond = get(&server, &format!("/blobs/{name}?proof=0-{len}"), "").await;
        assert_eq!(beyond.status, 416);
    }
}

#[tokio::test]
async fn there_is_no_listing_and_no_way_out_of_the_store() {
    let server = Server::start().await;
    let name = hex::encode(server.put(b"something").await.key);
    std::fs::write(server.folder.path().join("secret"), "secret").expect("written");
    for path in [
        "/",
        "/blobs",
        "/blobs/",
        "/states/",
        "/blobs/../secret",
        "/blobs/..%2f..%2fsecret",
        "/blobs/%2e%2e%2fsecret",
        "/inputs/",
        &format!("/blobs/{}", name.to_uppercase()),
        &format!("/blobs/{}", &name[..63]),
        &format!("/states/{name}"),
        &format!("/blobs/{}", "0".repeat(64)),
    ] {
        let answer = get(&server, path, "").await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.head.contains("agora-blob-size"), "{path}");
    }
    for (path, status) in [
        ("?other=1", 400),
        ("?proof=", 416),
        ("?proof=1-0", 416),
        ("?proof=-1-2", 416),
    ] {
        assert_eq!(
            get(&server, &format!("/blobs/{name}{path}"), "").await.status,
            status,
            "{path}"
        );
    }
    assert_eq!(
        request(server.address, "DELETE", &format!("/blobs/{name}"), "")
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn a_result_is_served_from_the_moment_that_it_is_put_into_the_store() {
    let server = Server::start().await;
    let result = content(1000, 3);
    let path = format!("/blobs/{}", hex::encode(wanted(&result).key));
    // Where a worker keeps what it has not revealed yet.
    let own = server.folder.path().join("5GrwvaEF.tasks/7");
    let own = BlobStore::open(&own.display().to_string()).expect("it opens");
    own.put(BlobKind::Output, result.clone()).await.expect("put");
    assert_eq!(get(&server, &path, "").await.status, 404);
    assert_eq!(get(&server, &format!("{path}?proof=0-0"), "").await.status, 404);
    server.store.put(BlobKind::Output, result.clone()).await.expect("put");
    assert_eq!(get(&server, &path, "").await.body, result);
}

#[tokio::test]
async fn a_damaged_file_is_never_proven() {
    let server = Server::start().await;
    let mut bytes = content(50_000, 4);
    let key = server.put(&bytes).await.key;
    let name = hex::encode(key);
    bytes[49_000] ^= 1;
    let file = server.folder.path().join("blobs/inputs").join(&name[..2]).join(&name);
    std::fs::write(file, &bytes).expect("written");
    let answer = get(&server, &format!("/blobs/{name}?proof=0-0"), "").await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn a_file_that_is_damaged_after_its_tree_was_kept_is_never_proven() {
    let server = Server::start().await;
    let bytes = content(50_000, 14);
    let name = hex::encode(server.put(&bytes).await.key);
    let path = format!("/blobs/{name}?proof=0-49999");
    let right = get(&server, &path, "").await;
    assert_eq!((right.status, right.body.len()), (200, 50_000 + 3 * 64));
    let file = server.folder.path().join("blobs/inputs").join(&name[..2]).join(&name);
    let mut damaged = bytes.clone();
    damaged[49_000] ^= 1;
    std::fs::write(&file, &damaged).expect("written");
    assert_eq!(get(&server, &path, "").await.status, 500, "nothing of it is sent");
    for _ in 0..2 {
        assert_eq!(get(&server, &path, "").await.status, 404, "now it is known");
    }
    std::fs::write(&file, &bytes).expect("written");
    // Another time than before, however coarse the clock of the disk is.
    let later = std::time::SystemTime::now() + Duration::from_secs(10);
    std::fs::File::open(&file)
        .and_then(|file| file.set_modified(later))
        .expect("set");
    assert_eq!(get(&server, &path, "").await.body, right.body, "it was healed");
}

#[tokio::test]
async fn what_is_sent_before_the_damage_is_right_and_the_answer_ends_there() {
    let server = Server::start().await;
    let bytes = content(1_000_000, 16);
    let name = hex::encode(server.put(&bytes).await.key);
    let path = format!("/blobs/{name}?proof=0-999999");
    let right = get(&server, &path, "").await.body;
    let file = server.folder.path().join("blobs/inputs").join(&name[..2]).join(&name);
    let mut damaged = bytes;
    damaged[900_000] ^= 1;
    std::fs::write(&file, &damaged).expect("written");
    let cut = get(&server, &path, "").await;
    assert_eq!(cut.status, 200);
    assert!(cut.body.len() < 900_000 + 100 * 64, "{} bytes", cut.body.len());
    assert!(right.starts_with(&cut.body));
}

#[tokio::test]
async fn a_damaged_tree_is_computed_again() {
    let server = Server::start().await;
    let name = hex::encode(server.put(&content(50_000, 15)).await.key);
    let path = format!("/blobs/{name}?proof=0-49999");
    let right = get(&server, &path, "").await.body;
    let tree = server.folder.path().join("cache/trees").join(&name[..2]).join(&name);
    let mut damaged = std::fs::read(&tree).expect("it is kept");
    damaged[70] ^= 1;
    std::fs::write(&tree, damaged).expect("written");
    assert_eq!(get(&server, &path, "").await.status, 500, "nothing of it is sent");
    assert_eq!(get(&server, &path, "").await.body, right);
}

#[tokio::test]
async fn one_address_cannot_have_all_connections() {
    let limits = ServeLimits {
        connections_per_address: 2,
        ..ServeLimits::default()
    };
    let server = Server::limited(limits).await;
    let path = format!("/blobs/{}", hex::encode(server.put(b"something").await.key));
    let idle = [
        TcpStream::connect(server.address).await.expect("it connects"),
        TcpStream::connect(server.address).await.expect("it connects"),
    ];
    let refused = get(&server, &path, "").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    drop(idle);
    timeout(PATIENCE, async {
        while get(&server, &path, "").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("there is room again");
}

#[tokio::test]
async fn idle_connections_do_not_close_the_server_to_others() {
    let limits = ServeLimits {
        connections: 2,
        idle: Duration::from_millis(50),
        ..ServeLimits::default()
    };
    let server = Server::limited(limits).await;
    let path = format!("/blobs/{}", hex::encode(server.put(b"something").await.key));
    let mut idle = Vec::new();
    for _ in 0..2 {
        idle.push(TcpStream::connect(server.address).await.expect("it connects"));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(get(&server, &path, "").await.status, 200);
    let closed = timeout(PATIENCE, idle[0].read(&mut [0])).await;
    assert!(
        !matches!(closed.expect("it ends"), Ok(1..)),
        "the one that was idle for longest is closed"
    );
    let open = timeout(Duration::from_millis(50), idle[1].read(&mut [0])).await;
    assert!(open.is_err(), "the other stays");
}

#[tokio::test]
async fn a_connection_ends_after_so_many_requests_or_so_long() {
    for (limits, most) in [
        (
            ServeLimits {
                requests: 3,
                ..ServeLimits::default()
            },
            3,
        ),
        (
            ServeLimits {
                age: Duration::from_millis(300),
                ..ServeLimits::default()
            },
            300,
        ),
    ] {
        let server = Server::limited(limits).await;
        let path = format!("/blobs/{}", hex::encode(server.put(b"something").await.key));
        let mut stream = TcpStream::connect(server.address).await.expect("it connects");
        let request = format!("HEAD {path} HTTP/1.1\r\nHost: test\r\n\r\n");
        let answered = timeout(PATIENCE, async {
            let mut answered = 0;
            while stream.write_all(request.as_bytes()).await.is_ok() {
                let mut answer = [0; 4096];
                match stream.read(&mut answer).await {
                    Ok(1..) => answered += 1,
                    _ => break,
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            answered
        });
        let answered = answered.await.expect("it ends");
        assert!((1..=most).contains(&answered), "{answered} of {most}");
    }
}

#[tokio::test]
async fn a_request_that_never_ends_is_closed() {
    let limits = ServeLimits {
        header: Duration::from_millis(200),
        ..ServeLimits::default()
    };
    let server = Server::limited(limits).await;
    let mut stream = TcpStream::connect(server.address).await.expect("it connects");
    let mut sent = 0;
    let closed = timeout(PATIENCE, async {
        while stream.write_all(b"G").await.is_ok() {
            sent += 1;
            let mut answer = [0; 64];
            if let Ok(read) = timeout(Duration::from_millis(20), stream.read(&mut answer)).await {
                // An answer, or the end: either way it is over.
                return read;
            }
        }
        Ok(0)
    });
    let _ = closed.await.expect("it is closed");
    assert!(sent < 100, "{sent} letters were waited for");
}

#[tokio::test]
async fn whoever_does_not_read_is_closed() {
    let limits = ServeLimits {
        window: Duration::from_millis(200),
        ..ServeLimits::default()
    };
    let server = Server::limited(limits).await;
    // More than the system's buffers between the two take.
    let name = hex::encode(server.put(&content(48 << 20, 5)).await.key);
    let mut stream = TcpStream::connect(server.address).await.expect("it connects");
    let request = format!("GET /blobs/{name} HTTP/1.1\r\nHost: test\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    tokio::time::sleep(Duration::from_millis(800)).await;
    let mut all = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it ends");
    assert!(all.len() < 48 << 20, "{} bytes were sent", all.len());
}

#[tokio::test]
async fn an_answer_under_way_is_finished_when_the_server_stops() {
    let server = Server::start().await;
    let bytes = content(24 << 20, 6);
    let name = hex::encode(server.put(&bytes).await.key);
    let mut stream = TcpStream::connect(server.address).await.expect("it connects");
    let request = format!("GET /blobs/{name} HTTP/1.1\r\nHost: test\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut begun = [0; 1000];
    stream.read_exact(&mut begun).await.expect("it begins");
    server.shutdown.cancel();
    let mut all = begun.to_vec();
    timeout(PATIENCE, stream.read_to_end(&mut all))
        .await
        .expect("it ends")
        .expect("it is read");
    assert!(all.ends_with(&bytes), "all of it came");
    timeout(PATIENCE, async {
        while !server.task.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("it stops");
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "{} is closed",
        url(server.address)
    );
}

#[tokio::test]
async fn what_is_denied_is_neither_served_nor_fetched() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = BlobStore::open(&folder.path().join("blobs").display().to_string()).expect("it opens");
    let cache = Cache::open(&folder.path().join("cache"), support::QUOTA).expect("it opens");
    let (denied, other, states) = (content(50_000, 1), content(50_000, 2), vec![3; 64]);
    let states_root = BlobKind::States.key_of(&states);
    let keys: Denied = [wanted(&denied).key, states_root].into_iter().collect();
    for (kind, bytes) in [
        (BlobKind::Input, &denied),
        (BlobKind::Input, &other),
        (BlobKind::States, &states),
    ] {
        store.put(kind, bytes.clone()).await.expect("put");
    }
    let server = Server::denying(store.clone(), cache.clone(), folder, keys.clone()).await;
    let status = async |path: String| get(&server, &path, "").await.status;
    let name = hex::encode(wanted(&denied).key);
    assert_eq!(status(format!("/blobs/{name}")).await, 404);
    assert_eq!(status(format!("/blobs/{name}?proof=0-9")).await, 404);
    assert_eq!(status(format!("/states/{}", hex::encode(states_root))).await, 404);
    assert_eq!(status(format!("/blobs/{}", hex::encode(wanted(&other).key))).await, 200);

    // Whoever denies it has it not from its own store, and asks nobody.
    let peers = Peers::new(support::limits()).expect("a client");
    let blobs = Blobs::new(store, cache, peers, vec![url(server.address)]);
    assert!(read(&blobs, &wanted(&denied)).await.is_ok());
    let blobs = blobs.without(keys).with_peers([url(server.address)]);
    for refused in [wanted(&denied), Wanted::states(&H256(states_root))] {
        let error = read(&blobs, &refused).await.expect_err("it is denied");
        assert!(
            matches!(error, BlobError::Denied { .. }) && !error.is_recoverable(),
            "{error}"
        );
    }
    assert!(read(&blobs, &wanted(&other)).await.is_ok());
}
