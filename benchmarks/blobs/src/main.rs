//! Measures how fast a blob is fetched from a server on this machine: checked, with its tree, and written to disk; against
//! `curl`, which writes the bytes of the same server to the same disk and checks nothing: over one connection, and over as many as
//! we use, a `curl` for each.
//!
//! Prints a table, and writes one JSON line per figure.

use agora_bench_figures::{Better, Figure};
use agora_blobs::{
    BlobKind, BlobSource, BlobStore, Blobs, Cache, Wanted,
    http::{PeerLimits, Peers, Reach, ServeLimits, Served, serve},
};
use agora_jobs::{BlobRef, H256};
use clap::Parser;
use std::{
    error::Error,
    fs::File,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Instant,
};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use url::Url;

type Failure = Box<dyn Error + Send + Sync>;

/// Measures how fast blobs are passed on.
#[derive(Parser)]
struct Arguments {
    /// Where the figures go.
    #[arg(long, default_value = "benchmarks/results/blobs.jsonl")]
    output: PathBuf,
    /// Size of the blob in MiB.
    #[arg(long, default_value_t = 256)]
    size: u64,
    /// Repetitions; the median counts.
    #[arg(long, default_value_t = 5)]
    repetitions: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let blob = write(&folder.path().join("file"), arguments.size << 20)?;
    let wanted = Wanted::content(BlobKind::Input, &blob);
    let store = open(folder.path(), "store")?;
    store.copy(&wanted, folder.path().join("file")).await?;
    let cache = Cache::open(&folder.path().join("server"), u64::MAX)?;
    let served = Served::new(store, cache)?;
    let (ready, address) = tokio::sync::oneshot::channel();
    let shutdown = CancellationToken::new();
    let until = shutdown.clone();
    let server = tokio::spawn(async move {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        serve(served, any, ServeLimits::default(), until, |address| {
            _ = ready.send(address)
        })
        .await
    });
    let url = Url::parse(&format!("http://{}/", address.await?))?;

    // The first proof has the server hash the blob once; it is not measured.
    fetch(folder.path(), &wanted, &url).await?;
    let connections = PeerLimits::default().in_flight as u64;
    let (mut fetched, mut curled, mut curled_in_parts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.repetitions.max(1) {
        // In turn, so that all have the same machine.
        curled.push(curl(folder.path(), &wanted, &url, 1).await?);
        fetched.push(fetch(folder.path(), &wanted, &url).await?);
        curled_in_parts.push(curl(folder.path(), &wanted, &url, connections).await?);
    }
    let mib = arguments.size as f64;
    let rate = |seconds| mib / median(seconds);
    let (fetched, curled, curled_in_parts) = (rate(fetched), rate(curled), rate(curled_in_parts));
    let name = format!("fetch {} MiB from one peer, against curl", arguments.size);
    let as_many = format!("{name} over as many connections, {connections}");
    let figures = [
        Figure::new(name, "MiB/s", fetched, curled, Better::Higher).goal(0.8),
        Figure::new(as_many, "MiB/s", fetched, curled_in_parts, Better::Higher).goal(0.8),
    ];
    Figure::print(&figures);
    Figure::write(&figures, &arguments.output)?;
    shutdown.cancel();
    server.await??;
    Ok(())
}

fn open(folder: &Path, name: &str) -> Result<BlobStore, Failure> {
    Ok(BlobStore::open(&folder.join(name).display().to_string())?)
}

/// Writes `size` bytes that do not repeat.
fn write(path: &Path, size: u64) -> Result<BlobRef, Failure> {
    let mut file = File::create(path)?;
    let (mut hasher, mut piece) = (blake3::Hasher::new(), vec![0; 1 << 20]);
    for number in 0..size >> 20 {
        let mut bytes = blake3::Hasher::new();
        bytes.update(&number.to_le_bytes()).finalize_xof().fill(&mut piece);
        hasher.update(&piece);
        file.write_all(&piece)?;
    }
    let hash = H256(*hasher.finalize().as_bytes());
    Ok(BlobRef { hash, size })
}

/// Seconds that a fetch into an empty cache takes.
async fn fetch(folder: &Path, wanted: &Wanted, url: &Url) -> Result<f64, Failure> {
    let cache = folder.join("cache");
    let limits = PeerLimits {
        reach: Reach::Anywhere,
        named_reach: Reach::Anywhere,
        ..PeerLimits::default()
    };
    let (store, peers) = (open(folder, "empty")?, Peers::new(limits)?);
    let blobs = Blobs::new(store, Cache::open(&cache, u64::MAX)?, peers, vec![url.clone()]);
    let began = Instant::now();
    blobs.fetch(wanted).await?;
    let seconds = began.elapsed().as_secs_f64();
    std::fs::remove_dir_all(cache)?;
    Ok(seconds)
}

/// Seconds that `curl` takes for as many parts of the blob as `connections`, each by a process of its own.
async fn curl(folder: &Path, wanted: &Wanted, url: &Url, connections: u64) -> Result<f64, Failure> {
    let hash: String = wanted.key.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = wanted.size / connections;
    let began = Instant::now();
    let mut curls = Vec::new();
    for number in 0..connections {
        let output = folder.join(format!("curled {number}"));
        let mut command = Command::new("curl");
        command.args(["--silent", "--fail", "--output"]).arg(&output);
        if connections > 1 {
            let range = format!("{}-{}", number * part, (number + 1) * part - 1);
            command.args(["--range", &range]);
        }
        curls.push((command.arg(format!("{url}blobs/{hash}")).spawn()?, output));
    }
    let mut fetched = Vec::new();
    for (mut curl, output) in curls {
        fetched.push((curl.wait().await?, output));
    }
    let seconds = began.elapsed().as_secs_f64();
    for (status, output) in fetched {
        if !status.success() || std::fs::metadata(&output)?.len() != part {
            return Err("curl has failed".into());
        }
        std::fs::remove_file(output)?;
    }
    Ok(seconds)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}
