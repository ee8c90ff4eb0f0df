//! Peers that lie, and addresses that lead where nobody should go.

use crate::support::{Lie, Server, content, fetcher, liar, liar_at, limits, request, url, wanted};
use agora_blobs::{
    BlobError,
    http::{PeerLimits, Reach},
    read,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use url::Url;

/// How a fetch of 100,000 bytes from `url` fails.
async fn failure(limits: PeerLimits, url: Url) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), limits, vec![url]);
    let error = read(&blobs, &wanted(&content(100_000, 1)))
        .await
        .expect_err("it is a lie");
    assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
    error.to_string()
}

fn head(length: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.agora.bao\r\n{length}\r\n")
}

#[tokio::test]
async fn an_answer_of_another_length_is_refused_by_its_head() {
    for length in ["Content-Length: 5\r\n", "Content-Length: 99999999999\r\n"] {
        let peer = liar(move |_| Lie::new(head(length))).await;
        let why = failure(limits(), url(peer)).await;
        assert!(why.contains("announces"), "{why}");
    }
}

#[tokio::test]
async fn endless_bytes_are_not_read() {
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    let peer = liar(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Lie {
            bytes: head("Connection: close\r\n").into_bytes(),
            endless: Some((vec![7; 1 << 20], Duration::ZERO)),
        }
    })
    .await;
    let why = failure(limits(), url(peer)).await;
    assert!(why.contains("not of this blob"), "{why}");
    assert!(sent.load(Ordering::Relaxed) <= 2, "it is asked no more");
}

#[tokio::test]
async fn a_right_proof_of_another_blob_is_refused() {
    let server = Server::start().await;
    let other = server.put(&content(100_000, 2)).await;
    let path = format!("/blobs/{}?proof=0-99999", hex::encode(other.key));
    let proof = request(server.address, "GET", &path, "").await.body;
    let peer = liar(move |_| {
        let length = format!("Content-Length: {}\r\n", proof.len());
        Lie::new([head(&length).as_bytes(), &proof].concat())
    })
    .await;
    let why = failure(limits(), url(peer)).await;
    assert!(why.contains("not of this blob"), "{why}");
}

#[tokio::test]
async fn whoever_drips_is_given_up() {
    let peer = liar(|_| Lie {
        bytes: head("Connection: close\r\n").into_bytes(),
        endless: Some((vec![7], Duration::from_millis(20))),
    })
    .await;
    let began = Instant::now();
    let why = failure(
        PeerLimits {
            attempts: 1,
            ..limits()
        },
        url(peer),
    )
    .await;
    assert!(why.contains("bytes arrived in"), "{why}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn whoever_does_not_answer_is_given_up() {
    let peer = liar(|_| Lie {
        bytes: Vec::new(),
        endless: Some((Vec::new(), Duration::from_millis(50))),
    })
    .await;
    let patience = PeerLimits {
        attempts: 1,
        connect: Duration::from_millis(200),
        ..limits()
    };
    let why = failure(patience, url(peer)).await;
    assert!(why.contains("did not answer"), "{why}");
}

#[tokio::test]
async fn an_answer_that_is_no_proof_is_no_answer() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi".to_owned(),
        "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        head("Content-Length: 100384\r\n"),
        String::new(),
    ] {
        let peer = liar(move |_| Lie::new(answer.clone())).await;
        failure(
            PeerLimits {
                attempts: 1,
                ..limits()
            },
            url(peer),
        )
        .await;
    }
}

fn redirect(to: &str) -> Lie {
    Lie::new(format!(
        "HTTP/1.1 307 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ))
}

#[tokio::test]
async fn redirects_do_not_lead_into_the_own_network() {
    let visited = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&visited);
    let inside = liar(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Lie::new("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    })
    .await;
    // The peer itself is where an operator allows it; where it leads is not.
    let outside: IpAddr = [127, 0, 0, 2].into();
    let reach = PeerLimits {
        reach: Reach::PublicAnd(outside),
        named_reach: Reach::PublicAnd(outside),
        attempts: 1,
        ..limits()
    };
    for to in [
        format!("http://{inside}/"),
        format!("http://localhost:{}/", inside.port()),
        format!("http://[::ffff:127.0.0.1]:{}/", inside.port()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://example.org/".to_owned(),
        format!("http://user:pass@{inside}/"),
    ] {
        let to_too = to.clone();
        let peer = liar_at("127.0.0.2", move |_| redirect(&to_too)).await;
        let why = failure(reach, url(peer)).await;
        assert!(
            // Schemes other than HTTP's are not followed at all.
            ["private network", "only http", "user name", "it answers 307"]
                .iter()
                .any(|part| why.contains(part)),
            "{to}: {why}"
        );
    }
    assert_eq!(visited.load(Ordering::Relaxed), 0, "nobody came");
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let peer = liar(move |head| {
        count.fetch_add(1, Ordering::Relaxed);
        let host = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("host: ").map(str::to_owned));
        redirect(&format!("http://{}/again", host.expect("it names the host")))
    })
    .await;
    let why = failure(
        PeerLimits {
            attempts: 1,
            ..limits()
        },
        url(peer),
    )
    .await;
    assert!(why.contains("redirect"), "{why}");
    assert!(asked.load(Ordering::Relaxed) <= 10);
}

#[tokio::test]
async fn names_and_addresses_of_this_machine_are_refused() {
    let visited = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&visited);
    let SocketAddr::V4(inside) = liar(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Lie::new("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    })
    .await
    else {
        panic!("it has an IPv4 address");
    };
    let public = PeerLimits {
        reach: Reach::Public,
        named_reach: Reach::Public,
        attempts: 1,
        ..limits()
    };
    for host in ["127.0.0.1", "localhost", "0x7f000001", "[::ffff:127.0.0.1]"] {
        let peer = Url::parse(&format!("http://{host}:{}/", inside.port())).expect("it is a URL");
        let why = failure(public, peer).await;
        assert!(why.contains("--allow-private-peers"), "{why}");
    }
    assert_eq!(visited.load(Ordering::Relaxed), 0, "nobody came");
}

#[tokio::test]
async fn only_who_is_named_here_may_be_in_the_own_network_and_it_leads_nowhere_else() {
    let visited = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&visited);
    let inside = liar(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Lie::new("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    })
    .await;
    let server = Server::start().await;
    let bytes = content(100_000, 3);
    let wanted = server.put(&bytes).await;
    let named = PeerLimits {
        reach: Reach::Public,
        named_reach: Reach::Anywhere,
        attempts: 1,
        ..limits()
    };
    // What strangers publish does not become more trusted by naming the same machine.
    let folder = tempfile::tempdir().expect("a folder");
    let path = url(server.address).join("admin/").expect("it is a URL");
    let strangers = [url(inside), path].into_iter();
    let nobody = fetcher(folder.path(), named, Vec::new()).with_peers(strangers);
    let why = read(&nobody, &wanted)
        .await
        .expect_err("nobody may be asked")
        .to_string();
    assert_eq!(why.matches("private network").count(), 2, "{why}");
    assert_eq!(visited.load(Ordering::Relaxed), 0, "nobody came");
    let blobs = fetcher(folder.path(), named, vec![url(server.address)]).with_peers([url(inside)]);
    assert_eq!(read(&blobs, &wanted).await.expect("it is named"), bytes);
    // One that is named, and was taken over, opens no way to others.
    for to in [url(inside).to_string(), format!("http://localhost:{}/", inside.port())] {
        let peer = liar(move |_| redirect(&to)).await;
        let why = failure(named, url(peer)).await;
        assert!(why.contains("another server"), "{why}");
    }
    assert_eq!(visited.load(Ordering::Relaxed), 0, "nobody came");
}
