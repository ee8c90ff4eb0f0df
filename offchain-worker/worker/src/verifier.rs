//! The verifier's loop: checks winning results while they can be appealed, and responses to hardware challenges.

mod hardware;

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{
    AttestRecord, Journal, Metrics, MinerError,
    driver::{Driver, Duty, Steps},
    miner::load_job,
};
use agora_blobs::{BlobKind, BlobStore};
use agora_chain::{AccountId, AtBlock, BlockNumber, H256, Submitter, calls, views::AppealWindowView};
use agora_compute::{MemoryInputs, Verdict, check_output};
use agora_primitives::{job::JobSpec, judging::Attestation, participants::Role};
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use hardware::Findings;

/// How a verifier works.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// Blocks between two heartbeats.
    pub heartbeat_every: BlockNumber,
    /// Deliberate misbehaviour.
    #[cfg(feature = "fault-injection")]
    pub fault: Option<Fault>,
}

/// A verifier: one account, one journal.
pub struct Verifier {
    shared: Arc<Shared>,
}

struct Shared {
    findings: Mutex<Findings>,
    /// Checks one response at a time: each takes megabytes, and all responses of a round come at once.
    checking: Semaphore,
    submitter: Submitter,
    account: AccountId,
    journal: Journal,
    blobs: BlobStore,
    config: VerifierConfig,
    metrics: Metrics,
}

impl Verifier {
    /// A verifier that signs with `submitter` and remembers in `journal`.
    pub fn new(
        submitter: Submitter,
        journal: Journal,
        blobs: BlobStore,
        config: VerifierConfig,
        metrics: Metrics,
    ) -> Self {
        let account = *submitter.account();
        Self {
            shared: Arc::new(Shared {
                findings: Mutex::default(),
                checking: Semaphore::new(1),
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
            Role::Verifier,
            &shared.metrics,
            shared.config.heartbeat_every,
        );
        driver.run(&mut self, shutdown).await?.drain().await;
        Ok(())
    }
}

impl Duty for Verifier {
    async fn look(&mut self, at: &AtBlock, steps: &mut Steps) -> Result<(), MinerError> {
        for challenge in at.appeal_windows().await? {
            let ours = challenge.attestations.has(&self.shared.account);
            if ours || challenge.until <= at.block.number {
                continue;
            }
            let (shared, at) = (Arc::clone(&self.shared), at.clone());
            steps.start(challenge.task, async move { shared.attest(&at, challenge).await });
        }
        self.look_at_responses(at, steps).await
    }
}

impl Shared {
    async fn attest(&self, at: &AtBlock, challenge: AppealWindowView) -> Result<(), MinerError> {
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
                // The author of the block that drew the challenge's seed knew it before, and could have a wrong output
                // pass a check by it alone. Nobody knows the sum of it and a secret; and what is right passes whatever
                // the seed.
                let secret: [u8; 32] = rand::random();
                let seed = std::array::from_fn(|at| challenge.seed.0[at] ^ secret[at]);
                let found = self.check(job, inputs, challenge.digest, seed).await?;
                let record = AttestRecord {
                    digest,
                    valid: found == Attestation::Valid,
                };
                self.journal.put_attestation(task, &record)?;
                record
            }
        };
        let said = self.said(Attestation::of(record.valid));
        let call = calls::attest(task, said);
        let included = self.submitter.submit(&call).await?;
        self.metrics.attested.inc();
        tracing::info!(%task, ?said, block = included.block.number, "Attested.");
        Ok(())
    }

    /// What is said of what was found: the same, unless it is to lie.
    #[cfg(feature = "fault-injection")]
    fn said(&self, found: Attestation) -> Attestation {
        if self.config.fault == Some(Fault::Lie) {
            Attestation::of(found == Attestation::Invalid)
        } else {
            found
        }
    }

    #[cfg(not(feature = "fault-injection"))]
    fn said(&self, found: Attestation) -> Attestation {
        found
    }

    /// Fetches the output with `digest` and checks it, far cheaper than computing it. One that cannot be fetched is not
    /// judged: the error is returned, and the check is tried again at later blocks.
    async fn check(
        &self,
        job: JobSpec,
        inputs: MemoryInputs,
        digest: H256,
        seed: [u8; 32],
    ) -> Result<Attestation, MinerError> {
        let output = self
            .blobs
            .get(BlobKind::Output, &digest.0, job.max_output_bytes())
            .await?;
        let checked = tokio::task::spawn_blocking(move || check_output(&job, &inputs, &output, &seed)).await;
        match checked.map_err(|panic| MinerError::Interrupted(panic.to_string()))?? {
            Verdict::Right => Ok(Attestation::Valid),
            Verdict::Wrong(place) => {
                tracing::warn!(?digest, %place, "The result is wrong.");
                Ok(Attestation::Invalid)
            }
        }
    }
}
