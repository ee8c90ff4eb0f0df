//! Fetching through a bad network.

use crate::support::{Lie, Server, content, fetcher, liar, limits, seed, url, wanted};
use agora_blobs::{BlobError, BlobKind, BlobSource, BlobStore, Fetched, Origin, Wanted, copy, http::PeerLimits, read};
use agora_jobs::{BlobRef, H256, states_root};
use agora_test_support::proxy::{Fault, Proxy};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

#[tokio::test]
async fn a_blob_comes_from_several_peers_and_is_kept() {
    let (one, other) = (Server::start().await, Server::start().await);
    let bytes = content(3_000_001, 1);
    let wanted = one.put(&bytes).await;
    other.put(&bytes).await;
    let proxies = [one.address, other.address].map(|address| Proxy::start(address, |_| Fault::None));
    let [first, second] = proxies;
    let (first, second) = (first.await.expect("a proxy"), second.await.expect("a proxy"));
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), limits(), vec![url(first.address), url(second.address)]);
    assert_eq!(read(&blobs, &wanted).await.expect("it is fetched"), bytes);
    assert!(first.passed() > 0 && second.passed() > 0, "both have given a part");
    let passed = first.passed() + second.passed();
    assert!(passed < 3_200_000, "nothing came twice: {passed} bytes");

    assert_eq!(read(&blobs, &wanted).await.expect("it is here"), bytes);
    assert_eq!(first.passed() + second.passed(), passed, "nothing was asked for again");
    // Whoever has fetched it can pass it on at once, as its tree came with it.
    let Ok(Fetched::Private(path)) = blobs.fetch(&wanted).await else {
        panic!("it is in the cache")
    };
    let name = hex::encode(wanted.key);
    let tree = folder.path().join("cache/trees").join(&name[..2]).join(&name);
    assert_eq!(
        std::fs::metadata(tree).expect("it has one").len(),
        (3_000_001u64.div_ceil(16_384) - 1) * 64
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for path in [path.as_path(), path.parent().expect("it is in a folder")] {
            let mode = std::fs::metadata(path).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{path:?} is its owner's alone");
        }
    }
}

#[tokio::test]
async fn it_is_said_who_gave_a_blob_and_not_who_was_only_asked() {
    let (without, with) = (Server::start().await, Server::start().await);
    let bytes = content(300_000, 3);
    let wanted = with.put(&bytes).await;
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), limits(), vec![url(without.address), url(with.address)]);
    let origin = async |wanted: &Wanted| blobs.fetch_with_origin(wanted).await.expect("it is there").1;
    assert_eq!(origin(&wanted).await, Origin::Peers(vec![url(with.address)]));
    assert_eq!(origin(&wanted).await, Origin::Cache);
    let own = content(2_000, 4);
    blobs.store().put(BlobKind::Input, own.clone()).await.expect("put");
    let own = Wanted::content(BlobKind::Input, &BlobRef::to(&own));
    assert_eq!(origin(&own).await, Origin::Store);
}

#[tokio::test]
async fn blobs_of_every_length_arrive() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), limits(), vec![url(server.address)]);
    for len in [
        1, 1023, 1024, 1025, 16_383, 16_384, 16_385, 262_143, 262_144, 262_145, 540_672,
    ] {
        let bytes = content(len, len as u64);
        let wanted = server.put(&bytes).await;
        assert_eq!(read(&blobs, &wanted).await.expect("it is fetched"), bytes, "{len}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_again_and_again_loses_little() {
    let seed = seed();
    let server = Server::start().await;
    let bytes = content(2_000_000, seed);
    let wanted = server.put(&bytes).await;
    let mut random = StdRng::seed_from_u64(seed);
    let cuts: Vec<u64> = (0..10_000).map(|_| random.gen_range(20_000..250_000)).collect();
    let proxy = Proxy::start(server.address, move |number| Fault::CutAfter(cuts[number as usize])).await;
    let proxy = proxy.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), limits(), vec![url(proxy.address)]);
    assert_eq!(read(&blobs, &wanted).await.expect("it is fetched"), bytes);
    // Each break costs less than a group, the pairs above it, and the head of an answer.
    let lost = proxy.passed() - bytes.len() as u64;
    assert!(
        lost < proxy.connections() * 18_000 + 10_000,
        "{lost} bytes in {} connections",
        proxy.connections()
    );
    assert!(proxy.connections() > 4);
}

#[tokio::test]
async fn what_has_arrived_is_kept_over_a_restart_and_checked_again() {
    let seed = seed();
    let server = Server::start().await;
    let bytes = content(1_000_000, seed);
    let wanted = server.put(&bytes).await;
    let end = StdRng::seed_from_u64(seed).gen_range(400_000..600_000);
    let cut = Proxy::start(server.address, move |number| {
        Fault::CutAfter(if number == 0 { end } else { 0 })
    })
    .await;
    let cut = cut.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let patience = PeerLimits {
        in_flight: 1,
        attempts: 1,
        ..limits()
    };
    let error = read(&fetcher(folder.path(), patience, vec![url(cut.address)]), &wanted).await;
    let error = error.expect_err("it breaks");
    assert!(
        matches!(error, BlobError::Unavailable { .. }) && error.is_recoverable(),
        "{error}"
    );

    // A disk that forgets what it had said was written.
    let name = hex::encode(wanted.key);
    let partial = folder.path().join("cache/partial").join(format!("{name}-1000000"));
    let mut damaged = std::fs::read(&partial).expect("a part is kept");
    assert_eq!(damaged.len(), bytes.len());
    damaged[100_000] ^= 1;
    std::fs::write(&partial, damaged).expect("written");

    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let blobs = fetcher(folder.path(), limits(), vec![url(proxy.address)]);
    assert_eq!(read(&blobs, &wanted).await.expect("it is fetched"), bytes);
    let left = 1_000_000 - end;
    assert!(
        proxy.passed() < left + 70_000,
        "{} bytes came where {left} were missing",
        proxy.passed()
    );
    assert!(!partial.exists());
}

#[tokio::test]
async fn a_peer_that_corrupts_is_dropped_and_the_other_goes_on() {
    let seed = seed();
    let server = Server::start().await;
    let bytes = content(2_000_000, seed);
    let wanted = server.put(&bytes).await;
    let place = StdRng::seed_from_u64(seed).gen_range(1_000..200_000);
    let bad = Proxy::start(server.address, move |_| Fault::FlipAt(place))
        .await
        .expect("a proxy");
    let good = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let slow_to_forgive = PeerLimits {
        rest: Duration::from_secs(60),
        ..limits()
    };
    let blobs = fetcher(
        folder.path(),
        slow_to_forgive,
        vec![url(bad.address), url(good.address)],
    );
    assert_eq!(read(&blobs, &wanted).await.expect("it is fetched"), bytes);
    let asked = bad.connections();
    assert!((1..=2).contains(&asked), "{asked} connections");

    // It rests: the next blob comes from the other.
    let next = content(50_000, seed + 1);
    let wanted = server.put(&next).await;
    assert_eq!(read(&blobs, &wanted).await.expect("it is fetched"), next);
    assert_eq!(bad.connections(), asked);
    // Alone it is of no use, and the error says why.
    let folder = tempfile::tempdir().expect("a folder");
    let alone = fetcher(folder.path(), limits(), vec![url(bad.address)]);
    let error = read(&alone, &super::support::wanted(&bytes))
        .await
        .expect_err("it corrupts");
    assert!(error.to_string().contains("bytes that are not of this blob"), "{error}");
    let error = read(&alone, &super::support::wanted(&bytes))
        .await
        .expect_err("it corrupts");
    assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_peer_that_stalls_does_not_hold_up_the_others() {
    let server = Server::start().await;
    let bytes = content(1_500_000, 7);
    let wanted = server.put(&bytes).await;
    let stalls = Proxy::start(server.address, |_| Fault::StallAfter(40_000))
        .await
        .expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    // The peer is not given up for a minute. After half of it, that is: never in this test, others would get its pieces.
    let patience = PeerLimits {
        idle: Duration::from_secs(60),
        ..limits()
    };
    let urls = vec![url(stalls.address), url(server.address)];
    let blobs = fetcher(folder.path(), patience, urls.clone());
    let stuck = tokio::time::timeout(Duration::from_secs(2), read(&blobs, &wanted)).await;
    assert!(stuck.is_err(), "its pieces are in flight");
    let here = || blobs.cache().used().expect("it tells");
    assert!(here() > 900_000, "the other has brought the rest: {}", here());

    // With less patience the other is asked for them, too, long before the peer is given up.
    let patience = PeerLimits {
        idle: Duration::from_secs(8),
        ..limits()
    };
    let began = Instant::now();
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), patience, urls);
    assert_eq!(read(&blobs, &wanted).await.expect("it is fetched"), bytes);
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_peer_that_is_busy_with_another_blob_does_not_hold_up_this_one() {
    let server = Server::start().await;
    let (first, second) = (content(600_000, 12), content(600_000, 13));
    let (first_wanted, second_wanted) = (server.put(&first).await, server.put(&second).await);
    let stalls = Proxy::start(server.address, |_| Fault::StallAfter(40_000))
        .await
        .expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let patience = PeerLimits {
        idle: Duration::from_secs(60),
        ..limits()
    };
    let slow = fetcher(folder.path(), patience, vec![url(stalls.address)]);
    let both = slow.with_peers([url(server.address)]);
    let held = tokio::spawn(async move { read(&slow, &first_wanted).await });
    while stalls.connections() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let read = tokio::time::timeout(Duration::from_secs(20), read(&both, &second_wanted));
    assert_eq!(read.await.expect("nobody waits").expect("it is fetched"), second);
    assert!(!held.is_finished());
    held.abort();
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let count = Arc::clone(&asked);
    let busy = liar(move |_| {
        count.lock().expect("nobody panics").push(Instant::now());
        Lie::new("HTTP/1.1 429 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    })
    .await;
    let patience = PeerLimits {
        in_flight: 1,
        attempts: 1,
        ..limits()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), patience, vec![url(busy)]);
    let error = read(&blobs, &wanted(&content(1000, 1))).await.expect_err("it is busy");
    assert!(error.to_string().contains("429"), "{error}");
    let asked = asked.lock().expect("nobody panics");
    assert_eq!(asked.len(), 4);
    for pair in asked.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(990), "{pair:?}");
    }
}

#[tokio::test]
async fn whoever_brings_a_group_now_and_then_is_given_up() {
    let server = Server::start().await;
    let wanted = server.put(&content(2_000_000, 14)).await;
    let stalls = Proxy::start(server.address, |_| Fault::StallAfter(40_000))
        .await
        .expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    // Two groups in 300 ms are less than this rate.
    let patience = PeerLimits {
        in_flight: 1,
        least_rate: 200_000,
        ..limits()
    };
    let blobs = fetcher(folder.path(), patience, vec![url(stalls.address)]);
    read(&blobs, &wanted).await.expect_err("it is too slow");
    assert_eq!(stalls.connections(), 3);
}

#[tokio::test]
async fn two_fetches_of_one_blob_are_one() {
    let server = Server::start().await;
    let bytes = content(1_000_000, 8);
    let wanted = server.put(&bytes).await;
    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = [(); 3].map(|()| fetcher(folder.path(), limits(), vec![url(proxy.address)]));
    let [a, b, c] = &blobs;
    let (a, b, c) = tokio::join!(read(a, &wanted), read(b, &wanted), read(c, &wanted));
    for fetched in [a, b, c] {
        assert_eq!(fetched.expect("it is fetched"), bytes);
    }
    assert!(proxy.passed() < 1_100_000, "{} bytes", proxy.passed());
}

#[tokio::test]
async fn whoever_knows_a_faster_peer_does_not_wait_for_the_slow_one_of_another() {
    let server = Server::start().await;
    let bytes = content(1_500_000, 15);
    let wanted = server.put(&bytes).await;
    let stalls = Proxy::start(server.address, |_| Fault::StallAfter(40_000))
        .await
        .expect("a proxy");
    let faster = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    // The slow peer is not given up for eight seconds, and after half of that others get its pieces.
    let patience = PeerLimits {
        idle: Duration::from_secs(8),
        ..limits()
    };
    let slow = fetcher(folder.path(), patience, vec![url(stalls.address)]);
    let fast = slow.with_peers([url(faster.address)]);
    let began = Instant::now();
    let other = slow.clone();
    let held = tokio::spawn(async move { read(&slow, &wanted).await });
    // One that is broken off gives back what it was about to fetch.
    let gone = tokio::spawn(async move { read(&other, &wanted).await });
    while stalls.connections() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    gone.abort();
    assert_eq!(read(&fast, &wanted).await.expect("it is fetched"), bytes);
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    assert_eq!(held.await.expect("no panic").expect("it is here"), bytes);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert!(faster.passed() < 1_700_000, "{} bytes", faster.passed());
}

#[tokio::test]
async fn a_promise_of_another_length_is_nobodys_fault() {
    let server = Server::start().await;
    let bytes = content(100_000, 9);
    let right = server.put(&bytes).await;
    let folder = tempfile::tempdir().expect("a folder");
    let slow_to_forgive = PeerLimits {
        rest: Duration::from_secs(60),
        ..limits()
    };
    let blobs = fetcher(folder.path(), slow_to_forgive, vec![url(server.address)]);
    for size in [1, 99_999, 100_001, 1 << 20] {
        let error = read(&blobs, &Wanted { size, ..right })
            .await
            .expect_err("it has another length");
        assert!(error.to_string().contains("has 100000 bytes, not"), "{error}");
    }
    // Nobody rests for it. What the wrong lengths left behind does not count as arrived.
    assert_eq!(read(&blobs, &right).await.expect("it is fetched"), bytes);
}

#[tokio::test]
async fn lists_of_states_are_fetched_and_checked() {
    let server = Server::start().await;
    let digests: Vec<H256> = (0..100).map(H256::repeat_byte).collect();
    let list: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
    server.store.put(BlobKind::States, list.clone()).await.expect("put");
    let wanted = Wanted::states(&states_root(&digests));
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), limits(), vec![url(server.address)]);
    assert_eq!(read(&blobs, &wanted).await.expect("it is fetched"), list);
    drop(server);
    assert_eq!(read(&blobs, &wanted).await.expect("it is here"), list);

    let other = Server::start().await;
    other.store.put(BlobKind::States, list).await.expect("put");
    let flips = Proxy::start(other.address, |_| Fault::FlipAt(2000))
        .await
        .expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), limits(), vec![url(flips.address)]);
    read(&blobs, &wanted).await.expect_err("a bit is wrong");
}

#[tokio::test]
async fn a_fetched_blob_is_copied_to_a_store_of_ones_own_without_a_second_copy() {
    let server = Server::start().await;
    let bytes = content(200_000, 10);
    let wanted = server.put(&bytes).await;
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), limits(), vec![url(server.address)]);
    let own = BlobStore::open(&folder.path().join("tasks/1").display().to_string()).expect("it opens");
    copy(&blobs, &wanted, &own).await.expect("copied");
    assert_eq!(
        own.get(BlobKind::Input, &wanted.key, wanted.size)
            .await
            .expect("it is there"),
        bytes
    );
    // While the task needs it, the cache does not count it as removable.
    let garbage = blobs
        .cache()
        .collect_garbage(Duration::ZERO, |_| false)
        .expect("collected");
    assert_eq!((garbage.removed, garbage.kept), (0, 1));
    own.remove(BlobKind::Input, &wanted.key).await.expect("removed");
    let garbage = blobs
        .cache()
        .collect_garbage(Duration::ZERO, |_| false)
        .expect("collected");
    assert_eq!((garbage.removed, garbage.kept), (1, 0));
}

#[tokio::test]
async fn peers_of_one_task_are_asked_for_it_too() {
    let server = Server::start().await;
    let bytes = content(1000, 11);
    server.put(&bytes).await;
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = fetcher(folder.path(), limits(), Vec::new());
    let blob = BlobRef::to(&bytes);
    let error = read(&blobs, &wanted(&bytes)).await.expect_err("nobody is known");
    assert!(matches!(error, BlobError::NotFound { .. }), "{error}");
    let near = blobs.with_peers([url(server.address)]);
    assert_eq!(near.size_at_peers(&blob.hash.0).await, Some(1000));
    assert_eq!(read(&near, &wanted(&bytes)).await.expect("it is fetched"), bytes);
}
