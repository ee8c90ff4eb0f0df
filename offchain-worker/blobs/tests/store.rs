//! The store, in a folder.

use agora_blobs::{BlobError, BlobKind, BlobStore, Garbage};
use agora_jobs::{BlobRef, H256, states_root};
use proptest::prelude::*;
use std::time::Duration;

const LIMIT: u64 = 1 << 20;

fn store() -> (tempfile::TempDir, BlobStore) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = BlobStore::open(folder.path().to_str().expect("its name is text")).expect("it can be opened");
    (folder, store)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built")
        .block_on(future)
}

proptest! {
    #![proptest_config(agora_test_support::cases(32))]

    #[test]
    fn gives_back_what_was_put(content in proptest::collection::vec(any::<u8>(), 0..5000)) {
        let (_folder, store) = store();
        for kind in BlobKind::ALL {
            let read = block_on(async {
                let key = store.put(kind, content.clone()).await?;
                store.get(kind, &key, LIMIT).await
            });
            prop_assert_eq!(read.expect("it was just put"), content.clone());
        }
    }
}

#[test]
fn refuses_a_damaged_blob_whichever_bit_is_wrong() {
    let (folder, store) = store();
    block_on(async {
        for kind in BlobKind::ALL {
            let content: Vec<u8> = (0..3000u32).map(|i| (i % 251) as u8).collect();
            let key = store.put(kind, content.clone()).await.expect("put");
            let name = hex::encode(key);
            let folder_of = match kind {
                BlobKind::Job => "jobs",
                BlobKind::Output => "outputs",
                BlobKind::States => "states",
                BlobKind::Input => "inputs",
            };
            let file = folder.path().join(folder_of).join(&name[..2]).join(&name);
            for byte in [0, 1023, 1024, 2999] {
                let mut damaged = content.clone();
                damaged[byte] ^= 1;
                std::fs::write(&file, damaged).expect("the file can be written");
                let error = store.get(kind, &key, LIMIT).await.expect_err("damage is noticed");
                assert!(matches!(error, BlobError::Corrupt { .. }), "{error}");
                assert!(!error.is_recoverable());
            }
            std::fs::write(&file, &content[..2999]).expect("the file can be written");
            assert!(matches!(
                store.get(kind, &key, LIMIT).await,
                Err(BlobError::Corrupt { .. })
            ));
        }
    });
}

#[test]
fn reports_what_is_absent_and_what_is_too_large() {
    let (_folder, store) = store();
    block_on(async {
        let error = store
            .get(BlobKind::Job, &[7; 32], LIMIT)
            .await
            .expect_err("nothing is there");
        assert!(matches!(error, BlobError::NotFound { .. }) && error.is_recoverable());
        let key = store.put(BlobKind::Job, vec![1; 100]).await.expect("put");
        let error = store.get(BlobKind::Job, &key, 99).await.expect_err("it is too large");
        assert!(
            matches!(
                error,
                BlobError::TooLarge {
                    size: 100,
                    limit: 99,
                    ..
                }
            ),
            "{error}"
        );
        assert!(store.contains(BlobKind::Job, &key).await.expect("asked"));
        store.remove(BlobKind::Job, &key).await.expect("removed");
        store
            .remove(BlobKind::Job, &key)
            .await
            .expect("removing it again changes nothing");
        assert!(!store.contains(BlobKind::Job, &key).await.expect("asked"));
    });
}

#[test]
fn collects_what_is_old_and_unwanted_only() {
    let (folder, store) = store();
    block_on(async {
        let wanted = store.put(BlobKind::Output, vec![1; 10]).await.expect("put");
        let unwanted = store.put(BlobKind::Output, vec![2; 20]).await.expect("put");
        std::fs::write(folder.path().join("outputs").join("note.txt"), "somebody else's").expect("written");
        let young = store
            .collect_garbage(Duration::from_secs(3600), |_, _| false)
            .await
            .expect("collected");
        assert_eq!(
            young,
            Garbage {
                removed: 0,
                removed_bytes: 0,
                kept: 2
            }
        );
        let old = store
            .collect_garbage(Duration::ZERO, |_, key| *key == wanted)
            .await
            .expect("collected");
        assert_eq!(
            old,
            Garbage {
                removed: 1,
                removed_bytes: 20,
                kept: 1
            }
        );
        assert!(store.contains(BlobKind::Output, &wanted).await.expect("asked"));
        assert!(!store.contains(BlobKind::Output, &unwanted).await.expect("asked"));
        assert!(folder.path().join("outputs").join("note.txt").exists());
    });
}

#[test]
fn the_list_of_states_is_found_by_the_root_of_its_claim() {
    let (_folder, store) = store();
    block_on(async {
        for count in [0, 1, 5] {
            let digests: Vec<H256> = (0..count).map(H256::repeat_byte).collect();
            let list: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
            let key = store.put(BlobKind::States, list).await.expect("put");
            assert_eq!(H256(key), states_root(&digests));
        }
    });
}

#[test]
fn says_what_locations_it_can_open() {
    let error = BlobStore::open("ftp://somewhere/else").expect_err("ftp is not supported");
    assert!(error.to_string().contains("s3://bucket/prefix"), "{error}");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = BlobStore::open(file.path().to_str().expect("text")).expect_err("a file is no folder");
    assert!(matches!(error, BlobError::Location { .. }), "{error}");
}

#[test]
fn a_file_is_stored_under_the_hash_of_its_content_and_is_not_changed() {
    let (folder, store) = store();
    let path = folder.path().join("file");
    block_on(async {
        for len in [0, 1, 3_000_000] {
            let content: Vec<u8> = (0..len).map(|i: u32| (i % 251) as u8).collect();
            std::fs::write(&path, &content).expect("written");
            let blob = store.put_file(BlobKind::Input, path.clone()).await.expect("put");
            assert_eq!(blob, BlobRef::to(&content));
            let read = store.get(BlobKind::Input, &blob.hash.0, u64::from(len)).await;
            assert_eq!(read.expect("it is there"), content);
            assert_eq!(std::fs::read(&path).expect("it is there"), content);
        }
        let absent = store.put_file(BlobKind::Input, folder.path().join("absent")).await;
        assert!(matches!(absent, Err(BlobError::File { .. })));
    });
}

#[test]
fn a_folder_shrinks_to_its_quota_and_a_bucket_is_left_alone() {
    let (folder, store) = store();
    block_on(async {
        let mut keys = Vec::new();
        for byte in 0..5u8 {
            let key = store.put(BlobKind::Input, vec![byte; 1000]).await.expect("put");
            let name = hex::encode(key);
            let path = folder.path().join("inputs").join(&name[..2]).join(&name);
            let age = Duration::from_secs(100_000 - 10_000 * u64::from(byte));
            let file = std::fs::File::options().append(true).open(path).expect("it is there");
            file.set_modified(std::time::SystemTime::now() - age).expect("set");
            keys.push(key);
        }
        assert_eq!(store.used().expect("it tells"), Some(5000));
        let hour = Duration::from_secs(3600);
        let none = store.shrink(5000, hour, |_, _| false).expect("it shrinks");
        assert_eq!(none.removed, 0, "it is not too large");
        let too_young = store
            .shrink(0, Duration::from_secs(200_000), |_, _| false)
            .expect("it shrinks");
        assert_eq!(too_young.removed, 0);
        let wanted = keys[0];
        let removed = store.shrink(2500, hour, |_, key| *key == wanted).expect("it shrinks");
        assert_eq!((removed.removed, removed.removed_bytes), (3, 3000));
        let mut there = Vec::new();
        for key in &keys {
            there.push(store.contains(BlobKind::Input, key).await.expect("it answers"));
        }
        assert_eq!(there, [true, false, false, false, true], "the oldest that nobody wants");
        let bucket = BlobStore::in_memory();
        bucket.put(BlobKind::Input, vec![1; 10]).await.expect("put");
        assert_eq!(bucket.used().expect("it tells"), None);
        let left = bucket.shrink(0, Duration::ZERO, |_, _| false).expect("it does nothing");
        assert_eq!(left, Garbage::default());
    });
}
