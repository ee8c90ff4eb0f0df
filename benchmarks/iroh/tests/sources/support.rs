//! What all kits share.

use agora_blobs::{BlobKind, Wanted};
use agora_jobs::BlobRef;
pub use agora_test_support::proxy::Fault;
use iroh::{
    Endpoint, EndpointAddr,
    endpoint::Connection,
    protocol::{AcceptError, ProtocolHandler, Router},
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// `len` bytes that do not repeat, of which `seed` says which.
pub fn content(len: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A seed that nobody has tried; printed, so that a failure can be tried again.
pub fn seed() -> u64 {
    let seed = rand::random();
    println!("seed {seed}");
    seed
}

/// The input with this content.
pub fn wanted(content: &[u8]) -> Wanted {
    Wanted::content(BlobKind::Input, &BlobRef::to(content))
}

/// How much patience a fetch has in a test.
#[derive(Clone, Copy)]
pub struct Patience {
    pub idle: Duration,
    pub attempts: u32,
    pub in_flight: usize,
    pub rest: Duration,
    pub quota: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            idle: Duration::from_millis(500),
            attempts: 3,
            in_flight: 2,
            rest: Duration::from_millis(20),
            quota: 1 << 30,
        }
    }
}

/// Where all endpoints of these tests are: any port of this machine.
pub fn here() -> agora_bench_iroh::Place {
    agora_bench_iroh::Place::At(([127, 0, 0, 1], 0).into())
}

/// Bytes and streams that have passed a bad network.
#[derive(Clone, Debug, Default)]
pub struct Passed(Arc<(AtomicU64, AtomicU64)>);

impl Passed {
    pub fn streams(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }

    pub fn bytes(&self) -> u64 {
        self.0.1.load(Ordering::Relaxed)
    }
}

type Faults = Arc<dyn Fn(u64) -> Fault + Send + Sync>;

/// Somebody who says what another says, but for faults: to an endpoint what [`agora_test_support::proxy::Proxy`] is to a
/// server. What a stranger between two endpoints could change is encrypted, so this one is a peer itself.
pub struct BadPeer {
    pub address: EndpointAddr,
    pub passed: Passed,
    _router: Router,
}

struct Between {
    endpoint: Endpoint,
    target: EndpointAddr,
    fault: Faults,
    passed: Passed,
}

impl std::fmt::Debug for Between {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "between somebody and {}", self.target.id)
    }
}

impl BadPeer {
    pub async fn start(target: EndpointAddr, fault: impl Fn(u64) -> Fault + Send + Sync + 'static) -> Self {
        let made = agora_bench_iroh::endpoint(&here(), iroh_blobs::ALPN).await;
        let (endpoint, address) = made.expect("an endpoint");
        let passed = Passed::default();
        let between = Between {
            endpoint: endpoint.clone(),
            target,
            fault: Arc::new(fault),
            passed: passed.clone(),
        };
        let router = Router::builder(endpoint).accept(iroh_blobs::ALPN, between).spawn();
        Self {
            address,
            passed,
            _router: router,
        }
    }
}

impl ProtocolHandler for Between {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        let target = self.endpoint.connect(self.target.clone(), iroh_blobs::ALPN).await;
        let target = target.map_err(AcceptError::from_err)?;
        loop {
            let client = connection.accept_bi().await?;
            let server = target.open_bi().await?;
            let fault = (self.fault)(self.passed.0.0.fetch_add(1, Ordering::Relaxed));
            let passed = self.passed.clone();
            tokio::spawn(async move {
                // The client may have gone; that is what tests are about.
                let _ = pass(client, server, fault, passed).await;
            });
        }
    }
}

type Stream = (iroh::endpoint::SendStream, iroh::endpoint::RecvStream);

async fn pass(client: Stream, server: Stream, fault: Fault, passed: Passed) -> io::Result<()> {
    let ((mut to_client, mut from_client), (mut to_server, mut from_server)) = (client, server);
    tokio::io::copy(&mut from_client, &mut to_server).await?;
    to_server.finish()?;
    let (mut buffer, mut at) = (vec![0; 1 << 14], 0u64);
    while let Some(read) = from_server.read(&mut buffer).await? {
        let mut bytes = buffer[..read].to_vec();
        match fault {
            Fault::FlipAt(place) if (at..at + read as u64).contains(&place) => bytes[(place - at) as usize] ^= 1,
            Fault::CutAfter(end) | Fault::StallAfter(end) => {
                bytes.truncate(end.saturating_sub(at).min(read as u64) as usize);
            }
            _ => {}
        }
        to_client.write_all(&bytes).await?;
        passed.0.1.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        at += read as u64;
        match fault {
            Fault::CutAfter(end) if at >= end => {
                // What was sent arrives, also on a busy machine; then the stream breaks, and what was not read yet is gone.
                tokio::time::sleep(Duration::from_millis(200)).await;
                let _ = to_client.reset(7u8.into());
                return Ok(());
            }
            Fault::StallAfter(end) if at >= end => std::future::pending().await,
            _ => {}
        }
    }
    to_client.finish()?;
    // Until it has arrived, or the client has gone.
    let _ = to_client.stopped().await;
    Ok(())
}
