//! The cache: its quota, and what is removed.

use crate::support::{Server, content, limits, request, url, wanted};
use agora_blobs::{
    BlobError, BlobKind, BlobSource, BlobStore, Blobs, Cache, Fetched, Wanted, copy, http::Peers, read, read_shared,
    save,
};
use agora_test_support::proxy::{Fault, Proxy};
use std::{
    path::Path,
    time::{Duration, SystemTime},
};

fn limited(folder: &Path, quota: u64, peer: &Proxy) -> Blobs {
    let store = BlobStore::open(&folder.join("blobs").display().to_string()).expect("it opens");
    let cache = Cache::open(&folder.join("cache"), quota).expect("it opens");
    Blobs::new(
        store,
        cache,
        Peers::new(limits()).expect("a client"),
        vec![url(peer.address)],
    )
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_the_first_byte() {
    let server = Server::start().await;
    let wanted = server.put(&content(100_000, 1)).await;
    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = limited(folder.path(), 100_000, &proxy);
    let error = read(&blobs, &wanted).await.expect_err("its tree does not fit");
    assert!(
        matches!(
            error,
            BlobError::Quota {
                size: 100_384,
                quota: 100_000,
                in_use: 0,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("--cache-size"), "{error}");
    assert_eq!(proxy.connections(), 0, "nobody was asked");
    assert_eq!(blobs.cache().used().expect("it tells"), 0);
}

#[tokio::test]
async fn what_was_used_longest_ago_makes_room() {
    let server = Server::start().await;
    let contents: Vec<_> = (0..3).map(|seed| content(40_000, seed)).collect();
    for content in &contents {
        server.put(content).await;
    }
    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = limited(folder.path(), 90_000, &proxy);
    for content in &contents[..2] {
        let wanted = wanted(content);
        let Ok(Fetched::Private(file)) = blobs.fetch(&wanted).await else {
            panic!("it is fetched")
        };
        let long_ago = SystemTime::now() - Duration::from_secs(1000);
        std::fs::File::open(file)
            .and_then(|file| file.set_modified(long_ago))
            .expect("set");
    }
    read(&blobs, &wanted(&contents[0]))
        .await
        .expect("it is here, and used now");
    read(&blobs, &wanted(&contents[2])).await.expect("it is fetched");
    for (content, is_here) in contents.iter().zip([true, false, true]) {
        assert_eq!(blobs.cache().find(&wanted(content)).is_some(), is_here);
    }
    assert!(blobs.cache().used().expect("it tells") <= 90_000);
}

#[tokio::test]
async fn what_is_wanted_is_kept_however_old() {
    let server = Server::start().await;
    let contents: Vec<_> = (0..3).map(|seed| content(40_000, seed)).collect();
    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = limited(folder.path(), 1 << 20, &proxy);
    for content in &contents {
        server.put(content).await;
        read(&blobs, &wanted(content)).await.expect("it is fetched");
    }
    let kept = wanted(&contents[1]).key;
    let cache = blobs.cache();
    let garbage = cache
        .collect_garbage(Duration::from_secs(60), |_| {
            panic!("nobody is asked about what is young")
        })
        .expect("collected");
    assert_eq!((garbage.removed, garbage.kept), (0, 3), "all are young");
    let garbage = cache
        .collect_garbage(Duration::ZERO, |key| *key == kept)
        .expect("collected");
    assert_eq!((garbage.removed, garbage.removed_bytes, garbage.kept), (2, 80_000, 1));
    assert!(cache.find(&wanted(&contents[1])).is_some());
    assert_eq!(
        cache.used().expect("it tells"),
        40_000 + 128,
        "trees go with their blobs"
    );
}

#[tokio::test]
async fn a_damaged_file_of_the_cache_is_fetched_again() {
    let server = Server::start().await;
    let bytes = content(40_000, 1);
    let wanted = server.put(&bytes).await;
    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = limited(folder.path(), 1 << 20, &proxy);
    let Ok(Fetched::Private(file)) = blobs.fetch(&wanted).await else {
        panic!("it is fetched")
    };
    let mut damaged = bytes.clone();
    damaged[5] ^= 1;
    std::fs::write(&file, &damaged).expect("written");
    assert_eq!(read(&blobs, &wanted).await.expect("it is fetched again"), bytes);
    std::fs::write(&file, &damaged).expect("written");
    let shared = read_shared(&blobs, &wanted).await.expect("it is fetched again");
    assert_eq!(*shared, *bytes);
}

#[tokio::test]
async fn a_damaged_file_of_the_cache_is_never_linked_or_saved() {
    let server = Server::start().await;
    let bytes = content(40_000, 2);
    let wanted = server.put(&bytes).await;
    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = limited(folder.path(), 1 << 20, &proxy);
    let mut damaged = bytes.clone();
    damaged[5] ^= 1;
    let own = BlobStore::open(&folder.path().join("task").display().to_string()).expect("it opens");
    for damaged in [damaged.clone(), bytes[..39_999].to_vec()] {
        let Ok(Fetched::Private(file)) = blobs.fetch(&wanted).await else {
            panic!("it is fetched")
        };
        std::fs::write(&file, &damaged).expect("written");
        copy(&blobs, &wanted, &own).await.expect("it is fetched again");
        let copied = own.get(BlobKind::Input, &wanted.key, wanted.size).await;
        assert_eq!(copied.expect("it is right"), bytes);
        own.remove(BlobKind::Input, &wanted.key).await.expect("removed");

        std::fs::write(&file, &damaged).expect("written");
        let saved = folder.path().join("saved");
        save(&blobs, &wanted, saved.clone()).await.expect("it is fetched again");
        assert_eq!(std::fs::read(saved).expect("it is there"), bytes);
    }
    // What is in the task's folder already is looked at, too.
    let path = folder.path().join("task/inputs").join(&hex::encode(wanted.key)[..2]);
    std::fs::write(path.join(hex::encode(wanted.key)), damaged).expect("written");
    copy(&blobs, &wanted, &own).await.expect("it is replaced");
    let copied = own.get(BlobKind::Input, &wanted.key, wanted.size).await;
    assert_eq!(copied.expect("it is right"), bytes);
}

#[tokio::test]
async fn a_damaged_file_of_the_own_store_is_replaced_by_what_peers_have() {
    let server = Server::start().await;
    let bytes = content(40_000, 3);
    let wanted = server.put(&bytes).await;
    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let mut damaged = bytes.clone();
    damaged[5] ^= 1;
    for damaged in [&damaged[..], &bytes[..39_999], &[]] {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = limited(folder.path(), 1 << 20, &proxy);
        let name = hex::encode(wanted.key);
        let path = folder.path().join("blobs/inputs").join(&name[..2]);
        std::fs::create_dir_all(&path).expect("made");
        std::fs::write(path.join(&name), damaged).expect("written");
        assert_eq!(read(&blobs, &wanted).await.expect("it is fetched"), bytes);
        let own = blobs.store().get(BlobKind::Input, &wanted.key, wanted.size).await;
        assert_eq!(own.expect("the store is healed"), bytes);
    }
}

#[tokio::test]
async fn no_hash_but_that_of_nothing_has_no_bytes() {
    let server = Server::start().await;
    let right = server.put(&content(1000, 4)).await;
    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = limited(folder.path(), 1 << 20, &proxy);
    let error = blobs.fetch(&Wanted { size: 0, ..right }).await;
    assert!(matches!(error, Err(BlobError::Corrupt { .. })), "{error:?}");
    assert_eq!(blobs.cache().used().expect("it tells"), 0);
    assert_eq!(read(&blobs, &wanted(&[])).await.expect("it is nothing"), [0; 0]);
    // A wrong file from elsewhere does not stay for ever.
    let name = hex::encode(right.key);
    let path = folder.path().join("cache/blobs").join(&name[..2]);
    std::fs::create_dir_all(&path).expect("made");
    std::fs::write(path.join(&name), b"").expect("written");
    assert_eq!(read(&blobs, &right).await.expect("it is fetched").len(), 1000);
}

#[tokio::test]
async fn a_task_with_an_invented_input_costs_the_cache_nothing() {
    let server = Server::start().await;
    let bytes = content(40_000, 5);
    let here = server.put(&bytes).await;
    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = limited(folder.path(), 100_000, &proxy);
    read(&blobs, &here).await.expect("it is fetched");
    let before = blobs.cache().used().expect("it tells");
    let invented = Wanted {
        key: [7; 32],
        size: 90_000,
        ..here
    };
    read(&blobs, &invented).await.expect_err("nobody has it");
    assert!(blobs.cache().find(&here).is_some(), "nothing made room for it");
    assert_eq!(blobs.cache().used().expect("it tells"), before);
    let partial = folder.path().join("cache/partial");
    assert_eq!(std::fs::read_dir(partial).expect("it is there").count(), 0);
}

#[tokio::test]
async fn a_lie_about_a_length_does_not_touch_what_has_arrived() {
    let server = Server::start().await;
    let bytes = content(1_000_000, 6);
    let right = server.put(&bytes).await;
    let cut = Proxy::start(server.address, |number| {
        Fault::CutAfter(if number == 0 { 500_000 } else { 0 })
    })
    .await;
    let cut = cut.expect("a proxy");
    let folder = tempfile::tempdir().expect("a folder");
    read(&limited(folder.path(), 1 << 30, &cut), &right)
        .await
        .expect_err("it breaks");
    let arrived = limited(folder.path(), 1 << 30, &cut).cache().used().expect("it tells");
    assert!((100_000..1_000_000).contains(&arrived), "holes do not count: {arrived}");
    let proxy = Proxy::start(server.address, |_| Fault::None).await.expect("a proxy");
    let blobs = limited(folder.path(), 1 << 30, &proxy);
    for size in [1, 999_999, 1 << 29] {
        read(&blobs, &Wanted { size, ..right })
            .await
            .expect_err("it has another length");
    }
    assert_eq!(blobs.cache().used().expect("it tells"), arrived);
    let passed = proxy.passed();
    assert_eq!(read(&blobs, &right).await.expect("it is fetched"), bytes);
    assert!(proxy.passed() - passed < 950_000, "it goes on with what has arrived");
}

#[tokio::test]
async fn trees_of_the_store_and_what_a_dead_process_left_are_collected() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::open(folder.path(), 1 << 20).expect("it opens");
    let name = "ab".repeat(32);
    let left = [
        folder.path().join("trees/ab").join(&name),
        folder.path().join("blobs/ab").join(format!("{name}.0123.unfinished")),
    ];
    for path in &left {
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        std::fs::write(path, [1; 64]).expect("written");
        set_age(path, 10_000);
    }
    cache
        .collect_garbage(Duration::from_secs(20_000), |_| false)
        .expect("collected");
    assert!(left.iter().all(|path| path.exists()), "they are young");
    cache
        .collect_garbage(Duration::from_secs(5000), |_| false)
        .expect("collected");
    assert!(left.iter().all(|path| !path.exists()));
}

#[tokio::test]
async fn what_strangers_ask_for_does_not_count_as_used() {
    let bytes = content(40_000, 8);
    let folder = tempfile::tempdir().expect("a folder");
    let origin = Server::start().await;
    let wanted = origin.put(&bytes).await;
    let proxy = Proxy::start(origin.address, |_| Fault::None).await.expect("a proxy");
    let blobs = limited(folder.path(), 1 << 20, &proxy);
    let Ok(Fetched::Private(file)) = blobs.fetch(&wanted).await else {
        panic!("it is fetched")
    };
    set_age(&file, 1000);
    let before = std::fs::metadata(&file)
        .and_then(|about| about.modified())
        .expect("a time");
    let server = Server::serving(blobs.store().clone(), blobs.cache().clone(), folder).await;
    let path = format!("/blobs/{}", hex::encode(wanted.key));
    for method in ["HEAD", "GET"] {
        assert_eq!(request(server.address, method, &path, "").await.status, 200);
    }
    let after = std::fs::metadata(&file)
        .and_then(|about| about.modified())
        .expect("a time");
    assert_eq!(before, after);
}

#[cfg(unix)]
#[test]
fn the_folder_is_its_owners_alone_however_it_was_made() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache");
    std::fs::create_dir(&path).expect("made");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("set");
    Cache::open(&path, 1).expect("it opens");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

fn set_age(path: &Path, seconds: u64) {
    let then = SystemTime::now() - Duration::from_secs(seconds);
    let set = std::fs::File::open(path).and_then(|file| file.set_modified(then));
    set.expect("set");
}
