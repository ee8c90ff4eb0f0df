//! What a worker does about one task: accept it, compute it, commit to the result, reveal it.
//!
//! Each step writes what a later one needs to the journal before it sends anything.

use super::{
    Shared,
    step::{Situation, Step},
};
#[cfg(feature = "fault-injection")]
use crate::fault::{Fault, Pause};
use crate::{
    Stage, TaskRecord, WorkerError,
    job::{copy, keep_job, load_job, load_spec},
};
use agora_blobs::{BlobKind, BlobStore};
use agora_chain::{
    AtBlock, BlockNumber, H256, calls,
    views::{ContributionState, TaskView},
};
use agora_compute::{CancelFlag, Computation, MemoryInputs};
use agora_primitives::{
    TaskId,
    commitment::commitment,
    job::{Claim, JobSpec},
};
use std::{path::PathBuf, time::Instant};

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
            (Step::End, _) | (_, None) => self.end(task, record).await,
            (Step::Accept, Some(view)) => self.accept(&view, record, at.block.number).await,
            (Step::Compute, Some(view)) => self.compute(&view, record).await,
            (Step::Commit, _) => self.commit(task, &record).await,
            (Step::Reveal, _) => self.reveal(task, record, situation.contribution).await,
            (Step::Serve, _) => self.serve(task, record).await,
        }
    }

    async fn end(&self, task: TaskId, record: TaskRecord) -> Result<(), WorkerError> {
        // Revealed, and the store failed until now: a last try, because what is paid for should be there.
        if record.stage == Stage::Revealing
            && let Err(error) = self.serve(task, record.clone()).await
        {
            tracing::error!(%task, %error, "The result could not be put where others find it.");
        }
        if let Err(error) = std::fs::remove_dir_all(self.folder(task))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%task, %error, "The task's folder could not be removed.");
        }
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
        let fetched = async {
            let job = load_spec(&self.blobs, &view.job).await?;
            // Asked before anything large is fetched.
            let suits = self.config.policy.check(view, job.work(), now);
            if suits.is_ok() {
                // Before the bond is put up: what the publisher takes away later is here.
                keep_job(&self.blobs, &self.own(task)?, &view.job, &job).await?;
            }
            Ok::<_, WorkerError>(suits)
        };
        match fetched.await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => {
                tracing::info!(%task, %why, "Not taken.");
                return self.end(task, record).await;
            }
            Err(error) => {
                self.end(task, record).await?;
                return Err(error);
            }
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
                self.end(task, record).await
            }
        }
    }

    async fn compute(&self, view: &TaskView, record: TaskRecord) -> Result<(), WorkerError> {
        let task = view.id;
        let (job, inputs) = load_job(&self.own(task)?, &view.job).await?;
        let started = Instant::now();
        tracing::info!(%task, operations = job.work(), "Computing.");
        let claim = match self.compute_job(job, inputs, self.cancel.clone()).await {
            Ok(computation) => self.keep(task, computation).await?,
            Err(WorkerError::Engine(error)) if error.is_unusable() => {
                tracing::warn!(%task, %error, "The inputs are unusable, and that is the result.");
                Claim::Unusable
            }
            Err(error) => return Err(error),
        };
        self.metrics.computed.inc();
        tracing::info!(%task, seconds = started.elapsed().as_secs_f64(), "Computed.");
        let record = TaskRecord {
            stage: Stage::Committing,
            claim: Some(claim),
            ..record
        };
        self.journal.put_task(task, &record)?;
        Ok(())
    }

    /// Keeps a result where nobody else sees it: before the reveal it would be an answer to copy.
    async fn keep(&self, task: TaskId, computation: Computation) -> Result<Claim, WorkerError> {
        let own = self.own(task)?;
        let claim = computation.claim();
        let states = computation.states().into_iter().flat_map(|digest| digest.0).collect();
        own.put(BlobKind::States, states).await?;
        own.put(BlobKind::Output, computation.output).await?;
        Ok(claim)
    }

    /// Puts the result where verifiers and the publisher find it, after it was revealed: a store that fails or stands still
    /// must not cost the bond. Tried again after later blocks until it is there.
    async fn serve(&self, task: TaskId, record: TaskRecord) -> Result<(), WorkerError> {
        if let Some(Claim::Output { output, states_root }) = record.claim {
            let own = self.own(task)?;
            for (kind, key) in [(BlobKind::States, states_root.0), (BlobKind::Output, output.hash.0)] {
                copy(&own, &self.blobs, kind, &key, u64::MAX).await?;
            }
        }
        let record = TaskRecord {
            stage: Stage::Served,
            ..record
        };
        self.journal.put_task(task, &record)?;
        Ok(())
    }

    /// The folder of a task.
    fn folder(&self, task: TaskId) -> PathBuf {
        self.tasks.join(task.to_string())
    }

    /// The store of a task's own.
    fn own(&self, task: TaskId) -> Result<BlobStore, WorkerError> {
        Ok(BlobStore::open(&self.folder(task).to_string_lossy())?)
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
        let Some(claim) = &record.claim else { return Ok(()) };
        let commitment = self.commitment(task, claim, record);
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
        let Some(claim) = record.claim else { return Ok(()) };
        let ours = self.commitment(task, &claim, &record);
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
        let call = calls::reveal(task, claim, record.salt);
        let included = self.submitter.submit(&call).await?;
        self.metrics.revealed.inc();
        tracing::info!(%task, block = included.block.number, "Revealed.");
        self.pause_at("after-reveal").await;
        self.serve(task, record).await
    }

    fn commitment(&self, task: TaskId, claim: &Claim, record: &TaskRecord) -> H256 {
        commitment(
            self.submitter.client().genesis_hash(),
            task,
            &self.account,
            claim,
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
