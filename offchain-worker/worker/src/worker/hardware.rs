//! A worker's hardware challenges.

use super::Shared;
use crate::WorkerError;
use agora_blobs::BlobKind;
use agora_chain::{AtBlock, H256, calls, views::RoundView};
use agora_compute::{Computation, EngineError, MemoryInputs};
use agora_primitives::{job::JobSpec, participants::Role};
use std::time::{Duration, Instant};

impl Shared {
    /// The open round of hardware challenges, if this worker has not responded in it.
    pub(super) async fn open_round(&self, at: &AtBlock) -> Result<Option<RoundView>, WorkerError> {
        let Some(round) = at.hardware_round().await? else {
            return Ok(None);
        };
        let is_open = at.block.number < round.closes_at;
        let is_due = is_open && at.hardware_response(round.number, &self.account).await?.is_none();
        Ok(is_due.then_some(round))
    }

    /// Computes this worker's hardware challenge, and responds to it if there is still time. Nothing is kept for a
    /// later try, because a later response is refused.
    pub(super) async fn respond(&self, at: &AtBlock, round: &RoundView) -> Result<(), WorkerError> {
        let Some(participant) = at.participant(&self.account, Role::Worker).await? else {
            return Ok(());
        };
        let job = round.challenge(&self.account, participant.capability);
        let started = Instant::now();
        let Some(computation) = self.compute_within(job, Duration::from_millis(round.window_ms)).await? else {
            tracing::warn!(
                round = round.number,
                capability = participant.capability,
                "The hardware challenge was not computed in time: declare less with `agora profile --capability`, or keep the device free for it."
            );
            return Ok(());
        };
        let seconds = started.elapsed().as_secs_f64();
        let digest = H256(computation.digest());
        self.blobs.put(BlobKind::Output, computation.output).await?;
        let now = self.submitter.client().best().await?;
        if self.open_round(&now).await?.as_ref() != Some(round) {
            tracing::warn!(
                round = round.number,
                "The round of the computed hardware challenge is over, or another fork has opened it with another seed."
            );
            return Ok(());
        }
        let call = calls::respond(round.number, digest);
        let included = self.submitter.submit(&call).await?;
        tracing::info!(
            round = round.number,
            seconds,
            block = included.block.number,
            "Responded to the hardware challenge."
        );
        Ok(())
    }

    /// Computes `job` without inputs; `None` if it takes longer than `limit`.
    async fn compute_within(&self, job: JobSpec, limit: Duration) -> Result<Option<Computation>, WorkerError> {
        let cancel = self.cancel.child();
        let late = cancel.clone();
        let timer = tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            late.cancel();
        });
        let computed = self.compute_job(job, MemoryInputs::new(), cancel).await;
        let is_over = timer.is_finished();
        timer.abort();
        match computed {
            Err(WorkerError::Engine(EngineError::Cancelled)) if is_over => Ok(None),
            computed => computed.map(Some),
        }
    }
}
