//! Computing a task: on the next device, until its deadline, and checked before anybody is told.

use super::{
    Shared,
    engines::{Lease, Wanted},
    preparing::Loaded,
    step::Situation,
};
#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{Chain, Stage, TaskRecord, WorkerError, chain::State, job::put_result};
use agora_chain::{BlockNumber, views::TaskView};
use agora_compute::{
    CancelFlag, Computation, CpuEngine, DeviceError, Engine, EngineError, MemoryInputs, NoProgress, Place, Verdict,
};
use agora_primitives::{
    TaskId,
    job::{Claim, JobSpec},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// What a job came to on one device.
enum Run {
    /// A result that passed the check.
    Sound(Computation),
    /// The inputs are unusable.
    Unusable,
    /// It was cancelled.
    Cancelled,
    /// The device failed, or its result did not pass the check.
    Failed(String),
    /// The device is too small for it.
    TooLarge(EngineError),
    /// Whatever computes it, it fails.
    Impossible(EngineError),
}

/// What a job came to.
pub(super) enum Computed {
    /// This.
    Result(Computation),
    /// The inputs are unusable.
    Unusable,
    /// Nothing, before its deadline or the end of this process.
    TooLate,
}

/// Whether a result is checked before it is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// It is.
    Yes,
    /// It is not: there is no time.
    No,
}

/// Until when a result is of use.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    /// The block after which nothing can be sent any more: then the computation is cancelled.
    pub until: BlockNumber,
    /// When that block is expected: who has the earliest deadline gets a device first.
    pub forecast: Instant,
}

impl<C: Chain<State: State>> Shared<C> {
    /// Computes a task's result and keeps it, for as long as it is of use. It is wanted before somebody else may take the slot.
    pub(super) async fn compute(
        &self,
        view: &TaskView,
        record: TaskRecord,
        best: Situation,
    ) -> Result<(), WorkerError> {
        let (task, until) = (view.id, view.until);
        // One block is left for the commitment to get into.
        let blocks = best.commit_by().saturating_sub(best.now).saturating_sub(1);
        let deadline = Deadline {
            until: best.of_use_until(),
            forecast: Instant::now() + self.config.policy.time_of(blocks),
        };
        let Loaded { spec, inputs, held } = self.load(view, until).await?;
        self.book.plan(task, self.planned(best.commit_by(), &spec));
        let started = Instant::now();
        tracing::info!(operations = spec.work(), "Computing.");
        let claim = match self.compute_job(spec, inputs, deadline, Check::Yes).await? {
            Computed::Result(computation) => self.keep(task, computation).await,
            Computed::Unusable => {
                tracing::warn!("The inputs are unusable, and that is the result.");
                Claim::Unusable
            }
            Computed::TooLate => return Ok(()),
        };
        drop(held);
        self.metrics.computed.inc();
        tracing::info!(seconds = started.elapsed().as_secs_f64(), "Computed.");
        let record = TaskRecord {
            stage: Stage::Committing,
            claim: Some(claim),
            ..record
        };
        self.book.advance(task, record);
        Ok(())
    }

    /// Keeps a result where nobody else sees it: before the reveal it would be an answer to copy. A result that the disk
    /// refuses stays in memory, and is tried again: the claim is enough to commit and to reveal.
    async fn keep(&self, task: TaskId, computation: Computation) -> Claim {
        let claim = computation.claim();
        let kept = async { put_result(&self.own(task)?, &computation).await };
        if let Err(error) = kept.await {
            if self.told.is_new(format!("result {task}"), &error) {
                tracing::warn!(%error, "The disk does not take the result: it is kept in memory, and the task goes on.");
            }
            self.now().unkept.insert(task, Arc::new(computation));
        }
        claim
    }

    /// Keeps a result that the disk refused, if it takes it now.
    pub(super) async fn keep_late(&self, task: TaskId) {
        let unkept = self.now().unkept.get(&task).cloned();
        let Some(computation) = unkept else { return };
        let kept = async { put_result(&self.own(task)?, &computation).await };
        if kept.await.is_ok() {
            self.now().unkept.remove(&task);
            self.told.is_over(format!("result {task}"));
        }
    }

    /// Computes `job` on the next device before `deadline`; on another one if it fails.
    ///
    /// Errors: those that every device would have.
    pub(super) async fn compute_job(
        &self,
        job: JobSpec,
        inputs: MemoryInputs,
        deadline: Deadline,
        check: Check,
    ) -> Result<Computed, WorkerError> {
        let (job, inputs) = (Arc::new(job), Arc::new(inputs));
        let mut wanted = Wanted {
            load: Some((job.specialisation(), agora_compute::load(&job))),
            without: self.engines.without(&job),
        };
        loop {
            let Some(lease) = self.engines.take(deadline.forecast, wanted.clone()).await else {
                if self.engines.has_others(&wanted.without) {
                    tracing::warn!("No device was free before the deadline.");
                    return Ok(Computed::TooLate);
                }
                return self.compute_on_processor(&job, &inputs, deadline).await;
            };
            let (device, index) = (lease.name().to_owned(), lease.index());
            match self.run_on(lease, &job, &inputs, deadline.until, check).await? {
                Run::Sound(computation) => return Ok(self.faulty(computation)),
                Run::Unusable => return Ok(Computed::Unusable),
                Run::Impossible(error) => return Err(error.into()),
                // No fault of the device: it stays ready for other jobs.
                Run::TooLarge(error) => {
                    tracing::warn!(device, %error, "The device is too small for the job.");
                    wanted.without.push(index);
                }
                Run::Cancelled => {
                    if !self.cancel.is_cancelled() {
                        tracing::warn!(
                            device,
                            "The computation was not done before its deadline, and is given up."
                        );
                    }
                    return Ok(Computed::TooLate);
                }
                Run::Failed(reason) => {
                    self.metrics.device_failures.inc();
                    tracing::warn!(
                        device,
                        reason,
                        "The device rests; its work is done again, on another one if there is one."
                    );
                }
            }
        }
    }

    /// Computes what no device is large enough for: the bond is at stake, and the processor may be in time.
    async fn compute_on_processor(
        &self,
        job: &Arc<JobSpec>,
        inputs: &Arc<MemoryInputs>,
        deadline: Deadline,
    ) -> Result<Computed, WorkerError> {
        tracing::warn!("No device is large enough for the job; the processor computes it, more slowly.");
        let cancel = self.cancel.child();
        let _guard = self.running.add(deadline.until, cancel.clone());
        let (job, inputs) = (Arc::clone(job), Arc::clone(inputs));
        let ran = tokio::task::spawn_blocking(move || {
            match CpuEngine::new().run(&job, inputs.as_ref(), &NoProgress, &cancel) {
                Err(error) => failed(error, &job, &inputs),
                Ok(computation) => Run::Sound(computation),
            }
        });
        match ran.await.map_err(|panic| WorkerError::Interrupted(panic.to_string()))? {
            Run::Sound(computation) => Ok(self.faulty(computation)),
            Run::Unusable => Ok(Computed::Unusable),
            Run::Cancelled => Ok(Computed::TooLate),
            Run::Failed(reason) => Err(WorkerError::Interrupted(reason)),
            Run::TooLarge(error) | Run::Impossible(error) => Err(error.into()),
        }
    }

    async fn run_on(
        &self,
        lease: Lease,
        job: &Arc<JobSpec>,
        inputs: &Arc<MemoryInputs>,
        until: BlockNumber,
        check: Check,
    ) -> Result<Run, WorkerError> {
        let cancel = self.cancel.child();
        let _guard = self.running.add(until, cancel.clone());
        let (job, inputs, metrics) = (Arc::clone(job), Arc::clone(inputs), self.metrics.clone());
        let ran = tokio::task::spawn_blocking(move || {
            let progress = |done: u32, total: u32| {
                metrics
                    .progress_permille
                    .set(i64::from(done) * 1000 / i64::from(total.max(1)));
            };
            let run = catch_unwind(AssertUnwindSafe(|| {
                match lease.run(&job, inputs.as_ref(), &progress, &cancel) {
                    Err(error) => failed(error, &job, &inputs),
                    Ok(computation) if check == Check::Yes => checked(computation, &job, &inputs, &cancel),
                    Ok(computation) => Run::Sound(computation),
                }
            }));
            let run = run.unwrap_or_else(|_| Run::Failed("its driver or its code panicked".to_owned()));
            if matches!(run, Run::Failed(_)) {
                let rest: Duration = lease.rest();
                tracing::debug!(seconds = rest.as_secs(), "A device rests.");
            }
            run
        })
        .await;
        ran.map_err(|panic| WorkerError::Interrupted(panic.to_string()))
    }

    /// The computation, or a wrong one if that is asked for.
    #[cfg(feature = "fault-injection")]
    fn faulty(&self, mut computation: Computation) -> Computed {
        match self.config.fault {
            Some(Fault::Unusable) => return Computed::Unusable,
            Some(Fault::Corrupt) => corrupt(&mut computation),
            _ => {}
        }
        Computed::Result(computation)
    }

    #[cfg(not(feature = "fault-injection"))]
    fn faulty(&self, computation: Computation) -> Computed {
        Computed::Result(computation)
    }
}

/// What an engine's error means.
fn failed(error: EngineError, job: &JobSpec, inputs: &MemoryInputs) -> Run {
    match error {
        EngineError::Cancelled => Run::Cancelled,
        error if error.is_unusable() => match verdict(job, inputs, &Claim::Unusable, &[]) {
            Ok(Verdict::Right) => Run::Unusable,
            _ => Run::Failed(format!(
                "it says that the inputs are unusable, and they are not: {error}"
            )),
        },
        error @ EngineError::Device(DeviceError::Limit { .. }) => Run::TooLarge(error),
        error @ (EngineError::Job(_) | EngineError::Input(_)) => Run::Impossible(error),
        error => Run::Failed(error.to_string()),
    }
}

/// Checks a result of one's own on the processor, with randomness that nobody knows: a wrong one costs a part of the bond.
fn checked(computation: Computation, job: &JobSpec, inputs: &MemoryInputs, cancel: &CancelFlag) -> Run {
    match verdict(job, inputs, &computation.claim(), &computation.output) {
        _ if cancel.is_cancelled() => Run::Cancelled,
        Ok(Verdict::Right) => Run::Sound(computation),
        Ok(Verdict::Wrong(place)) => Run::Failed(wrong(&place)),
        Err(error) => Run::Failed(format!("its result cannot be checked: {error}")),
    }
}

fn wrong(place: &Place) -> String {
    format!("its result is wrong: {place}")
}

fn verdict(job: &JobSpec, inputs: &MemoryInputs, claim: &Claim, output: &[u8]) -> Result<Verdict, EngineError> {
    CpuEngine::new().check_claim(job, inputs, claim, output, &rand::random())
}

/// Changes one residue of an output.
#[cfg(feature = "fault-injection")]
pub fn corrupted(output: &mut [u8]) {
    if let Some(residue) = output.first_mut() {
        *residue = (*residue + 1) % 251;
    }
}

/// Changes one residue consistently: the digest is that of the changed output.
#[cfg(feature = "fault-injection")]
fn corrupt(computation: &mut Computation) {
    corrupted(&mut computation.output);
    if let Some(last) = computation.state_digests.last_mut() {
        *last = agora_compute::output_digest(&computation.output);
    }
}
