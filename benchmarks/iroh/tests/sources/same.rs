//! What all sources do.

use crate::{
    kits::{Http, Iroh, Kit, Tunnel},
    support::{Fault, Patience, content, seed, wanted},
};
use agora_blobs::{BlobError, BlobKind, BlobStore, Wanted, copy, read, save};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::time::{Duration, Instant};

/// Each test, with each source.
macro_rules! with_each {
    ($($(#[$about:meta])* $name:ident),* $(,)?) => {
        mod http { $(#[tokio::test] async fn $name() { super::$name::<super::Http>().await; })* }
        mod iroh { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name::<super::Iroh>().await; })* }
        mod tunnel { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name::<super::Tunnel>().await; })* }
    };
}

with_each!(
    blobs_of_every_length_arrive,
    a_blob_comes_from_several_peers_and_is_kept,
    a_connection_that_breaks_again_and_again_loses_little,
    what_has_arrived_is_kept_over_a_restart,
    a_peer_that_corrupts_is_dropped_and_the_other_goes_on,
    a_peer_that_stalls_does_not_hold_up_the_others,
    a_peer_that_stalls_is_given_up,
    nobody_has_it,
    a_promise_of_another_length_is_nobodys_fault,
    what_does_not_fit_is_refused_before_the_first_byte,
    two_fetches_of_one_blob_are_one,
    whoever_is_broken_off_leaves_what_has_arrived,
    a_damaged_file_is_never_proven,
    no_hash_but_that_of_nothing_has_no_bytes,
    a_fetched_blob_is_copied_and_saved,
);

async fn blobs_of_every_length_arrive<K: Kit>() {
    let server = K::server().await;
    let folder = tempfile::tempdir().expect("a folder");
    let source = K::source(folder.path(), Patience::default(), vec![K::peer(&server)]).await;
    for len in [
        1, 1023, 1024, 1025, 16_383, 16_384, 16_385, 262_143, 262_144, 262_145, 540_672,
    ] {
        let bytes = content(len, len as u64);
        let wanted = K::put(&server, &bytes).await;
        assert_eq!(read(&source, &wanted).await.expect("it is fetched"), bytes, "{len}");
    }
}

async fn a_blob_comes_from_several_peers_and_is_kept<K: Kit>() {
    let (one, other) = (K::server().await, K::server().await);
    let bytes = content(3_000_001, 1);
    let wanted = K::put(&one, &bytes).await;
    K::put(&other, &bytes).await;
    let first = K::bad(K::peer(&one), |_| Fault::None).await;
    let second = K::bad(K::peer(&other), |_| Fault::None).await;
    let folder = tempfile::tempdir().expect("a folder");
    let peers = vec![K::bad_peer(&first), K::bad_peer(&second)];
    let source = K::source(folder.path(), Patience::default(), peers).await;
    assert_eq!(read(&source, &wanted).await.expect("it is fetched"), bytes);
    let (from_first, from_second) = (K::passed(&first), K::passed(&second));
    assert!(
        from_first > 200_000 && from_second > 200_000,
        "both have given a part: {from_first}, {from_second}"
    );
    assert!(from_first + from_second < 3_200_000, "nothing came twice");
    assert_eq!(read(&source, &wanted).await.expect("it is here"), bytes);
    assert_eq!(K::passed(&first) + K::passed(&second), from_first + from_second);
}

async fn a_connection_that_breaks_again_and_again_loses_little<K: Kit>() {
    let seed = seed();
    let server = K::server().await;
    let bytes = content(2_000_000, seed);
    let wanted = K::put(&server, &bytes).await;
    let mut random = StdRng::seed_from_u64(seed);
    let cuts: Vec<u64> = (0..10_000).map(|_| random.gen_range(20_000..250_000)).collect();
    let bad = K::bad(K::peer(&server), move |number| Fault::CutAfter(cuts[number as usize])).await;
    let folder = tempfile::tempdir().expect("a folder");
    let source = K::source(folder.path(), Patience::default(), vec![K::bad_peer(&bad)]).await;
    assert_eq!(read(&source, &wanted).await.expect("it is fetched"), bytes);
    // Each break costs less than a group, the pairs above it, and the head of an answer.
    let (lost, asked) = (K::passed(&bad) - bytes.len() as u64, K::asked(&bad));
    assert!(asked > 4);
    assert!(
        lost < asked * (17_500 + K::HEAD) + 10_000,
        "{lost} bytes in {asked} requests"
    );
}

async fn what_has_arrived_is_kept_over_a_restart<K: Kit>() {
    let seed = seed();
    let server = K::server().await;
    let bytes = content(1_000_000, seed);
    let wanted = K::put(&server, &bytes).await;
    // Whoever serves it breaks off for good once so many bytes have passed, whatever they were asked for.
    let end = StdRng::seed_from_u64(seed).gen_range(150_000..200_000);
    let cut = K::bad(K::peer(&server), move |number| {
        Fault::CutAfter(if number < 3 { end } else { 0 })
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let patience = Patience {
        in_flight: 1,
        attempts: 1,
        ..Patience::default()
    };
    let source = K::source(folder.path(), patience, vec![K::bad_peer(&cut)]).await;
    let error = read(&source, &wanted).await.expect_err("it breaks");
    assert!(
        matches!(error, BlobError::Unavailable { .. }) && error.is_recoverable(),
        "{error}"
    );
    K::close(source).await;
    let arrived = K::passed(&cut);
    assert!(arrived > 140_000, "{arrived}");
    let again = K::bad(K::peer(&server), |_| Fault::None).await;
    let source = K::source(folder.path(), Patience::default(), vec![K::bad_peer(&again)]).await;
    assert_eq!(read(&source, &wanted).await.expect("it is fetched"), bytes);
    let (left, came) = (1_000_000 - arrived, K::passed(&again));
    assert!(came < left + 70_000, "{came} bytes came where {left} were missing");
}

async fn a_peer_that_corrupts_is_dropped_and_the_other_goes_on<K: Kit>() {
    let seed = seed();
    let server = K::server().await;
    let bytes = content(2_000_000, seed);
    let wanted = K::put(&server, &bytes).await;
    let place = StdRng::seed_from_u64(seed).gen_range(1_000..15_000);
    let bad = K::bad(K::peer(&server), move |_| Fault::FlipAt(place)).await;
    let good = K::bad(K::peer(&server), |_| Fault::None).await;
    let folder = tempfile::tempdir().expect("a folder");
    let patience = Patience {
        rest: Duration::from_secs(60),
        ..Patience::default()
    };
    let source = K::source(folder.path(), patience, vec![K::bad_peer(&bad), K::bad_peer(&good)]).await;
    assert_eq!(read(&source, &wanted).await.expect("it is fetched"), bytes);
    let asked = K::asked(&bad);
    assert!((1..=3).contains(&asked), "{asked} requests");
    // It rests: the next blob comes from the other.
    let next = content(50_000, seed.wrapping_add(1));
    let wanted_next = K::put(&server, &next).await;
    assert_eq!(read(&source, &wanted_next).await.expect("it is fetched"), next);
    assert_eq!(K::asked(&bad), asked);
    // Alone it is of no use, and the error says why.
    let folder = tempfile::tempdir().expect("a folder");
    let alone = K::source(folder.path(), patience, vec![K::bad_peer(&bad)]).await;
    let error = read(&alone, &wanted).await.expect_err("it corrupts");
    assert!(error.to_string().contains("bytes that are not of this blob"), "{error}");
}

async fn a_peer_that_stalls_does_not_hold_up_the_others<K: Kit>() {
    let server = K::server().await;
    let bytes = content(1_500_000, 7);
    let wanted = K::put(&server, &bytes).await;
    let stalls = K::bad(K::peer(&server), |_| Fault::StallAfter(40_000)).await;
    let folder = tempfile::tempdir().expect("a folder");
    // After half of it others get its pieces.
    let patience = Patience {
        idle: Duration::from_secs(8),
        ..Patience::default()
    };
    let peers = vec![K::bad_peer(&stalls), K::peer(&server)];
    let source = K::source(folder.path(), patience, peers).await;
    let began = Instant::now();
    assert_eq!(read(&source, &wanted).await.expect("it is fetched"), bytes);
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
}

async fn a_peer_that_stalls_is_given_up<K: Kit>() {
    let server = K::server().await;
    let wanted = K::put(&server, &content(1_500_000, 14)).await;
    let stalls = K::bad(K::peer(&server), |_| Fault::StallAfter(500)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let source = K::source(folder.path(), Patience::default(), vec![K::bad_peer(&stalls)]).await;
    let began = Instant::now();
    let error = read(&source, &wanted).await.expect_err("it stalls");
    assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

async fn nobody_has_it<K: Kit>() {
    let servers = [K::server().await, K::server().await];
    let folder = tempfile::tempdir().expect("a folder");
    let peers = servers.iter().map(K::peer).collect();
    let source = K::source(folder.path(), Patience::default(), peers).await;
    let before = K::used(&source);
    let error = read(&source, &wanted(&content(100_000, 3)))
        .await
        .expect_err("nobody has it");
    assert!(matches!(error, BlobError::Unavailable { .. }), "{error}");
    assert_eq!(error.to_string().matches("does not have it").count(), 2, "{error}");
    assert!(K::used(&source) <= before + (64 << 10), "nothing was kept for it");
}

async fn a_promise_of_another_length_is_nobodys_fault<K: Kit>() {
    let server = K::server().await;
    let bytes = content(100_000, 9);
    let right = K::put(&server, &bytes).await;
    let folder = tempfile::tempdir().expect("a folder");
    let patience = Patience {
        rest: Duration::from_secs(60),
        ..Patience::default()
    };
    let source = K::source(folder.path(), patience, vec![K::peer(&server)]).await;
    for size in [1, 99_999, 100_001, 1 << 20] {
        let error = read(&source, &Wanted { size, ..right })
            .await
            .expect_err("it has another length");
        assert!(error.to_string().contains("has 100000 bytes, not"), "{error}");
    }
    // Nobody rests for it. What the wrong lengths left behind does not count as arrived.
    assert_eq!(read(&source, &right).await.expect("it is fetched"), bytes);
}

async fn what_does_not_fit_is_refused_before_the_first_byte<K: Kit>() {
    let server = K::server().await;
    let wanted = K::put(&server, &content(100_000, 1)).await;
    let bad = K::bad(K::peer(&server), |_| Fault::None).await;
    let folder = tempfile::tempdir().expect("a folder");
    let patience = Patience {
        quota: 100_000,
        ..Patience::default()
    };
    let source = K::source(folder.path(), patience, vec![K::bad_peer(&bad)]).await;
    let error = read(&source, &wanted).await.expect_err("its tree does not fit");
    let is_right = matches!(
        error,
        BlobError::Quota {
            size: 100_384,
            quota: 100_000,
            in_use: 0,
            ..
        }
    );
    assert!(is_right, "{error:?}");
    assert_eq!(K::asked(&bad), 0, "nobody was asked");
}

async fn two_fetches_of_one_blob_are_one<K: Kit>() {
    let server = K::server().await;
    let bytes = content(1_000_000, 8);
    let wanted = K::put(&server, &bytes).await;
    let bad = K::bad(K::peer(&server), |_| Fault::None).await;
    let folder = tempfile::tempdir().expect("a folder");
    let source = K::source(folder.path(), Patience::default(), vec![K::bad_peer(&bad)]).await;
    let (a, b, c) = tokio::join!(read(&source, &wanted), read(&source, &wanted), read(&source, &wanted));
    for fetched in [a, b, c] {
        assert_eq!(fetched.expect("it is fetched"), bytes);
    }
    assert!(K::passed(&bad) < 1_100_000, "{} bytes", K::passed(&bad));
}

async fn whoever_is_broken_off_leaves_what_has_arrived<K: Kit>() {
    let server = K::server().await;
    let bytes = content(1_000_000, 20);
    let wanted = K::put(&server, &bytes).await;
    let stalls = K::bad(K::peer(&server), |number| match number {
        0..=2 => Fault::StallAfter(200_000),
        _ => Fault::StallAfter(0),
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let patience = Patience {
        idle: Duration::from_secs(60),
        in_flight: 1,
        ..Patience::default()
    };
    let source = K::source(folder.path(), patience, vec![K::bad_peer(&stalls)]).await;
    let fetching = source.clone();
    let task = tokio::spawn(async move { read(&fetching, &wanted).await });
    let began = Instant::now();
    while K::passed(&stalls) < 200_000 {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", K::passed(&stalls));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What has passed is written, too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    task.abort();
    assert!(task.await.expect_err("it is broken off").is_cancelled());
    K::close(source).await;
    let passed = K::passed(&stalls);
    let again = K::bad(K::peer(&server), |_| Fault::None).await;
    let source = K::source(folder.path(), Patience::default(), vec![K::bad_peer(&again)]).await;
    assert_eq!(read(&source, &wanted).await.expect("it is fetched"), bytes);
    let (left, came) = (1_000_000 - passed, K::passed(&again));
    assert!(came < left + 70_000, "{came} bytes came where {left} were missing");
}

async fn a_damaged_file_is_never_proven<K: Kit>() {
    let server = K::server().await;
    let bytes = content(300_000, 21);
    let wanted = K::put(&server, &bytes).await;
    let mut damaged = bytes.clone();
    damaged[250_000] ^= 1;
    std::fs::write(K::file(&server, &wanted), damaged).expect("written");
    let folder = tempfile::tempdir().expect("a folder");
    let source = K::source(folder.path(), Patience::default(), vec![K::peer(&server)]).await;
    read(&source, &wanted).await.expect_err("a part of it is not there");
}

async fn no_hash_but_that_of_nothing_has_no_bytes<K: Kit>() {
    let server = K::server().await;
    let right = K::put(&server, &content(1000, 4)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let source = K::source(folder.path(), Patience::default(), vec![K::peer(&server)]).await;
    let error = read(&source, &Wanted { size: 0, ..right }).await;
    assert!(matches!(error, Err(BlobError::Corrupt { .. })), "{error:?}");
    assert_eq!(read(&source, &wanted(&[])).await.expect("it is nothing"), [0; 0]);
}

async fn a_fetched_blob_is_copied_and_saved<K: Kit>() {
    let server = K::server().await;
    let bytes = content(200_000, 10);
    let wanted = K::put(&server, &bytes).await;
    let folder = tempfile::tempdir().expect("a folder");
    let source = K::source(folder.path(), Patience::default(), vec![K::peer(&server)]).await;
    let own = BlobStore::open(&folder.path().join("tasks").display().to_string()).expect("it opens");
    copy(&source, &wanted, &own).await.expect("copied");
    let copied = own.get(BlobKind::Input, &wanted.key, wanted.size).await;
    assert_eq!(copied.expect("it is there"), bytes);
    let saved = folder.path().join("saved");
    save(&source, &wanted, saved.clone()).await.expect("saved");
    assert_eq!(std::fs::read(saved).expect("it is there"), bytes);
}
