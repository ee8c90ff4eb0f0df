//! A worker's hardware challenges.

use super::{
    Shared,
    computing::{Check, Computed, Deadline},
    decoys::{self, Decoy},
};
use crate::{Call, Chain, Due, WorkerError, chain::State};
use agora_blobs::BlobKind;
use agora_chain::{
    BlockNumber, ChainError, H256,
    views::{RoundPhase, RoundView},
};
use agora_compute::MemoryInputs;
use agora_primitives::{job::JobSpec, participants::Role};
use std::time::Duration;
use tokio::time::Instant;

impl<C: Chain<State: State>> Shared<C> {
    /// What is due of this worker about the round of hardware challenges, if anything is.
    pub(super) async fn hardware_due(&self, best: &C::State) -> Result<Option<HardwareDue>, WorkerError> {
        let Some(round) = best.hardware_round().await? else {
            return Ok(None);
        };
        let now = C::block_of(best).number;
        if now < round.closes_at {
            let has_responded = best.hardware_response(round.number, &self.account).await?.is_some();
            return Ok((!has_responded).then_some(HardwareDue::Response(round)));
        }
        Ok(self.decoy_due(round, now)?.map(HardwareDue::Decoy))
    }

    /// Computes this worker's hardware challenge, and responds to it if there is still time. Nothing is kept for a
    /// later try, because a later response is refused.
    pub(super) async fn respond(&self, best: &C::State, round: &RoundView) -> Result<(), WorkerError> {
        let Some(participant) = C::participant(best, &self.account, Role::Worker).await? else {
            return Ok(());
        };
        let job = round.challenge(&self.account, participant.capability);
        let started = Instant::now();
        let output = match self.decoy_in(round)? {
            Some(secret) => self.decoy(secret, round, &job, started).await?,
            None => match self
                .compute_challenge(job, round, participant.capability, started)
                .await?
            {
                Some(output) => output,
                None => return Ok(()),
            },
        };
        let seconds = started.elapsed().as_secs_f64();
        // The key of an output is its digest.
        let digest = H256(self.blobs.store().put(BlobKind::Output, output).await?);
        let receipt = loop {
            let now = self.chain.best().await?;
            let is_open = matches!(self.hardware_due(&now).await?, Some(HardwareDue::Response(open)) if open == *round);
            if !is_open {
                tracing::warn!(
                    round = round.number,
                    "The round of the computed hardware challenge is over, or another fork has opened it with another seed."
                );
                return Ok(());
            }
            let due = Due {
                round: round.number,
                until: round.closes_at.saturating_sub(1),
                decided_at: Some(C::block_of(&now)),
            };
            match self.chain.send(Call::Respond(round.number, digest), due).await {
                // The same round is open on the fork that has won: the response is right there too.
                Err(ChainError::OtherFork) => continue,
                sent => break sent?,
            }
        };
        tracing::info!(
            round = round.number,
            seconds,
            block = receipt.block.number,
            "Responded to the hardware challenge."
        );
        Ok(())
    }

    /// Computes the challenge. `None`: not in time, which is said.
    async fn compute_challenge(
        &self,
        job: JobSpec,
        round: &RoundView,
        capability: u32,
        started: Instant,
    ) -> Result<Option<Vec<u8>>, WorkerError> {
        let deadline = Deadline {
            until: round.closes_at.saturating_sub(1),
            forecast: started + Duration::from_millis(round.window_ms),
        };
        // The window is short, and verifiers check it.
        let computed = self.compute_job(job, MemoryInputs::new(), deadline, Check::No).await?;
        let Computed::Result(computation) = computed else {
            tracing::warn!(
                round = round.number,
                capability,
                "The hardware challenge was not computed in time: declare less with `agora profile --capability`, or keep the device free for it."
            );
            return Ok(None);
        };
        Ok(Some(computation.output))
    }

    /// The secret of the decoy with which this worker responds in `round`, if it does.
    fn decoy_in(&self, round: &RoundView) -> Result<Option<[u8; 32]>, WorkerError> {
        let Some(every) = self.config.decoys else {
            return Ok(None);
        };
        Ok(decoys::secret_in(round, &self.book.decoy_secret()?, every))
    }

    /// The output of a decoy, when somebody who computes would have one.
    async fn decoy(
        &self,
        secret: [u8; 32],
        round: &RoundView,
        job: &JobSpec,
        started: Instant,
    ) -> Result<Vec<u8>, WorkerError> {
        let decoy = self.make_decoy(secret, round, job).await?;
        let window = Duration::from_millis(round.window_ms);
        tokio::time::sleep_until(started + decoy.delay(window)).await;
        tracing::info!(
            round = round.number,
            "Responding to the hardware challenge with a decoy."
        );
        Ok(decoy.output)
    }

    async fn make_decoy(&self, secret: [u8; 32], round: &RoundView, job: &JobSpec) -> Result<Decoy, WorkerError> {
        let (round, account) = (*round, self.account);
        // Outputs are held in memory: the largest has 16 MiB.
        let size = usize::try_from(job.max_output_bytes()).unwrap_or(usize::MAX);
        let made = tokio::task::spawn_blocking(move || Decoy::new(secret, &round, &account, size)).await;
        made.map_err(|panic| WorkerError::Interrupted(panic.to_string()))
    }

    /// The decoy of this worker that the chain can be shown after block `now`: the votes on it are drawn, and can change no more.
    fn decoy_due(&self, round: RoundView, now: BlockNumber) -> Result<Option<DecoyDue>, WorkerError> {
        let RoundPhase::Revealing { until, .. } = round.phase_after(now) else {
            return Ok(None);
        };
        let secret = self.decoy_in(&round)?;
        let secret = secret.filter(|_| self.now().decoy_shown != Some(round.number));
        Ok(secret.map(|secret| DecoyDue { round, secret, until }))
    }

    /// Shows a decoy, if it is what this worker responded with.
    pub(super) async fn show_decoy(&self, best: &C::State, due: DecoyDue) -> Result<(), WorkerError> {
        let DecoyDue { round, secret, until } = due;
        let response = best.hardware_response(round.number, &self.account).await?;
        if let Some(response) = response {
            let job = round.challenge(&self.account, response.capability);
            let decoy = self.make_decoy(secret, &round, &job).await?;
            let proof = decoy.proof().filter(|_| decoy.digest() == response.digest);
            if let Some(proof) = proof {
                let call = Call::ShowDecoy(round.number, secret, Box::new(proof));
                let due = Due {
                    round: round.number,
                    until,
                    decided_at: Some(C::block_of(best)),
                };
                let receipt = self.chain.send(call, due).await?;
                tracing::info!(round = round.number, block = receipt.block.number, "Showed the decoy.");
            }
        }
        self.now().decoy_shown = Some(round.number);
        Ok(())
    }
}

/// What is due of a worker about a round of hardware challenges.
pub(super) enum HardwareDue {
    /// A response.
    Response(RoundView),
    /// That its response was a decoy is to be shown.
    Decoy(DecoyDue),
}

impl HardwareDue {
    /// The number of the round.
    pub const fn round(&self) -> u32 {
        match self {
            Self::Response(round) => round.number,
            Self::Decoy(decoy) => decoy.round.number,
        }
    }
}

/// A decoy that the chain can be shown.
pub(super) struct DecoyDue {
    /// The round in which it is the response.
    round: RoundView,
    secret: [u8; 32],
    /// The last block for that.
    until: BlockNumber,
}
