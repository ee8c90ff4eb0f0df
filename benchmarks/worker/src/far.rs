//! A network that is slow to answer, and as fast as this machine otherwise.

use crate::Failure;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::JoinHandle,
    time::Instant,
};

/// What passes at a time.
const PIECE: usize = 1 << 16;

/// A way to a server on which everything takes its time.
pub struct Far {
    address: SocketAddr,
    passed: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Far {
    /// To `target` and back takes `latency`.
    pub async fn start(target: SocketAddr, latency: Duration) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let passed = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&passed);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(target).await else {
                    continue;
                };
                // Small messages are not held back here.
                _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pass(from_client, to_server, latency / 2, Arc::default()));
                tokio::spawn(pass(from_server, to_client, latency / 2, Arc::clone(&counted)));
            }
        });
        Ok(Self { address, passed, task })
    }

    /// Where it begins.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many bytes the server has sent.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes on what comes, each piece `later` than it came.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, later: Duration, passed: Arc<AtomicU64>) {
    let (sender, mut pieces) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let arriving = async move {
        let mut buffer = vec![0; PIECE];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            passed.fetch_add(read as u64, Ordering::Relaxed);
            let piece = buffer.get(..read).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + later, piece)).is_err() {
                return;
            }
        }
    };
    let leaving = async move {
        while let Some((due, piece)) = pieces.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        _ = to.shutdown().await;
    };
    tokio::join!(arriving, leaving);
}
