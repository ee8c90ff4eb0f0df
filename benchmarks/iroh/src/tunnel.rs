//! Our HTTP over iroh: bytes of TCP connections go over streams between two endpoints, and neither side's HTTP notices.
//!
//! So whoever is behind NAT can serve, with the server, the cache, the limits and the checks that there are. What the server
//! cannot see any more is who connects: every connection comes from this machine. So the tunnel limits each peer.

use crate::{Failure, Place, endpoint};
use iroh::{
    Endpoint, EndpointAddr,
    endpoint::{Connection, RecvStream, SendStream},
    protocol::{AcceptError, ProtocolHandler, Router},
};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Mutex, Semaphore},
    task::JoinHandle,
};

/// What both sides call it.
const ALPN: &[u8] = b"agora/http/0";
/// Bytes that are passed on at a time.
const BUFFER: usize = 1 << 17;
/// Streams of one peer at a time. Of more, the peer waits.
pub const STREAMS: usize = 32;
/// Peers at a time.
const PEERS: usize = 256;

/// The end that leads to a server. It ends when this is dropped.
#[derive(Debug)]
pub struct Exit {
    /// How it is reached.
    pub address: EndpointAddr,
    /// Where it leads.
    pub server: SocketAddr,
    router: Router,
}

#[derive(Debug)]
struct Pass {
    server: SocketAddr,
    peers: Arc<Semaphore>,
}

impl Exit {
    /// Leads whoever connects at `place` to `server`.
    ///
    /// Errors: as [`endpoint`].
    pub async fn open(place: &Place, server: SocketAddr) -> Result<Self, Failure> {
        let (endpoint, address) = endpoint(place, ALPN).await?;
        let peers = Arc::new(Semaphore::new(PEERS));
        let router = Router::builder(endpoint).accept(ALPN, Pass { server, peers }).spawn();
        Ok(Self {
            address,
            server,
            router,
        })
    }

    /// Tells all peers that it ends, and ends.
    ///
    /// Errors: a task has panicked.
    pub async fn close(self) -> Result<(), Failure> {
        Ok(self.router.shutdown().await?)
    }
}

impl ProtocolHandler for Pass {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        let Ok(_peer) = self.peers.try_acquire() else {
            connection.close(1u8.into(), b"too many peers; come back later");
            return Ok(());
        };
        let streams = Arc::new(Semaphore::new(STREAMS));
        loop {
            let (send, receive) = connection.accept_bi().await?;
            let Ok(stream) = Arc::clone(&streams).acquire_owned().await else {
                return Ok(());
            };
            let server = self.server;
            tokio::spawn(async move {
                // What goes wrong with a stream is said by its end, to both sides.
                let _ = match TcpStream::connect(server).await {
                    Ok(tcp) => pass(tcp, send, receive).await,
                    Err(error) => Err(error),
                };
                drop(stream);
            });
        }
    }
}

/// The end at which clients connect. It ends when this is dropped.
#[derive(Debug)]
pub struct Entrance {
    /// Where clients connect.
    pub address: SocketAddr,
    way: Arc<Way>,
    task: JoinHandle<()>,
}

impl Entrance {
    /// Leads clients of this machine to the exit `to`.
    ///
    /// Errors: as [`endpoint`]; no port can be had.
    pub async fn open(place: &Place, to: EndpointAddr) -> Result<Self, Failure> {
        let (endpoint, _) = endpoint(place, ALPN).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let way = Arc::new(Way {
            endpoint,
            to,
            connection: Mutex::default(),
        });
        let way_too = Arc::clone(&way);
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let way = Arc::clone(&way_too);
                tokio::spawn(async move {
                    match way.stream().await {
                        Ok((send, receive)) => _ = pass(tcp, send, receive).await,
                        // The client sees a connection that ends at once.
                        Err(error) => tracing::debug!(%error, "The other end of the tunnel cannot be reached."),
                    }
                });
            }
        });
        Ok(Self { address, way, task })
    }

    /// The one connection to the exit, which is made if there is none.
    ///
    /// Errors: the exit cannot be reached.
    pub async fn connection(&self) -> Result<Connection, Failure> {
        self.way.connection().await
    }

    /// Tells the exit that it ends, and ends.
    pub async fn close(self) {
        self.way.endpoint.close().await;
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug)]
struct Way {
    endpoint: Endpoint,
    to: EndpointAddr,
    connection: Mutex<Option<Connection>>,
}

impl Way {
    /// The one connection, which is made anew if it has ended.
    async fn connection(&self) -> Result<Connection, Failure> {
        let mut connection = self.connection.lock().await;
        let open = match connection.take().filter(|open| open.close_reason().is_none()) {
            Some(open) => open,
            None => self.endpoint.connect(self.to.clone(), ALPN).await?,
        };
        *connection = Some(open.clone());
        Ok(open)
    }

    async fn stream(&self) -> Result<(SendStream, RecvStream), Failure> {
        Ok(self.connection().await?.open_bi().await?)
    }
}

/// Passes bytes on in both directions until both have ended.
async fn pass(mut tcp: TcpStream, send: SendStream, receive: RecvStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let mut stream = tokio::io::join(receive, send);
    tokio::io::copy_bidirectional_with_sizes(&mut tcp, &mut stream, BUFFER, BUFFER).await?;
    Ok(())
}
