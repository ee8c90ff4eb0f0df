//! The verifier: checks winning results while they can be appealed, and the responses to hardware challenges.

mod hardware;

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{
    AttestRecord, Journal, Metrics, WorkerError,
    check::check_claim,
    driver::{Driver, Duty, Heads, Heard, Looked, Steps},
    job::{job_bytes, load_inputs, load_output, load_spec},
    sources::with_sources,
};
use agora_blobs::Blobs;
use agora_chain::{AccountId, AtBlock, BlockNumber, Intention, Submitter, calls, views::AppealWindowView};
use agora_compute::{Engine, MemoryInputs, Verdict};
use agora_primitives::{
    job::{Claim, JobSpec},
    judging::Attestation,
    participants::Role,
};
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use hardware::Findings;

/// How a verifier works.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// Most bytes of the inputs and the output of a job that is checked: they are held in memory.
    pub max_job_bytes: u64,
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
    /// Lets one response be checked at a time: each takes megabytes, and all responses of a round come at once.
    checking: Semaphore,
    submitter: Submitter,
    account: AccountId,
    journal: Journal,
    blobs: Blobs,
    engine: Arc<dyn Engine>,
    config: VerifierConfig,
    metrics: Metrics,
}

impl Verifier {
    /// A verifier that signs with `submitter`, remembers in `journal` and checks on `engine`.
    pub fn new(
        submitter: Submitter,
        journal: Journal,
        blobs: Blobs,
        engine: Arc<dyn Engine>,
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
                engine,
                config,
                metrics,
            }),
        }
    }

    /// Watches until `shutdown`, then finishes the transactions that are under way.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), WorkerError> {
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

impl Duty<Submitter> for Verifier {
    async fn look(&mut self, heads: &Heads<AtBlock>, _: &Heard, steps: &mut Steps) -> Result<Looked, WorkerError> {
        let at = &heads.best;
        for window in at.appeal_windows().await? {
            let attested = window.attestations.has(&self.shared.account);
            if attested || window.until <= at.block.number {
                continue;
            }
            let (shared, at) = (Arc::clone(&self.shared), at.clone());
            steps.start(window.task, async move { shared.attest(&at, window).await });
        }
        self.look_at_responses(at, steps).await?;
        Ok(Looked::Well)
    }
}

/// The seed of this verifier's check: the drawn one combined with a secret.
///
/// The author of the block that drew the seed knew it before everybody else, and could have built a wrong output that passes
/// this one check. Nobody can predict the combination. A right output passes with every seed.
fn private_seed(drawn: [u8; 32], secret: [u8; 32]) -> [u8; 32] {
    std::array::from_fn(|at| drawn[at] ^ secret[at])
}

impl Shared {
    /// Checks the result in `window` and attests what was found.
    async fn attest(&self, at: &AtBlock, window: AppealWindowView) -> Result<(), WorkerError> {
        let task = window.task;
        let claim = window.claim;
        let known = self.journal.attestation(task)?.filter(|record| record.claim == claim);
        let record = match known {
            // Checked before a restart: attest what was found then.
            Some(record) => record,
            None => {
                let Some(view) = at.task(task).await? else {
                    return Ok(());
                };
                if view.publisher == self.account || at.contribution(task, &self.account).await?.is_some() {
                    return Ok(());
                }
                let blobs = with_sources(&self.blobs, at, &view, Some(&self.account)).await;
                let job = load_spec(&blobs, &view.job).await?;
                if job_bytes(&job) > self.config.max_job_bytes {
                    tracing::debug!(%task, bytes = job_bytes(&job), "Not checked: larger than this verifier takes.");
                    return Ok(());
                }
                // First, because it is what may be withheld: what cannot be checked costs no inputs.
                let output = load_output(&blobs, &job, &claim).await?;
                let inputs = load_inputs(&blobs, &job).await?;
                let seed = private_seed(window.seed.0, rand::random());
                let found = self.check(job, inputs, claim, output, seed).await?;
                let record = AttestRecord {
                    claim,
                    valid: found == Attestation::Valid,
                };
                self.journal.put_attestation(task, &record)?;
                record
            }
        };
        let said = self.said(Attestation::of(record.valid));
        let call = calls::attest(task, said);
        // A task may have several windows, each with a seed of its own.
        let name = format!("attestation {said:?} on task {task} with seed {:?}", window.seed);
        let intention = Intention::named(name).until(window.until).urgent(1);
        let included = self.submitter.submit_as(&call, intention).await?;
        self.metrics.attested.inc();
        tracing::info!(%task, ?said, block = included.block.number, "Attested.");
        Ok(())
    }

    /// The attestation that is sent: what was found, or its opposite with [`Fault::Lie`].
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

    /// Checks `claim` with the `output` that it names, which costs far less than computing it.
    async fn check(
        &self,
        job: JobSpec,
        inputs: MemoryInputs,
        claim: Claim,
        output: Vec<u8>,
        seed: [u8; 32],
    ) -> Result<Attestation, WorkerError> {
        match check_claim(Arc::clone(&self.engine), job, inputs, claim, output, seed).await? {
            Verdict::Right => Ok(Attestation::Valid),
            Verdict::Wrong(place) => {
                tracing::warn!(?claim, %place, "The result is wrong.");
                Ok(Attestation::Invalid)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_private_seed_depends_on_the_secret_and_on_the_draw() {
        let seed = private_seed([0b1100; 32], [0b1010; 32]);
        assert_eq!(seed, [0b0110; 32]);
        for byte in 0..32 {
            let mut flipped = [0; 32];
            flipped[byte] = 0xff;
            assert_eq!(private_seed(flipped, [0; 32]), flipped);
            assert_eq!(private_seed([0; 32], flipped), flipped);
        }
    }
}
