//! The loop that workers and verifiers share: follow the best chain, look at the state after each block, do one thing
//! about each matter at a time, and be heard of.

use crate::{Metrics, MinerError};
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
    async fn look(&mut self, at: &AtBlock, steps: &mut Steps) -> Result<(), MinerError>;
}

/// What a step is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Matter {
    /// A task.
    Task(TaskId),
    /// The worker's own hardware challenge in a round.
    Challenge(u32),
    /// The response of the account with these bytes to its hardware challenge in a round.
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
            Self::Challenge(round) => write!(f, "hardware challenge {round}"),
            Self::Response(round, worker) => {
                write!(f, "response of {} to hardware challenge {round}", AccountId(*worker))
            }
        }
    }
}

/// What is under way: at most one step per matter.
#[derive(Default)]
pub(crate) struct Steps {
    matters: HashSet<Matter>,
    running: JoinSet<(Matter, Result<(), MinerError>)>,
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
        step: impl Future<Output = Result<(), MinerError>> + Send + 'static,
    ) {
        let matter = matter.into();
        if self.matters.insert(matter) {
            self.running.spawn(async move { (matter, step.await) });
        }
    }

    /// Waits for what is under way; what takes too long is left to the journal.
    pub async fn drain(mut self) {
        let drained = tokio::time::timeout(DRAIN, async {
            while let Some(done) = self.running.join_next().await {
                if let Ok((matter, Err(error))) = done {
                    tracing::info!(%matter, %error, "Left for the next start.");
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

    fn step_done(&mut self, done: Result<(Matter, Result<(), MinerError>), JoinError>) -> Result<(), MinerError> {
        let (matter, result) = done.map_err(|panic| MinerError::Interrupted(panic.to_string()))?;
        self.steps.matters.remove(&matter);
        match result {
            Ok(()) => Ok(()),
            Err(error @ MinerError::Journal(_)) => Err(error),
            Err(error) => {
                self.metrics.retries.inc();
                tracing::warn!(%matter, %error, "A step failed; the matter is looked at again.");
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
