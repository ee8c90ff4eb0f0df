//! The validator's loop: checks winning results while they can be challenged.

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{AttestRecord, Journal, Metrics, MinerError, miner::load_job};
use agora_blobs::{BlobKind, BlobStore};
use agora_chain::{AccountId, AtBlock, BlockNumber, Submitter, calls, views::ChallengeView};
use agora_compute::check_output;
use agora_primitives::{TaskId, job::JobSpec, judging::Attestation, participants::Role};
use std::{collections::HashSet, sync::Arc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How a validator works.
#[derive(Clone, Debug)]
pub struct ValidatorConfig {
    /// Blocks between two heartbeats.
    pub heartbeat_every: BlockNumber,
    /// Deliberate misbehaviour.
    #[cfg(feature = "fault-injection")]
    pub fault: Option<Fault>,
}

/// A validator: one account, one journal.
pub struct Validator {
    shared: Arc<Shared>,
    in_flight: HashSet<TaskId>,
    checks: JoinSet<(TaskId, Result<(), MinerError>)>,
    last_heartbeat: Option<BlockNumber>,
}

struct Shared {
    submitter: Submitter,
    account: AccountId,
    journal: Journal,
    blobs: BlobStore,
    config: ValidatorConfig,
    metrics: Metrics,
}

impl Validator {
    /// A validator that signs with `submitter` and remembers in `journal`.
    pub fn new(
        submitter: Submitter,
        journal: Journal,
        blobs: BlobStore,
        config: ValidatorConfig,
        metrics: Metrics,
    ) -> Self {
        let account = *submitter.account();
        Self {
            shared: Arc::new(Shared {
                submitter,
                account,
                journal,
                blobs,
                config,
                metrics,
            }),
            in_flight: HashSet::new(),
            checks: JoinSet::new(),
            last_heartbeat: None,
        }
    }

    /// Watches until `shutdown`; checks under way are finished.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), MinerError> {
        let client = self.shared.submitter.client().clone();
        let at = client.best().await?;
        if at.participant(&self.shared.account, Role::Validator).await?.is_none() {
            return Err(MinerError::NotRegistered {
                account: self.shared.account.to_string(),
                role: "validator",
            });
        }
        let mut blocks = client.follow_best();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                block = blocks.next() => {
                    let block = block?.block;
                    self.shared.metrics.best_block.set(block.number.into());
                    self.beat(block.number);
                    let looked = match client.at(block.hash).await {
                        Ok(at) => self.look(&at).await,
                        Err(error) => Err(error.into()),
                    };
                    match looked {
                        Err(error) if !error.is_recoverable() => return Err(error),
                        Err(error) => tracing::warn!(%error, "Could not look at the chain; trying again at the next block."),
                        Ok(()) => {}
                    }
                }
                Some(done) = self.checks.join_next() => {
                    let (task, result) = done.map_err(|panic| MinerError::Interrupted(panic.to_string()))?;
                    self.in_flight.remove(&task);
                    match result {
                        Err(error @ MinerError::Journal(_)) => return Err(error),
                        Err(error) => {
                            self.shared.metrics.retries.inc();
                            tracing::warn!(%task, %error, "Could not attest; the result is looked at again.");
                        }
                        Ok(()) => {}
                    }
                }
            }
        }
        while self.checks.join_next().await.is_some() {}
        Ok(())
    }

    async fn look(&mut self, at: &AtBlock) -> Result<(), MinerError> {
        for challenge in at.challenges().await? {
            let ours = challenge.attested_by(&self.shared.account);
            if ours || challenge.until <= at.block.number || !self.in_flight.insert(challenge.task) {
                continue;
            }
            let shared = Arc::clone(&self.shared);
            let at = at.clone();
            self.checks
                .spawn(async move { (challenge.task, shared.attest(&at, challenge).await) });
        }
        Ok(())
    }

    fn beat(&mut self, now: BlockNumber) {
        let due = self
            .last_heartbeat
            .is_none_or(|last| now.saturating_sub(last) >= self.shared.config.heartbeat_every);
        if due {
            self.last_heartbeat = Some(now);
            let submitter = self.shared.submitter.clone();
            tokio::spawn(async move {
                if let Err(error) = submitter.submit(&calls::heartbeat()).await {
                    tracing::warn!(%error, "The heartbeat failed; the next one is tried in time.");
                }
            });
        }
    }
}

impl Shared {
    async fn attest(&self, at: &AtBlock, challenge: ChallengeView) -> Result<(), MinerError> {
        let task = challenge.task;
        let digest = challenge.digest.0;
        let known = self.journal.attestation(task)?.filter(|record| record.digest == digest);
        let record = match known {
            // Checked before a restart: what was about to be said then is said now.
            Some(record) => record,
            None => {
                let Some(view) = at.task(task).await? else {
                    return Ok(());
                };
                if view.publisher == self.account || at.contribution(task, &self.account).await?.is_some() {
                    return Ok(());
                }
                let valid = self.check(&challenge, load_job(&self.blobs, &view.job).await?).await?;
                let record = AttestRecord { digest, valid };
                self.journal.put_attestation(task, &record)?;
                record
            }
        };
        #[cfg_attr(not(feature = "fault-injection"), allow(unused_mut))]
        let mut valid = record.valid;
        #[cfg(feature = "fault-injection")]
        if self.config.fault == Some(Fault::Lie) {
            valid = !valid;
        }
        let attestation = if valid {
            Attestation::Valid
        } else {
            Attestation::Invalid
        };
        let call = calls::attest(task, attestation);
        let included = self.submitter.submit(&call).await?;
        self.metrics.attested.inc();
        tracing::info!(%task, valid, block = included.block.number, "Attested.");
        Ok(())
    }

    /// Fetches the result and checks it, far cheaper than computing it. A result that cannot be fetched is not judged:
    /// the error is returned, and the check is tried again at later blocks of the window.
    async fn check(&self, challenge: &ChallengeView, job: JobSpec) -> Result<bool, MinerError> {
        let output = self
            .blobs
            .get(BlobKind::Output, &challenge.digest.0, job.max_output_bytes())
            .await?;
        let seed = challenge.seed.0;
        let checked = tokio::task::spawn_blocking(move || check_output(&job, &output, &seed)).await;
        Ok(checked.map_err(|panic| MinerError::Interrupted(panic.to_string()))??)
    }
}
