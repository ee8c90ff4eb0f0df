//! A bucket, opened as an operator opens it: by its URL, with the environment that every S3 client reads; on a server that checks
//! each request's signature and keeps its objects in a folder.

use agora_blobs::{
    BlobError, BlobKind, BlobSource, BlobStore, Blobs, Cache, Fetched, Garbage, Wanted,
    http::{PeerLimits, Peers},
};
use agora_jobs::BlobRef;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, SystemTime},
};
use tokio::{net::TcpListener, runtime::Runtime};

const KEY: &str = "publisher";
const SECRET: &str = "not a secret";
/// Where the store is.
const URL: &str = "s3://blobs/of/the market";
/// The folder of the server, for who damages what is in it.
const FOLDER: &str = "AGORA_S3_FOLDER";
/// More than is uploaded in one request.
const LARGE: usize = (25 << 20) + 7;

fn main() -> ExitCode {
    let runtime = Runtime::new().expect("a runtime");
    if let Some(folder) = env::var_os(FOLDER) {
        let is_refused = env::var("AWS_SECRET_ACCESS_KEY").is_ok_and(|secret| secret != SECRET);
        match is_refused {
            true => runtime.block_on(a_wrong_secret_is_refused()),
            false => runtime.block_on(a_bucket_is_a_store(Path::new(&folder))),
        }
        return ExitCode::SUCCESS;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("blobs")).expect("a bucket");
    let address = runtime.block_on(serve(folder.path()));
    for secret in [SECRET, "another one"] {
        let mut client = Command::new(env::current_exe().expect("this program"));
        client
            .env(FOLDER, folder.path())
            .envs([
                ("AWS_ENDPOINT", format!("http://{address}")),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
            ])
            .envs([
                ("AWS_REGION", "eu-central-1"),
                ("AWS_ACCESS_KEY_ID", KEY),
                ("AWS_SECRET_ACCESS_KEY", secret),
            ]);
        if !client.status().expect("it runs").success() {
            return ExitCode::FAILURE;
        }
    }
    println!("a bucket is a store, and a wrong secret is refused");
    ExitCode::SUCCESS
}

/// Serves `folder`, whose folders are the buckets.
async fn serve(folder: &Path) -> SocketAddr {
    let mut service = S3ServiceBuilder::new(FileSystem::new(folder).expect("a folder"));
    service.set_auth(SimpleAuth::from_single(KEY, SECRET));
    let service = service.build().into_shared();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = Builder::new(TokioExecutor::new());
                // What goes wrong with a connection, the client tells.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

fn open() -> BlobStore {
    BlobStore::open(URL).expect("it is configured")
}

async fn a_wrong_secret_is_refused() {
    let content = b"a job".to_vec();
    let wanted = Wanted::content(BlobKind::Job, &BlobRef::to(&content));
    let put = open()
        .put(BlobKind::Job, content)
        .await
        .expect_err("the signature is wrong");
    assert!(matches!(put, BlobError::Storage(_)), "{put}");
    let got = open()
        .get(BlobKind::Job, &wanted.key, 100)
        .await
        .expect_err("the signature is wrong");
    assert!(
        matches!(got, BlobError::Storage(_)),
        "it is not said to be absent: {got}"
    );
}

/// The file of an object.
fn object(folder: &Path, kind: &str, blob: &BlobRef) -> PathBuf {
    let name: String = blob.hash.0.iter().map(|byte| format!("{byte:02x}")).collect();
    folder
        .join("blobs/of/the market")
        .join(kind)
        .join(&name[..2])
        .join(&name)
}

async fn a_bucket_is_a_store(folder: &Path) {
    let store = open();
    let small = b"an input".to_vec();
    let blob = BlobRef::to(&small);
    let absent = store
        .get(BlobKind::Input, &blob.hash.0, 100)
        .await
        .expect_err("nothing is there");
    assert!(matches!(absent, BlobError::NotFound { .. }), "{absent}");
    assert_eq!(
        store.size_of(BlobKind::Input, &blob.hash.0).await.expect("it answers"),
        None
    );
    for kind in BlobKind::ALL {
        let key = store.put(kind, small.clone()).await.expect("it is put");
        let again = store.put(kind, small.clone()).await.expect("it is put again");
        assert_eq!(key, again);
        assert_eq!(store.get(kind, &key, 100).await.expect("it is there"), small);
        let large = store.get(kind, &key, 7).await.expect_err("it is larger");
        assert!(
            matches!(large, BlobError::TooLarge { size: 8, limit: 7, .. }),
            "{large}"
        );
    }
    assert!(object(folder, "inputs", &blob).is_file(), "it is where the URL says");

    // In several parts, and never in memory as a whole.
    let file = folder.join("file");
    let content: Vec<u8> = (0..LARGE).map(|at| (at % 251) as u8).collect();
    std::fs::write(&file, &content).expect("written");
    let large = store.put_file(BlobKind::Input, file).await.expect("it is put");
    assert_eq!(large, BlobRef::to(&content));
    let wanted = Wanted::content(BlobKind::Input, &large);
    let cache = Cache::open(&folder.join("cache"), 1 << 30).expect("it opens");
    let blobs = || {
        let peers = Peers::new(PeerLimits::default()).expect("a client");
        Blobs::new(store.clone(), cache.clone(), peers, Vec::new())
    };
    let Fetched::Private(path) = blobs().fetch(&wanted).await.expect("it is fetched") else {
        panic!("it is in the cache");
    };
    assert!(std::fs::read(&path).expect("it is there") == content);

    // A bucket is believed no more than anybody else.
    let damaged = object(folder, "inputs", &large);
    let mut bytes = content;
    bytes[LARGE / 2] ^= 1;
    std::fs::write(&damaged, bytes).expect("written");
    std::fs::remove_file(path).expect("removed");
    let corrupt = blobs().fetch(&wanted).await.expect_err("it is another one");
    assert!(matches!(corrupt, BlobError::Corrupt { .. }), "{corrupt}");
    assert!(cache.find(&wanted).is_none());

    // What nobody wants goes; what is not ours stays.
    let note = folder.join("blobs/of/the market/inputs/note.txt");
    std::fs::write(&note, "somebody else's").expect("written");
    let young = store.collect_garbage(Duration::from_secs(3600), |_, _| false).await;
    let all = BlobKind::ALL.len() as u64 + 1;
    assert_eq!(
        young.expect("it lists"),
        Garbage {
            kept: all,
            ..Garbage::default()
        }
    );
    let stored = std::fs::metadata(&damaged)
        .and_then(|about| about.modified())
        .expect("it is there");
    // An object's time is in seconds.
    while SystemTime::now()
        .duration_since(stored)
        .is_ok_and(|age| age < Duration::from_secs(1))
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let old = store
        .collect_garbage(Duration::ZERO, |_, key| *key == blob.hash.0)
        .await
        .expect("it lists");
    let states = 1;
    assert_eq!((old.removed, old.kept), (1 + states, all - 1 - states), "{old:?}");
    assert!(note.is_file() && !damaged.exists());
    store
        .remove(BlobKind::Input, &blob.hash.0)
        .await
        .expect("it is removed");
    assert!(!store.contains(BlobKind::Input, &blob.hash.0).await.expect("it answers"));
}
