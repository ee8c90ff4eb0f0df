//! A bad network between a client and a server, on one machine.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What happens to the bytes that a server sends over one connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// The connection breaks after so many bytes.
    CutAfter(u64),
    /// One bit of the byte at this place is wrong.
    FlipAt(u64),
    /// Nothing more arrives after so many bytes, and the connection stays open.
    StallAfter(u64),
}

/// A proxy in front of a server. It ends when this is dropped.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    connections: Arc<AtomicU64>,
    passed: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy in front of `target` that treats its connections, numbered from 0, as `fault` says.
    ///
    /// Errors: no port can be had.
    pub async fn start(target: SocketAddr, fault: impl Fn(u64) -> Fault + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (connections, passed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (connections_too, passed_too) = (Arc::clone(&connections), Arc::clone(&passed));
        let task = tokio::spawn(async move {
            let mut running = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let fault = fault(connections_too.fetch_add(1, Ordering::Relaxed));
                running.spawn(pass(client, target, fault, Arc::clone(&passed_too)));
            }
        });
        Ok(Self {
            address,
            connections,
            passed,
            task,
        })
    }

    /// How many connections it has had.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many bytes of the server's have passed.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes bytes on in both directions until one side has ended.
async fn pass(client: TcpStream, target: SocketAddr, fault: Fault, passed: Arc<AtomicU64>) -> io::Result<()> {
    let server = TcpStream::connect(target).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let upwards = async {
        tokio::io::copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await?;
        std::future::pending().await
    };
    let downwards = async {
        let mut buffer = vec![0; 1 << 14];
        let mut at = 0;
        loop {
            let read = from_server.read(&mut buffer).await?;
            if read == 0 {
                return to_client.shutdown().await;
            }
            let mut bytes = buffer[..read].to_vec();
            match fault {
                Fault::FlipAt(place) if (at..at + read as u64).contains(&place) => bytes[(place - at) as usize] ^= 1,
                Fault::CutAfter(end) | Fault::StallAfter(end) => {
                    bytes.truncate(end.saturating_sub(at).min(read as u64) as usize);
                }
                _ => {}
            }
            to_client.write_all(&bytes).await?;
            passed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            at += read as u64;
            match fault {
                Fault::CutAfter(end) if at >= end => return Ok(()),
                Fault::StallAfter(end) if at >= end => std::future::pending().await,
                _ => {}
            }
        }
    };
    tokio::select! {
        ended = downwards => ended,
        ended = upwards => ended,
    }
}
