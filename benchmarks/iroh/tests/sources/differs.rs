//! What `iroh-blobs` does otherwise. Each test has what HTTP does beside it.

use crate::{
    kits::{Http, Iroh, Kit, Tunnel},
    support::{Fault, Patience, content},
};
use agora_blobs::{BlobError, BlobSource, Fetched, Wanted, read};
use agora_jobs::{H256, states_root};
use std::path::{Path, PathBuf};

/// Fetches half of a blob, flips a bit of what has arrived, and fetches the rest in another process's place.
async fn after_a_disk_that_forgot<K: Kit>() -> (Result<Vec<u8>, BlobError>, Vec<u8>) {
    let server = K::server().await;
    let bytes = content(1_000_000, 30);
    let wanted = K::put(&server, &bytes).await;
    let cut = K::bad(K::peer(&server), |number| {
        Fault::CutAfter(if number < 3 { 200_000 } else { 0 })
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let patience = Patience {
        in_flight: 1,
        attempts: 1,
        ..Patience::default()
    };
    let source = K::source(folder.path(), patience, vec![K::bad_peer(&cut)]).await;
    read(&source, &wanted).await.expect_err("it breaks");
    K::close(source).await;
    let data = data_of(folder.path(), &wanted);
    let mut damaged = std::fs::read(&data).expect("a part is kept");
    damaged[50_000] ^= 1;
    std::fs::write(&data, damaged).expect("written");
    let source = K::source(folder.path(), Patience::default(), vec![K::peer(&server)]).await;
    (read(&source, &wanted).await, bytes)
}

/// The largest file whose name has the key: the bytes of a blob that is arriving.
fn data_of(folder: &Path, wanted: &Wanted) -> PathBuf {
    fn all(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                all(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let (mut files, key) = (Vec::new(), hex::encode(wanted.key));
    all(folder, &mut files);
    files.retain(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().contains(&key))
    });
    files.sort_by_key(|path| std::fs::metadata(path).map(|about| about.len()).unwrap_or_default());
    files.pop().expect("a part is kept")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_arrived_is_checked_again_over_http_and_believed_by_iroh() {
    let (fetched, bytes) = after_a_disk_that_forgot::<Http>().await;
    assert_eq!(fetched.expect("what is wrong is fetched again"), bytes);
    let (fetched, bytes) = after_a_disk_that_forgot::<Tunnel>().await;
    assert_eq!(fetched.expect("what is wrong is fetched again"), bytes);
    let (fetched, _) = after_a_disk_that_forgot::<Iroh>().await;
    let error = fetched.expect_err("it notes what it has, and believes its notes");
    println!("iroh-blobs: {error}");
}

/// Fetches a blob, damages the file, and reads it.
async fn after_damage<K: Kit>() -> (Result<Vec<u8>, BlobError>, Vec<u8>) {
    let server = K::server().await;
    let bytes = content(40_000, 31);
    let wanted = K::put(&server, &bytes).await;
    let folder = tempfile::tempdir().expect("a folder");
    let source = K::source(folder.path(), Patience::default(), vec![K::peer(&server)]).await;
    let Ok(Fetched::Private(file)) = source.fetch(&wanted).await else {
        panic!("it is fetched")
    };
    let mut damaged = bytes.clone();
    damaged[5] ^= 1;
    std::fs::write(file, damaged).expect("written");
    (read(&source, &wanted).await, bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_fetched_again_over_http_and_lost_to_iroh() {
    let (fetched, bytes) = after_damage::<Http>().await;
    assert_eq!(fetched.expect("it is fetched again"), bytes);
    let (fetched, bytes) = after_damage::<Tunnel>().await;
    assert_eq!(fetched.expect("it is fetched again"), bytes);
    let (fetched, _) = after_damage::<Iroh>().await;
    let error = fetched.expect_err("its store calls it whole, and cannot be told otherwise");
    println!("iroh-blobs: {error}");
}

/// Fetches two blobs of which one fits.
async fn two_where_one_fits<K: Kit>() -> Result<Vec<u8>, BlobError> {
    let server = K::server().await;
    let (first, second) = (content(60_000, 32), content(60_000, 33));
    let (first, second) = (K::put(&server, &first).await, K::put(&server, &second).await);
    let folder = tempfile::tempdir().expect("a folder");
    let patience = Patience {
        quota: 100_000,
        ..Patience::default()
    };
    let source = K::source(folder.path(), patience, vec![K::peer(&server)]).await;
    read(&source, &first).await.expect("it is fetched");
    read(&source, &second).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_longest_ago_makes_room_over_http_and_stays_with_iroh() {
    two_where_one_fits::<Http>().await.expect("the first has made room");
    two_where_one_fits::<Tunnel>().await.expect("the first has made room");
    let error = two_where_one_fits::<Iroh>()
        .await
        .expect_err("nothing can be removed when it is asked to");
    assert!(matches!(error, BlobError::Quota { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_states_have_no_name_that_iroh_knows() {
    let digests: Vec<H256> = (0..100).map(H256::repeat_byte).collect();
    let list: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
    let server = Iroh::server().await;
    Iroh::put(&server, &list).await;
    let folder = tempfile::tempdir().expect("a folder");
    let source = Iroh::source(folder.path(), Patience::default(), vec![Iroh::peer(&server)]).await;
    let error = read(&source, &Wanted::states(&states_root(&digests))).await;
    let error = error.expect_err("its key is a root of digests, no hash of bytes");
    assert!(matches!(error, BlobError::NotFound { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_folder_of_http_and_not_that_of_iroh() {
    let server = Http::server().await;
    let wanted = Http::put(&server, &content(40_000, 34)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let one = Http::source(folder.path(), Patience::default(), vec![Http::peer(&server)]).await;
    let other = Http::source(folder.path(), Patience::default(), Vec::new()).await;
    read(&one, &wanted).await.expect("it is fetched");
    read(&other, &wanted).await.expect("it is here");

    let folder = tempfile::tempdir().expect("a folder");
    let place = crate::support::here();
    let open =
        || agora_bench_iroh::IrohSource::open(&place, folder.path(), agora_bench_iroh::Limits::default(), Vec::new());
    let _one = open().await.expect("it opens");
    let error = open().await.expect_err("its database has one owner");
    println!("iroh-blobs: {error}");
}
