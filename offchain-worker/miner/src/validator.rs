//! The validator's loop: checks winning results while they can be challenged.

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{
    AttestRecord, Journal, Metrics, MinerError,
    driver::{Driver, Duty, Steps},
    miner::load_job,
};
use agora_blobs::{BlobKind, BlobStore};
use agora_chain::{AccountId, AtBlock, BlockNumber, Submitter, calls, views::ChallengeView};
use agora_compute::{MemoryInputs, Verdict, check_output};
use agora_primitives::{job::JobSpec, judging::Attestation, participants::Role};
use std::sync::Arc;
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
        }
    }

    /// Watches until `shutdown`, then finishes the transactions that are under way.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), MinerError> {
        let shared = &self.shared;
        let driver = Driver::new(
            &shared.submitter,
            Role::Validator,
            &shared.metrics,
            shared.config.heartbeat_every,
        );
        driver.run(&mut self, shutdown).await?.drain().await;
        Ok(())
    }
}

impl Duty for Validator {
    async fn look(&mut self, at: &AtBlock, steps: &mut Steps) -> Result<(), MinerError> {
        for challenge in at.challenges().await? {
            let ours = challenge.attested_by(&self.shared.account);
            if ours || challenge.until <= at.block.number {
                continue;
            }
            let (shared, at) = (Arc::clone(&self.shared), at.clone());
            steps.start(challenge.task, async move { shared.attest(&at, challenge).await });
        }
        Ok(())
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
                let (job, inputs) = load_job(&self.blobs, &view.job).await?;
                let valid = self.check(&challenge, job, inputs).await?;
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
    async fn check(&self, challenge: &ChallengeView, job: JobSpec, inputs: MemoryInputs) -> Result<bool, MinerError> {
        let output = self
            .blobs
            .get(BlobKind::Output, &challenge.digest.0, job.max_output_bytes())
            .await?;
        // The author of the block that drew the challenge's seed knew it before, and could have a wrong output pass a
        // check by it alone. Nobody knows the sum of it and a secret; and what is right passes whatever the seed.
        let secret: [u8; 32] = rand::random();
        let seed = std::array::from_fn(|at| challenge.seed.0[at] ^ secret[at]);
        let checked = tokio::task::spawn_blocking(move || check_output(&job, &inputs, &output, &seed)).await;
        match checked.map_err(|panic| MinerError::Interrupted(panic.to_string()))?? {
            Verdict::Right => Ok(true),
            Verdict::Wrong(place) => {
                tracing::warn!(task = %challenge.task, %place, "The result is wrong.");
                Ok(false)
            }
        }
    }
}
