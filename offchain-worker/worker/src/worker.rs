//! The worker: takes tasks, computes them, and follows them until it is paid.
//!
//! `scheduler` decides after each block which tasks to take and to go on with, `executor` does the next `step` of one
//! task, and `hardware` responds to the worker's hardware challenge.

mod engines;
mod executor;
mod hardware;
mod policy;
mod scheduler;
mod step;

pub use policy::{Policy, Unsuitable};

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{Journal, Metrics, WorkerError, driver::Driver};
use agora_blobs::BlobStore;
use agora_chain::{AccountId, BlockNumber, Submitter};
use agora_compute::{CancelFlag, Engine};
use agora_primitives::participants::Role;
use engines::EnginePool;
use std::{path::PathBuf, sync::Arc};
use tokio_util::sync::CancellationToken;

/// How many ended tasks the journal remembers.
const REMEMBERED: usize = 10_000;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Which tasks it takes.
    pub policy: Policy,
    /// How many tasks it has in hand at most. Not above the slots it registered.
    pub slots: usize,
    /// Blocks between two heartbeats.
    pub heartbeat_every: BlockNumber,
    /// Deliberate misbehaviour.
    #[cfg(feature = "fault-injection")]
    pub fault: Option<Fault>,
}

/// A worker: one account, one journal, any number of devices.
pub struct Worker {
    shared: Arc<Shared>,
}

/// What the steps of a worker share.
struct Shared {
    submitter: Submitter,
    account: AccountId,
    journal: Journal,
    blobs: BlobStore,
    /// A folder for each task: its job, so that nobody can take it away, and its result, which nobody else may see yet.
    tasks: PathBuf,
    engines: EnginePool,
    config: WorkerConfig,
    metrics: Metrics,
    /// Set when the worker stops, which cancels every computation.
    cancel: CancelFlag,
}

impl Worker {
    /// A worker that signs with `submitter`, remembers in `journal`, and computes on `engines`. It keeps the jobs
    /// that it has accepted, and their results until they are revealed, in the folder `tasks`, which is its own; then it puts
    /// the results into `blobs`, where others find them.
    pub fn new(
        submitter: Submitter,
        journal: Journal,
        blobs: BlobStore,
        tasks: PathBuf,
        engines: Vec<Arc<dyn Engine>>,
        config: WorkerConfig,
        metrics: Metrics,
    ) -> Self {
        let account = *submitter.account();
        let shared = Shared {
            submitter,
            account,
            journal,
            blobs,
            tasks,
            engines: EnginePool::new(engines),
            config,
            metrics,
            cancel: CancelFlag::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Works until `shutdown`, then finishes the transactions that are under way. Computations are cancelled: the
    /// journal records that they are due, so the next start makes them.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), WorkerError> {
        self.shared.journal.prune(REMEMBERED)?;
        let shared = &self.shared;
        let driver = Driver::new(
            &shared.submitter,
            Role::Worker,
            &shared.metrics,
            shared.config.heartbeat_every,
        );
        let steps = driver.run(&mut self, shutdown).await?;
        self.shared.cancel.cancel();
        steps.drain().await;
        Ok(())
    }
}
