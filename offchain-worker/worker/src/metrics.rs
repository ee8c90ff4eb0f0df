//! Figures for Prometheus.

use crate::{Attested, CameTo, Health, Judged, Unsuitable, WorkerError};
use agora_chain::Balance;
use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// A figure with a fraction.
type Fraction = Gauge<f64, AtomicU64>;

/// Why something is counted.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Reason {
    reason: String,
}

impl Reason {
    fn new(reason: impl ToString) -> Self {
        Self {
            reason: reason.to_string(),
        }
    }

    /// How a worker's part in a task was judged.
    fn outcome(judged: Option<Judged>) -> Self {
        Self::new(Judged::word(judged))
    }
}

/// How often attestations were not revealed is counted beside how work was judged.
const NOT_REVEALED: &str = "not revealed";

/// Plancks in units, for people and for graphs.
pub(crate) fn units(amount: Balance) -> f64 {
    amount as f64 / 1e12
}

/// What a worker or verifier counts. Cheap to clone; clones share the figures.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// How the process is.
    pub health: Health,
    /// Number of the newest finalised block.
    pub finalised_block: Gauge,
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
    /// Commitments to attestations in a block.
    pub attested: Counter,
    /// Reveals of attestations in a block.
    pub attestations_revealed: Counter,
    /// Results that a verifier has computed itself instead of checking them.
    pub recomputed: Counter,
    /// Steps that failed and will be tried again.
    pub retries: Counter,
    /// Calls that the chain refused, for a fee.
    pub refused: Counter,
    /// Runs of devices that failed or computed something wrong.
    pub device_failures: Counter,
    /// Whether tasks are taken now: 0 while paused, outside of the hours, or after too much was lost.
    pub taking: Gauge<i64>,
    /// Bonds of the tasks in hand, in units.
    pub bonds_at_risk: Fraction,
    earned: Counter<f64, AtomicU64>,
    lost: Counter<f64, AtomicU64>,
    outcomes: Family<Reason, Counter>,
    declined: Family<Reason, Gauge>,
    deadline_slack: Fraction,
    devices: Family<Reason, Gauge>,
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
        let attested: Counter = register!("attested", "Commitments to attestations included");
        let attestations_revealed: Counter = register!("attestations_revealed", "Reveals of attestations included");
        let recomputed: Counter = register!("recomputed", "Results computed by a verifier itself");
        let retries: Counter = register!("retries", "Steps that failed and will be tried again");
        let finalised_block: Gauge = register!("finalised_block", "Number of the newest finalised block seen");
        let refused: Counter = register!("refused", "Calls that the chain refused, for a fee");
        let device_failures: Counter = register!("device_failures", "Runs of devices that failed or were wrong");
        let taking: Gauge = register!("taking", "Whether tasks are taken now");
        let bonds_at_risk: Fraction = register!("bonds_at_risk", "Bonds of the tasks in hand, in units");
        let earned = register!("earned", "What was paid to the account in finalised blocks, in units");
        let lost = register!("lost", "What was taken of bonds in finalised blocks, in units");
        let outcomes = register!(
            "outcomes",
            "Tasks that ended and attestations, by how the account's part was judged"
        );
        let declined = register!("declined_tasks", "Open tasks that are not taken, by reason");
        let deadline_slack = register!("deadline_slack_seconds", "Time left when a commitment was last sent");
        let devices = register!("devices", "Devices, by whether they work or rest after a failure");
        let metrics = Self {
            registry: Arc::new(registry),
            health: Health::default(),
            finalised_block,
            best_block,
            tasks_in_hand,
            progress_permille,
            accepted,
            computed,
            committed,
            revealed,
            ended,
            attested,
            attestations_revealed,
            recomputed,
            retries,
            refused,
            device_failures,
            taking,
            bonds_at_risk,
            earned,
            lost,
            outcomes,
            declined,
            deadline_slack,
            devices,
        };
        // From the start: Prometheus takes a counter that appears for one that was always so high, and an alert about its
        // increase would miss the first.
        for outcome in [Some(Judged::Right), Some(Judged::Wrong), Some(Judged::Late), None] {
            metrics.outcomes.get_or_create(&Reason::outcome(outcome)).inc_by(0);
        }
        metrics.outcomes.get_or_create(&Reason::new(NOT_REVEALED)).inc_by(0);
        metrics
    }
}

impl Metrics {
    /// The account was paid, or lost a bond.
    pub(crate) fn came_to(&self, came_to: &CameTo) {
        self.earned.inc_by(units(came_to.earned));
        self.lost.inc_by(units(came_to.lost));
    }

    /// A task of this worker's has ended.
    pub(crate) fn ended(&self, judged: Option<Judged>) {
        self.ended.inc();
        self.outcomes.get_or_create(&Reason::outcome(judged)).inc();
    }

    /// It is known what came of an attestation.
    pub(crate) fn attestation_ended(&self, ended: Attested) {
        let reason = match ended {
            Attested::Right => Reason::outcome(Some(Judged::Right)),
            Attested::Wrong => Reason::outcome(Some(Judged::Wrong)),
            Attested::NotRevealed => Reason::new(NOT_REVEALED),
        };
        self.outcomes.get_or_create(&reason).inc();
    }

    /// So many open tasks are not taken.
    pub(crate) fn declined(&self, count: &HashMap<Unsuitable, i64>) {
        self.declined.clear();
        for (why, count) in count {
            self.declined.get_or_create(&Reason::new(why)).set(*count);
        }
    }

    /// So much time was left when a commitment was sent.
    pub(crate) fn slack(&self, left: Duration) {
        self.deadline_slack.set(left.as_secs_f64());
    }

    /// So many devices work, and these rest.
    pub(crate) fn devices(&self, working: usize, resting: &[String]) {
        self.health.devices(working);
        let set = |reason: &str, count: usize| {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.devices.get_or_create(&Reason::new(reason)).set(count);
        };
        set("working", working);
        set("resting", resting.len());
    }

    /// All figures in the text format of OpenMetrics.
    pub fn render(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => unreachable!("writing to a string does not fail: {error}"),
        }
    }
}

/// Serves `/metrics`, `/health` and `/ready` at `address` until `shutdown`. The latter two answer 200, or 503 and what is
/// wrong: without `/health`, restart the process; without `/ready`, look after its node or its devices.
pub async fn serve_metrics(
    metrics: Metrics,
    address: SocketAddr,
    shutdown: CancellationToken,
) -> Result<(), WorkerError> {
    let failed = |reason| WorkerError::Metrics { address, reason };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
    let (alive, ready) = (metrics.health.clone(), metrics.health.clone());
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
        .route("/health", get(move || async move { answer(alive.alive()) }))
        .route("/ready", get(move || async move { answer(ready.ready()) }));
    axum::serve(listener, routes)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .map_err(failed)
}

fn answer(health: Result<(), String>) -> (StatusCode, String) {
    match health {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}
