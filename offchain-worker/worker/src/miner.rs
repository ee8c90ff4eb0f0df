//! The worker.

mod engines;
mod hardware;

#[cfg(feature = "fault-injection")]
use crate::fault::{Fault, Pause};
use crate::{
    Journal, Metrics, MinerError, Policy, Stage, TaskRecord,
    driver::{Driver, Duty, Matter, Steps},
    step::{Situation, Step},
};
use agora_blobs::{BlobKind, BlobStore};
use agora_chain::{
    AccountId, AtBlock, BlockNumber, H256, Submitter, calls,
    views::{ContributionState, TaskView},
};
use agora_compute::{CancelFlag, Computation, Engine, MemoryInputs};
use agora_primitives::{
    TaskId,
    commitment::commitment,
    job::{JobSource, JobSpec},
    participants::Role,
};
use codec::DecodeAll;
use std::{sync::Arc, time::Instant};
use tokio_util::sync::CancellationToken;

use engines::EnginePool;

/// How many ended tasks the journal remembers.
const REMEMBERED: usize = 10_000;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct MinerConfig {
    /// Which tasks it takes.
    pub policy: Policy,
    /// How many tasks it has in hand at most. Not above the slots it registered.
    pub slots: usize,
    /// Blocks between two heartbeats.
    pub heartbeat_every: BlockNumber,
    /// Deliberate misbehaviour.
    #[cfg(feature = "fault-injection")]
    pub fault: Option<Fault>,
}

/// A worker: one account, one journal, any number of devices.
pub struct Miner {
    shared: Arc<Shared>,
}

struct Shared {
    submitter: Submitter,
    account: AccountId,
    journal: Journal,
    blobs: BlobStore,
    engines: EnginePool,
    config: MinerConfig,
    metrics: Metrics,
    cancel: CancelFlag,
}

impl Miner {
    /// A worker that signs with `submitter`, remembers in `journal`, and computes on `engines`.
    pub fn new(
        submitter: Submitter,
        journal: Journal,
        blobs: BlobStore,
        engines: Vec<Arc<dyn Engine>>,
        config: MinerConfig,
        metrics: Metrics,
    ) -> Self {
        let account = *submitter.account();
        let shared = Shared {
            submitter,
            account,
            journal,
            blobs,
            engines: EnginePool::new(engines),
            config,
            metrics,
            cancel: CancelFlag::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Works until `shutdown`, then finishes the transactions that are under way. Computations are broken off: the
    /// journal knows that they are to be made, and so they are at the next start.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), MinerError> {
        self.shared.journal.prune(REMEMBERED)?;
        let shared = &self.shared;
        let driver = Driver::new(
            &shared.submitter,
            Role::Worker,
            &shared.metrics,
            shared.config.heartbeat_every,
        );
        let steps = driver.run(&mut self, shutdown).await?;
        self.shared.cancel.cancel();
        steps.drain().await;
        Ok(())
    }

    fn wants(&self, view: &TaskView, now: BlockNumber) -> bool {
        let work = match &view.job {
            JobSource::Inline(spec) => spec.work(),
            // Not known before it is fetched; checked again then.
            JobSource::Stored(_) => 0,
        };
        if view.publisher == self.shared.account || !view.takes(&self.shared.account, now) {
            return false;
        }
        match self.shared.config.policy.check(view, work, now) {
            Ok(()) => true,
            Err(why) => {
                tracing::debug!(task = %view.id, %why, "Not taken.");
                false
            }
        }
    }

    fn start(&self, task: TaskId, at: &AtBlock, record: TaskRecord, steps: &mut Steps) {
        let (shared, at) = (Arc::clone(&self.shared), at.clone());
        steps.start(task, async move { shared.step(task, &at, record).await });
    }
}

impl Duty for Miner {
    async fn look(&mut self, at: &AtBlock, steps: &mut Steps) -> Result<(), MinerError> {
        // First, for its round closes soon.
        if let Some(round) = self.shared.open_challenge(at).await?
            && !steps.are_busy_with(Matter::Challenge(round.number))
        {
            let (shared, at) = (Arc::clone(&self.shared), at.clone());
            steps.start(Matter::Challenge(round.number), async move {
                shared.answer_challenge(&at, &round).await
            });
        }
        let unfinished = self.shared.journal.unfinished()?;
        self.shared
            .metrics
            .tasks_in_hand
            .set(i64::try_from(unfinished.len()).unwrap_or(i64::MAX));
        let mut free = self.shared.config.slots.saturating_sub(unfinished.len());
        for (task, record) in unfinished {
            self.start(task, at, record, steps);
        }
        if free == 0 {
            return Ok(());
        }
        for view in at.tasks_wanting_workers().await? {
            if free == 0 {
                break;
            }
            if steps.are_busy_with(view.id) || self.shared.is_done_with(&view)? {
                continue;
            }
            if self.wants(&view, at.block.number) {
                let salt: [u8; 32] = rand::random();
                let record = TaskRecord {
                    stage: Stage::Accepting,
                    round: view.round,
                    salt,
                    digest: [0; 32],
                    trace_root: [0; 32],
                };
                self.shared.journal.put_task(view.id, &record)?;
                self.start(view.id, at, record, steps);
                free -= 1;
            }
        }
        Ok(())
    }
}

impl Shared {
    /// Whether the journal has dealt with the task's current round. A worker that found no place in one round may take
    /// part in a later one.
    fn is_done_with(&self, view: &TaskView) -> Result<bool, MinerError> {
        let record = self.journal.task(view.id)?;
        Ok(record.is_some_and(|record| record.stage != Stage::Ended || record.round >= view.round))
    }

    /// Does what is due about one task.
    async fn step(&self, task: TaskId, at: &AtBlock, record: TaskRecord) -> Result<(), MinerError> {
        let view = at.task(task).await?;
        let contribution = at.contribution(task, &self.account).await?;
        let situation = Situation {
            now: at.block.number,
            phase: view.as_ref().map(|view| view.phase),
            until: view.as_ref().map_or(0, |view| view.until),
            contribution: contribution.as_ref().map(|contribution| contribution.state),
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

    fn end(&self, task: TaskId, record: TaskRecord) -> Result<(), MinerError> {
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

    async fn accept(&self, view: &TaskView, record: TaskRecord, now: BlockNumber) -> Result<(), MinerError> {
        let task = view.id;
        // A job and its inputs are looked at before money is put up for it.
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
                tracing::info!(%task, %error, "The task was not to be had.");
                self.end(task, record)
            }
        }
    }

    async fn compute(&self, view: &TaskView, record: TaskRecord) -> Result<(), MinerError> {
        let task = view.id;
        let (job, inputs) = load_job(&self.blobs, &view.job).await?;
        let started = Instant::now();
        tracing::info!(%task, operations = job.work(), "Computing.");
        let computation = self.compute_job(job, inputs, self.cancel.clone()).await?;
        self.metrics.computed.inc();
        tracing::info!(%task, seconds = started.elapsed().as_secs_f64(), "Computed.");
        let (digest, trace_root) = (computation.digest(), computation.trace_root(&self.account.0));
        // The result is where verifiers and the publisher find it before the chain hears of it.
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

    async fn compute_job(
        &self,
        job: JobSpec,
        inputs: MemoryInputs,
        cancel: CancelFlag,
    ) -> Result<Computation, MinerError> {
        let computed = self.engines.run(job, inputs, self.metrics.clone(), cancel);
        #[cfg_attr(not(feature = "fault-injection"), allow(unused_mut))]
        let mut computation = computed.await?;
        #[cfg(feature = "fault-injection")]
        if self.config.fault == Some(Fault::Corrupt) {
            corrupt(&mut computation);
        }
        Ok(computation)
    }

    async fn commit(&self, task: TaskId, record: &TaskRecord) -> Result<(), MinerError> {
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
    ) -> Result<(), MinerError> {
        #[cfg(feature = "fault-injection")]
        if self.config.fault == Some(Fault::Silent) {
            return Ok(());
        }
        let ours = self.commitment(task, &record);
        if let Some(ContributionState::Committed { commitment, .. }) = on_chain
            && commitment != ours
        {
            tracing::error!(%task, "The commitment on chain is not the journal's: was the journal replaced?");
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

/// Changes one residue, consistently: the digest is that of the changed output.
#[cfg(feature = "fault-injection")]
fn corrupt(computation: &mut Computation) {
    if let (Some(residue), Some(last)) = (computation.output.first_mut(), computation.state_digests.last_mut()) {
        *residue = (*residue + 1) % 251;
        *last = agora_compute::output_digest(&computation.output);
    }
}

/// Fetches a task's job specification, checks that it is what the chain says, and fetches the job's inputs.
///
/// Errors: `Blobs` if something cannot be fetched, `Job` if the specification is not what `source` says.
pub async fn load_job(blobs: &BlobStore, source: &JobSource) -> Result<(JobSpec, MemoryInputs), MinerError> {
    let spec = match source {
        JobSource::Inline(spec) => spec.clone(),
        JobSource::Stored(stored) => {
            let bytes = blobs.get(BlobKind::Job, &stored.hash.0, stored.size.into()).await?;
            JobSpec::decode_all(&mut bytes.as_slice()).map_err(|error| MinerError::Job(error.to_string()))?
        }
    };
    spec.validate().map_err(|error| MinerError::Job(error.to_string()))?;
    if spec.specialisation() != source.specialisation() {
        return Err(MinerError::Job(
            "it is another kind of work than the chain says".to_owned(),
        ));
    }
    let mut inputs = MemoryInputs::new();
    for input in spec.inputs() {
        inputs.insert(blobs.get(BlobKind::Input, &input.hash.0, input.size.into()).await?);
    }
    Ok((spec, inputs))
}
