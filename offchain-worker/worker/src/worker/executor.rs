//! What a worker does about one task: accept it, compute it, commit to the result, reveal it.
//!
//! Each step writes what a later one needs to the journal before it sends anything.

use super::{
    Shared,
    step::{Situation, Step},
};
#[cfg(feature = "fault-injection")]
use crate::fault::{Fault, Pause};
use crate::{Stage, TaskRecord, WorkerError, job::load_job};
use agora_blobs::BlobKind;
use agora_chain::{
    AtBlock, BlockNumber, H256, calls,
    views::{ContributionState, TaskView},
};
use agora_compute::{CancelFlag, Computation, MemoryInputs};
use agora_primitives::{TaskId, commitment::commitment, job::JobSpec};
use std::time::Instant;

impl Shared {
    /// Does what is due about one task.
    pub(super) async fn step(&self, task: TaskId, at: &AtBlock, record: TaskRecord) -> Result<(), WorkerError> {
        let view = at.task(task).await?;
        let contribution = at.contribution(task, &self.account).await?;
        let situation = Situation {
            now: at.block.number,
            phase: view.as_ref().map(|view| view.phase),
            contribution: contribution.as_ref().map(|contribution| contribution.state),
            until: view.as_ref().map_or(0, |view| view.until),
        };
        let step = Step::decide(situation, record.stage);
        match (step, view) {
            (Step::Wait, _) => Ok(()),
            (Step::End, _) | (_, None) => self.end(task, record),
            (Step::Accept, Some(view)) => self.accept(&view, record, at.block.number).await,
            (Step::Compute, Some(view)) => self.compute(&view, record).await,
            (Step::Commit, _) => self.commit(task, &record).await,
            (Step::Reveal, _) => {
                let on_chain = situation.contribution;
                self.reveal(task, record, on_chain).await
            }
        }
    }

    fn end(&self, task: TaskId, record: TaskRecord) -> Result<(), WorkerError> {
        self.journal.put_task(
            task,
            &TaskRecord {
                stage: Stage::Ended,
                ..record
            },
        )?;
        self.metrics.ended.inc();
        tracing::info!(%task, "The task has ended.");
        Ok(())
    }

    async fn accept(&self, view: &TaskView, record: TaskRecord, now: BlockNumber) -> Result<(), WorkerError> {
        let task = view.id;
        // Fetched before the bond is put up.
        let job = match load_job(&self.blobs, &view.job).await {
            Ok((job, _)) => job,
            Err(error) => {
                self.end(task, record)?;
                return Err(error);
            }
        };
        if let Err(why) = self.config.policy.check(view, job.work(), now) {
            tracing::info!(%task, %why, "Not taken.");
            return self.end(task, record);
        }
        self.pause_at("before-accept").await;
        match self.submitter.submit(&calls::accept(task)).await {
            Ok(included) => {
                self.metrics.accepted.inc();
                tracing::info!(%task, block = included.block.number, "Accepted.");
                self.pause_at("after-accept").await;
                Ok(())
            }
            Err(error) if error.is_recoverable() => Err(error.into()),
            Err(error) => {
                tracing::info!(%task, %error, "The chain refused the acceptance.");
                self.end(task, record)
            }
        }
    }

    async fn compute(&self, view: &TaskView, record: TaskRecord) -> Result<(), WorkerError> {
        let task = view.id;
        let (job, inputs) = load_job(&self.blobs, &view.job).await?;
        let started = Instant::now();
        tracing::info!(%task, operations = job.work(), "Computing.");
        let computation = self.compute_job(job, inputs, self.cancel.clone()).await?;
        self.metrics.computed.inc();
        tracing::info!(%task, seconds = started.elapsed().as_secs_f64(), "Computed.");
        let (digest, trace_root) = (computation.digest(), computation.trace_root(&self.account.0));
        // Stored before the commitment is sent, so that verifiers and the publisher find it.
        self.blobs.put(BlobKind::Output, computation.output).await?;
        self.journal.put_task(
            task,
            &TaskRecord {
                stage: Stage::Committing,
                digest,
                trace_root,
                ..record
            },
        )?;
        Ok(())
    }

    /// Computes `job` on the next idle device.
    pub(super) async fn compute_job(
        &self,
        job: JobSpec,
        inputs: MemoryInputs,
        cancel: CancelFlag,
    ) -> Result<Computation, WorkerError> {
        let computed = self.engines.run(job, inputs, self.metrics.clone(), cancel);
        #[cfg_attr(not(feature = "fault-injection"), allow(unused_mut))]
        let mut computation = computed.await?;
        #[cfg(feature = "fault-injection")]
        if self.config.fault == Some(Fault::Corrupt) {
            corrupt(&mut computation);
        }
        Ok(computation)
    }

    async fn commit(&self, task: TaskId, record: &TaskRecord) -> Result<(), WorkerError> {
        let commitment = self.commitment(task, record);
        self.pause_at("before-commit").await;
        let included = self.submitter.submit(&calls::commit(task, commitment)).await?;
        self.metrics.committed.inc();
        tracing::info!(%task, block = included.block.number, "Committed.");
        self.pause_at("after-commit").await;
        Ok(())
    }

    async fn reveal(
        &self,
        task: TaskId,
        record: TaskRecord,
        on_chain: Option<ContributionState>,
    ) -> Result<(), WorkerError> {
        #[cfg(feature = "fault-injection")]
        if self.config.fault == Some(Fault::Silent) {
            return Ok(());
        }
        let ours = self.commitment(task, &record);
        if let Some(ContributionState::Committed { commitment, .. }) = on_chain
            && commitment != ours
        {
            tracing::error!(%task, "The commitment on chain is not the one in the journal, so the result cannot be revealed. Was the journal replaced?");
            return Ok(());
        }
        let record = TaskRecord {
            stage: Stage::Revealing,
            ..record
        };
        self.journal.put_task(task, &record)?;
        self.pause_at("before-reveal").await;
        let call = calls::reveal(task, H256(record.digest), H256(record.trace_root), record.salt);
        let included = self.submitter.submit(&call).await?;
        self.metrics.revealed.inc();
        tracing::info!(%task, block = included.block.number, "Revealed.");
        self.pause_at("after-reveal").await;
        Ok(())
    }

    fn commitment(&self, task: TaskId, record: &TaskRecord) -> H256 {
        commitment(
            self.submitter.client().genesis_hash(),
            task,
            &self.account,
            H256(record.digest),
            H256(record.trace_root),
            &record.salt,
        )
    }

    #[cfg(feature = "fault-injection")]
    async fn pause_at(&self, name: &str) {
        if let Some(Fault::Pause(pause)) = self.config.fault
            && Pause::ALL.contains(&(name, pause))
        {
            tracing::warn!("Paused at {name} by fault injection.");
            std::future::pending::<()>().await;
        }
    }

    #[cfg(not(feature = "fault-injection"))]
    async fn pause_at(&self, _: &str) {}
}

/// Changes one residue consistently: the digest is that of the changed output.
#[cfg(feature = "fault-injection")]
fn corrupt(computation: &mut Computation) {
    if let (Some(residue), Some(last)) = (computation.output.first_mut(), computation.state_digests.last_mut()) {
        *residue = (*residue + 1) % 251;
        *last = agora_compute::output_digest(&computation.output);
    }
}
