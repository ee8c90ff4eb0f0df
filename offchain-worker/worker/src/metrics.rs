//! Figures for Prometheus.

use crate::WorkerError;
use axum::{Router, http::header, routing::get};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use std::{net::SocketAddr, sync::Arc};
use tokio_util::sync::CancellationToken;

/// What a worker or verifier counts. Cheap to clone; clones share the figures.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Number of the newest block seen.
    pub best_block: Gauge,
    /// Tasks accepted and not ended.
    pub tasks_in_hand: Gauge,
    /// Iterations of the running computation that are done, in thousandths of all.
    pub progress_permille: Gauge,
    /// Tasks accepted.
    pub accepted: Counter,
    /// Computations finished.
    pub computed: Counter,
    /// Commitments in a block.
    pub committed: Counter,
    /// Reveals in a block.
    pub revealed: Counter,
    /// Tasks of this worker that have ended.
    pub ended: Counter,
    /// Attestations in a block.
    pub attested: Counter,
    /// Steps that failed and will be tried again.
    pub retries: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("agora");
        macro_rules! register {
            ($name:literal, $help:literal) => {{
                let metric = Default::default();
                registry.register($name, $help, Clone::clone(&metric));
                metric
            }};
        }
        let best_block: Gauge = register!("best_block", "Number of the newest block seen");
        let tasks_in_hand: Gauge = register!("tasks_in_hand", "Tasks accepted and not ended");
        let progress_permille: Gauge = register!("progress_permille", "Progress of the running computation");
        let accepted: Counter = register!("accepted", "Tasks accepted");
        let computed: Counter = register!("computed", "Computations finished");
        let committed: Counter = register!("committed", "Commitments included");
        let revealed: Counter = register!("revealed", "Reveals included");
        let ended: Counter = register!("ended", "Tasks of this worker that have ended");
        let attested: Counter = register!("attested", "Attestations included");
        let retries: Counter = register!("retries", "Steps that failed and will be tried again");
        Self {
            registry: Arc::new(registry),
            best_block,
            tasks_in_hand,
            progress_permille,
            accepted,
            computed,
            committed,
            revealed,
            ended,
            attested,
            retries,
        }
    }
}

impl Metrics {
    /// All figures in the text format of OpenMetrics.
    pub fn render(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => unreachable!("writing to a string does not fail: {error}"),
        }
    }
}

/// Serves `/metrics` and `/health` at `address` until `shutdown`.
pub async fn serve_metrics(
    metrics: Metrics,
    address: SocketAddr,
    shutdown: CancellationToken,
) -> Result<(), WorkerError> {
    let failed = |reason| WorkerError::Metrics { address, reason };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
    let routes = Router::new()
        .route(
            "/metrics",
            get(move || {
                let text = metrics.render();
                async move {
                    (
                        [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0")],
                        text,
                    )
                }
            }),
        )
        .route("/health", get(|| async { "ok" }));
    axum::serve(listener, routes)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .map_err(failed)
}
