//! A worker's hardware challenges.

use super::{
    Shared,
    computing::{Check, Computed, Deadline},
};
use crate::{Call, Chain, Due, WorkerError, chain::State};
use agora_blobs::BlobKind;
use agora_chain::{ChainError, H256, views::RoundView};
use agora_compute::MemoryInputs;
use agora_primitives::participants::Role;
use std::time::Duration;
use tokio::time::Instant;

impl<C: Chain<State: State>> Shared<C> {
    /// The open round of hardware challenges, if this worker has not responded in it.
    pub(super) async fn open_round(&self, best: &C::State) -> Result<Option<RoundView>, WorkerError> {
        let Some(round) = best.hardware_round().await? else {
            return Ok(None);
        };
        let is_open = C::block_of(best).number < round.closes_at;
        let is_due = is_open && best.hardware_response(round.number, &self.account).await?.is_none();
        Ok(is_due.then_some(round))
    }

    /// Computes this worker's hardware challenge, and responds to it if there is still time. Nothing is kept for a
    /// later try, because a later response is refused.
    pub(super) async fn respond(&self, best: &C::State, round: &RoundView) -> Result<(), WorkerError> {
        let Some(participant) = C::participant(best, &self.account, Role::Worker).await? else {
            return Ok(());
        };
        let job = round.challenge(&self.account, participant.capability);
        let started = Instant::now();
        let deadline = Deadline {
            until: round.closes_at.saturating_sub(1),
            forecast: started + Duration::from_millis(round.window_ms),
        };
        // The window is short, and verifiers check it.
        let computed = self.compute_job(job, MemoryInputs::new(), deadline, Check::No).await?;
        let Computed::Result(computation) = computed else {
            tracing::warn!(
                round = round.number,
                capability = participant.capability,
                "The hardware challenge was not computed in time: declare less with `agora profile --capability`, or keep the device free for it."
            );
            return Ok(());
        };
        let seconds = started.elapsed().as_secs_f64();
        let digest = H256(computation.digest());
        self.blobs.store().put(BlobKind::Output, computation.output).await?;
        let receipt = loop {
            let now = self.chain.best().await?;
            if self.open_round(&now).await?.as_ref() != Some(round) {
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
}
