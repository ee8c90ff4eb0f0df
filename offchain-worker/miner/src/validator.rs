//! The validator's loop: checks winning results while they can be challenged, and answers to hardware challenges.

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{
    AttestRecord, Journal, Metrics, MinerError,
    driver::{Driver, Duty, Matter, Steps},
    miner::load_job,
};
use agora_blobs::{BlobKind, BlobStore};
use agora_chain::{
    AccountId, AtBlock, BlockNumber, H256, Submitter, calls,
    views::{AnswerView, ChallengeView, RoundView},
};
use agora_compute::{MemoryInputs, Verdict, check_output};
use agora_primitives::{job::JobSpec, judging::Attestation, participants::Role};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{Mutex, Semaphore};
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

/// Blocks between two looks at the answers of a round that takes no more of them: somebody may have voted wrongly.
const LATE_LOOK_EVERY: BlockNumber = 10;

/// What was found about the answers of one round. Not in the journal: finding it again costs less than a restart.
#[derive(Default)]
struct Findings {
    round: u32,
    of: HashMap<[u8; 32], (H256, Attestation)>,
}

struct Shared {
    findings: Mutex<Findings>,
    /// Checks one answer at a time: each takes megabytes, and all answers of a round come at once.
    checking: Semaphore,
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
        self.look_at_answers(at, steps).await
    }
}

impl Validator {
    /// Starts what is due about the answers to hardware challenges.
    async fn look_at_answers(&self, at: &AtBlock, steps: &mut Steps) -> Result<(), MinerError> {
        let Some(round) = at.hardware_round().await? else {
            return Ok(());
        };
        let now = at.block.number;
        if now >= round.closes_at && !now.is_multiple_of(LATE_LOOK_EVERY) {
            return Ok(());
        }
        for (worker, answer) in at.hardware_answers(round.number).await? {
            if worker == self.shared.account || answer.attested_by(&self.shared.account) {
                continue;
            }
            let shared = Arc::clone(&self.shared);
            steps.start(Matter::Answer(round.number, worker.0), async move {
                shared.attest_answer(&round, worker, answer).await
            });
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
                // The author of the block that drew the challenge's seed knew it before, and could have a wrong output
                // pass a check by it alone. Nobody knows the sum of it and a secret; and what is right passes whatever
                // the seed.
                let secret: [u8; 32] = rand::random();
                let seed = std::array::from_fn(|at| challenge.seed.0[at] ^ secret[at]);
                let valid = self.check(job, inputs, challenge.digest, seed).await?;
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

    /// Checks an answer to a hardware challenge, and votes on it where the votes so far come to something else than what
    /// was found.
    async fn attest_answer(&self, round: &RoundView, worker: AccountId, answer: AnswerView) -> Result<(), MinerError> {
        let known = {
            let mut findings = self.findings.lock().await;
            if findings.round != round.number {
                *findings = Findings {
                    round: round.number,
                    ..Findings::default()
                };
            }
            findings
                .of
                .get(&worker.0)
                .copied()
                .filter(|(digest, _)| *digest == answer.digest)
        };
        let found = match known {
            Some((_, found)) => found,
            None => {
                let _one_at_a_time = self.checking.acquire().await;
                let job = round.challenge(&worker, answer.capability);
                // Nobody can prepare for a seed that was never said.
                let seed = rand::random();
                let right = self.check(job, MemoryInputs::new(), answer.digest, seed).await?;
                let found = if right {
                    Attestation::Valid
                } else {
                    Attestation::Invalid
                };
                let mut findings = self.findings.lock().await;
                if findings.round == round.number {
                    findings.of.insert(worker.0, (answer.digest, found));
                }
                found
            }
        };
        if answer.standing(round.quorum).agrees_with(found) {
            return Ok(());
        }
        #[cfg(feature = "fault-injection")]
        let found = match (self.config.fault, found) {
            (Some(Fault::Lie), Attestation::Valid) => Attestation::Invalid,
            (Some(Fault::Lie), Attestation::Invalid) => Attestation::Valid,
            _ => found,
        };
        let call = calls::attest_answer(round.number, worker, found);
        let included = self.submitter.submit(&call).await?;
        tracing::info!(
            round = round.number,
            %worker,
            ?found,
            block = included.block.number,
            "Voted on an answer to a hardware challenge."
        );
        Ok(())
    }

    /// Fetches the output with `digest` and checks it, far cheaper than computing it. One that cannot be fetched is not
    /// judged: the error is returned, and the check is tried again at later blocks.
    async fn check(
        &self,
        job: JobSpec,
        inputs: MemoryInputs,
        digest: H256,
        seed: [u8; 32],
    ) -> Result<bool, MinerError> {
        let output = self
            .blobs
            .get(BlobKind::Output, &digest.0, job.max_output_bytes())
            .await?;
        let checked = tokio::task::spawn_blocking(move || check_output(&job, &inputs, &output, &seed)).await;
        match checked.map_err(|panic| MinerError::Interrupted(panic.to_string()))?? {
            Verdict::Right => Ok(true),
            Verdict::Wrong(place) => {
                tracing::warn!(?digest, %place, "The result is wrong.");
                Ok(false)
            }
        }
    }
}
