//! The loop that workers and validators share: follow the best chain, look at the state after each block, do one thing
//! about each task at a time, and be heard of.

use crate::{Metrics, MinerError};
use agora_chain::{AtBlock, BlockNumber, Submitter, calls};
use agora_primitives::{TaskId, participants::Role};
use std::{collections::HashSet, time::Duration};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long a graceful stop waits for transactions that are under way.
const DRAIN: Duration = Duration::from_secs(20);

/// What is to be done after each block.
pub(crate) trait Duty {
    /// Looks at the state after one block and starts what is due.
    async fn look(&mut self, at: &AtBlock, steps: &mut Steps) -> Result<(), MinerError>;
}

/// What is under way: at most one step per task.
#[derive(Default)]
pub(crate) struct Steps {
    tasks: HashSet<TaskId>,
    running: JoinSet<(TaskId, Result<(), MinerError>)>,
}

impl Steps {
    /// Whether a step of `task` is under way.
    pub fn are_busy_with(&self, task: TaskId) -> bool {
        self.tasks.contains(&task)
    }

    /// Takes a step of `task`, unless one is under way.
    pub fn start(&mut self, task: TaskId, step: impl Future<Output = Result<(), MinerError>> + Send + 'static) {
        if self.tasks.insert(task) {
            self.running.spawn(async move { (task, step.await) });
        }
    }

    /// Waits for what is under way; what takes too long is left to the journal.
    pub async fn drain(mut self) {
        let drained = tokio::time::timeout(DRAIN, async {
            while let Some(done) = self.running.join_next().await {
                if let Ok((task, Err(error))) = done {
                    tracing::info!(%task, %error, "Left for the next start.");
                }
            }
        });
        if drained.await.is_err() {
            tracing::warn!("Some transactions are still under way; the journal knows of them.");
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

    /// Does its duty until `shutdown`, and returns what is still under way. What fails is looked at again after the next
    /// block.
    ///
    /// Errors: those that trying again does not help against.
    pub async fn run(mut self, duty: &mut impl Duty, shutdown: CancellationToken) -> Result<Steps, MinerError> {
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
        tracing::info!("Stopping; transactions under way are waited for.");
        Ok(self.steps)
    }

    async fn ensure_registered(&self) -> Result<(), MinerError> {
        let account = self.submitter.account();
        let at = self.submitter.client().best().await?;
        match at.participant(account, self.role).await? {
            Some(_) => Ok(()),
            None => Err(MinerError::NotRegistered {
                account: account.to_string(),
                role: self.role,
            }),
        }
    }

    fn step_done(&mut self, done: Result<(TaskId, Result<(), MinerError>), JoinError>) -> Result<(), MinerError> {
        let (task, result) = done.map_err(|panic| MinerError::Interrupted(panic.to_string()))?;
        self.steps.tasks.remove(&task);
        match result {
            Ok(()) => Ok(()),
            Err(error @ MinerError::Journal(_)) => Err(error),
            Err(error) => {
                self.metrics.retries.inc();
                tracing::warn!(%task, %error, "A step failed; the task is looked at again.");
                Ok(())
            }
        }
    }

    /// Lets the chain hear of the account when it is time, and the beat before has ended.
    fn beat(&mut self, now: BlockNumber) {
        let due = self
            .last_heartbeat
            .is_none_or(|last| now.saturating_sub(last) >= self.heartbeat_every);
        if due && self.heartbeat.is_empty() {
            self.last_heartbeat = Some(now);
            let submitter = self.submitter.clone();
            self.heartbeat.spawn(async move {
                if let Err(error) = submitter.submit(&calls::heartbeat()).await {
                    tracing::warn!(%error, "The heartbeat failed; the next one is tried in time.");
                }
            });
        }
    }
}
