//! The server: connections, and what each may cost.

use super::{
    Served, answer,
    guard::Guarded,
    open::{Counted, Open},
};
use crate::BlobError;
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::Response,
    routing::get,
};
use hyper::service::Service;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What strangers may cost.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Connections at a time. Each has one request at a time.
    pub connections: usize,
    /// Connections of one address at a time; of IPv6, of one /64.
    pub connections_per_address: usize,
    /// Connections of one site at a time: of IPv6, of one /48.
    pub connections_per_site: usize,
    /// When all connections are taken, how long one must have been idle to be closed for another.
    pub idle: Duration,
    /// Requests of one connection, after which it is closed.
    pub requests: usize,
    /// How old a connection may be; the answer that is under way then is finished.
    pub age: Duration,
    /// How long a request may take to arrive, and a connection may be idle.
    pub header: Duration,
    /// In this time `least` bytes of an answer must be taken.
    pub window: Duration,
    /// Bytes of an answer that must be taken in a `window`.
    pub least: usize,
    /// How long answers have to end after the shutdown has begun.
    pub grace: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            connections_per_address: 32,
            connections_per_site: 64,
            idle: Duration::from_secs(1),
            requests: 1000,
            age: Duration::from_secs(600),
            header: Duration::from_secs(15),
            window: Duration::from_secs(20),
            least: 64 << 10,
            grace: Duration::from_secs(10),
        }
    }
}

/// Serves blobs at `address` until `shutdown`; then answers that are under way are finished. `ready` is told the address,
/// in which a port 0 has become the one that was chosen.
///
/// Errors: `Serve` if the address cannot be used.
pub async fn serve(
    served: Served,
    address: SocketAddr,
    limits: ServeLimits,
    shutdown: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), BlobError> {
    let failed = |reason| BlobError::Serve { address, reason };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    ready(listener.local_addr().map_err(failed)?);
    let open = Open::default();
    let tracker = TaskTracker::new();
    let routes = routes(served);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, mostly: some will be closed.
                tracing::warn!(%error, "A connection for blobs could not be accepted.");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(counted) = open.count(peer.ip(), &limits) else {
            continue;
        };
        let routes = if counted.is_within { routes.clone() } else { busy() };
        let shutdown = shutdown.clone();
        tracker.spawn(async move {
            connection(stream, routes, limits, shutdown, counted).await;
        });
    }
    tracker.close();
    // What is not finished by then was warned by its connection.
    let _ = tokio::time::timeout(limits.grace, tracker.wait()).await;
    Ok(())
}

fn routes(served: Served) -> Router {
    Router::new()
        .route("/blobs/{hash}", get(answer::blob))
        .route("/states/{root}", get(answer::states))
        .fallback(async || answer::refusal(StatusCode::NOT_FOUND, "there are /blobs/{hash} and /states/{root}"))
        .with_state(served)
}

/// The answer to whoever is over the limits.
fn busy() -> Router {
    Router::new().fallback(async |_: Request| -> Response {
        let mut answer = answer::refusal(StatusCode::TOO_MANY_REQUESTS, "too many connections; come back later");
        let headers = answer.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        answer
    })
}

/// Answers the requests of one connection until it ends. What goes wrong with it is the other side's business.
async fn connection(
    stream: TcpStream,
    routes: Router,
    limits: ServeLimits,
    shutdown: CancellationToken,
    counted: Counted,
) {
    // Answers are large, and proofs of small ranges should not wait for more.
    let _ = stream.set_nodelay(true);
    let guarded = Guarded::new(stream, limits.window, limits.least, Arc::clone(&counted.activity));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_buf_size(1 << 16);
    let (activity, asked) = (Arc::clone(&counted.activity), AtomicUsize::new(0));
    let service = hyper::service::service_fn(move |request| {
        let is_last = asked.fetch_add(1, Ordering::Relaxed).saturating_add(1) >= limits.requests;
        let (service, working) = (TowerToHyperService::new(routes.clone()), activity.work());
        async move {
            let mut answer = service.call(request).await?;
            if is_last {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
            }
            drop(working);
            Ok::<_, Infallible>(answer)
        }
    });
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(guarded), service));
    let mut age = std::pin::pin!(tokio::time::sleep(limits.age));
    let mut is_old = false;
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            () = counted.close.cancelled() => return,
            () = age.as_mut(), if !is_old => {
                is_old = true;
                connection.as_mut().graceful_shutdown();
            }
            () = shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                break tokio::time::timeout(limits.grace, connection.as_mut()).await.unwrap_or(Ok(()));
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "A connection for blobs has ended.");
    }
}
