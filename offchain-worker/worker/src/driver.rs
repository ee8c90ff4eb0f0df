//! The loop that workers and verifiers share. It follows the best chain, looks at the state after each block, runs at
//! most one step about each matter at a time, and sends heartbeats.

use crate::{Metrics, WorkerError};
use agora_chain::{AccountId, AtBlock, BlockNumber, Submitter, calls};
use agora_primitives::{TaskId, participants::Role};
use std::{collections::HashSet, fmt, time::Duration};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long a graceful stop waits for transactions that are under way.
const DRAIN: Duration = Duration::from_secs(20);

/// What is to be done after each block.
pub(crate) trait Duty {
    /// Looks at the state after one block and starts what is due.
    async fn look(&mut self, at: &AtBlock, steps: &mut Steps) -> Result<(), WorkerError>;
}

/// What a step is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Matter {
    /// A task.
    Task(TaskId),
    /// The worker's own hardware challenge in the round with this number.
    HardwareRound(u32),
    /// The response of the account with these bytes in the hardware round with this number.
    Response(u32, [u8; 32]),
}

impl From<TaskId> for Matter {
    fn from(task: TaskId) -> Self {
        Self::Task(task)
    }
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(task) => write!(f, "task {task}"),
            Self::HardwareRound(round) => write!(f, "hardware round {round}"),
            Self::Response(round, worker) => write!(f, "response of {} in hardware round {round}", AccountId(*worker)),
        }
    }
}

/// What is under way: at most one step per matter.
#[derive(Default)]
pub(crate) struct Steps {
    matters: HashSet<Matter>,
    running: JoinSet<(Matter, Result<(), WorkerError>)>,
}

impl Steps {
    /// Whether a step about `matter` is under way.
    pub fn are_busy_with(&self, matter: impl Into<Matter>) -> bool {
        self.matters.contains(&matter.into())
    }

    /// Takes a step about `matter`, unless one is under way.
    pub fn start(
        &mut self,
        matter: impl Into<Matter>,
        step: impl Future<Output = Result<(), WorkerError>> + Send + 'static,
    ) {
        let matter = matter.into();
        if self.matters.insert(matter) {
            self.running.spawn(async move { (matter, step.await) });
        }
    }

    /// Waits for the steps under way, at most [`DRAIN`]. What is left is in the journal, and the next start takes it
    /// up.
    pub async fn drain(mut self) {
        let drained = tokio::time::timeout(DRAIN, async {
            while let Some(done) = self.running.join_next().await {
                if let Ok((matter, Err(error))) = done {
                    tracing::info!(%matter, %error, "A step failed while stopping; the next start takes it again.");
                }
            }
        });
        if drained.await.is_err() {
            tracing::warn!("Some transactions are still under way; the next start looks for them on chain.");
        }
    }
}

/// Drives one account in one role.
pub(crate) struct Driver {
    submitter: Submitter,
    role: Role,
    metrics: Metrics,
    heartbeat_every: BlockNumber,
    last_heartbeat: Option<BlockNumber>,
    heartbeat: JoinSet<()>,
    steps: Steps,
}

impl Driver {
    /// For the account of `submitter`.
    pub fn new(submitter: &Submitter, role: Role, metrics: &Metrics, heartbeat_every: BlockNumber) -> Self {
        Self {
            submitter: submitter.clone(),
            role,
            metrics: metrics.clone(),
            heartbeat_every,
            last_heartbeat: None,
            heartbeat: JoinSet::new(),
            steps: Steps::default(),
        }
    }

    /// Does `duty` after each block until `shutdown`, and returns the steps that are still under way. A step that failed
    /// is taken again after the next block.
    ///
    /// Errors: only those that are not recoverable.
    pub async fn run(mut self, duty: &mut impl Duty, shutdown: CancellationToken) -> Result<Steps, WorkerError> {
        self.ensure_registered().await?;
        let client = self.submitter.client().clone();
        let mut blocks = client.follow_best();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                block = blocks.next() => {
                    let block = block?.block;
                    self.metrics.best_block.set(block.number.into());
                    self.beat(block.number);
                    let looked = match client.at(block.hash).await {
                        Ok(at) => duty.look(&at, &mut self.steps).await,
                        Err(error) => Err(error.into()),
                    };
                    match looked {
                        Err(error) if !error.is_recoverable() => return Err(error),
                        Err(error) => tracing::warn!(%error, "Could not look at the chain; trying again at the next block."),
                        Ok(()) => {}
                    }
                }
                Some(done) = self.steps.running.join_next() => self.step_done(done)?,
                Some(_) = self.heartbeat.join_next() => {}
            }
        }
        tracing::info!("Stopping, once the transactions under way have ended.");
        Ok(self.steps)
    }

    async fn ensure_registered(&self) -> Result<(), WorkerError> {
        let account = self.submitter.account();
        let at = self.submitter.client().best().await?;
        match at.participant(account, self.role).await? {
            Some(_) => Ok(()),
            None => Err(WorkerError::NotRegistered {
                account: account.to_string(),
                role: self.role,
            }),
        }
    }

    fn step_done(&mut self, done: Result<(Matter, Result<(), WorkerError>), JoinError>) -> Result<(), WorkerError> {
        let (matter, result) = done.map_err(|panic| WorkerError::Interrupted(panic.to_string()))?;
        self.steps.matters.remove(&matter);
        match result {
            Ok(()) => Ok(()),
            Err(error @ WorkerError::Journal(_)) => Err(error),
            Err(error) => {
                self.metrics.retries.inc();
                tracing::warn!(%matter, %error, "A step failed; it is taken again after the next block.");
                Ok(())
            }
        }
    }

    /// Sends a heartbeat if one is due and the last one has ended.
    fn beat(&mut self, now: BlockNumber) {
        let due = self
            .last_heartbeat
            .is_none_or(|last| now.saturating_sub(last) >= self.heartbeat_every);
        if due && self.heartbeat.is_empty() {
            self.last_heartbeat = Some(now);
            let submitter = self.submitter.clone();
            self.heartbeat.spawn(async move {
                if let Err(error) = submitter.submit(&calls::heartbeat()).await {
                    tracing::warn!(%error, "The heartbeat failed; the next one is sent when it is due.");
                }
            });
        }
    }
}
