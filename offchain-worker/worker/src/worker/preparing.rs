//! Fetching a task's job and reading it, and measuring the devices: what is done before a bond is put up.

use super::{
    Shared,
    engines::{Lease, Wanted},
    money::Usable,
    policy::Unsuitable,
    speeds,
};
use crate::{
    Chain, WorkerError,
    chain::State,
    job::{in_time, job_bytes, keep_job, load_job, load_spec},
    sources::with_sources,
    turns::Turn,
};
use agora_blobs::{BlobError, Blobs};
use agora_chain::{BlockNumber, views::TaskView};
use agora_compute::{CpuEngine, Engine, EngineError, MemoryInputs, Verdict};
use agora_primitives::{
    TaskId,
    job::{Claim, JobSpec},
    participants::Specialisation,
};
use tokio::time::Instant;

/// A job that is here, read, and found to be what its task says.
pub(super) struct Prepared {
    pub spec: JobSpec,
    pub usable: Usable,
}

/// A job with its inputs, in memory.
pub(super) struct Loaded {
    pub spec: JobSpec,
    pub inputs: MemoryInputs,
    /// The memory that they take.
    pub held: Turn,
}

/// What is said about an input of `task` that cannot be had.
pub(super) fn input_of(task: TaskId) -> String {
    format!("input {task}")
}

/// What is said about the job of `task` on this machine.
pub(super) fn job_of(task: TaskId) -> String {
    format!("job {task}")
}

/// Behind everybody who has a deadline.
const LAST: BlockNumber = BlockNumber::MAX;

impl<C: Chain<State: State>> Shared<C> {
    /// Fetches a task's job into its own folder, and reads it as computing will.
    pub(super) async fn prepare(
        &self,
        task: &TaskView,
        at: &C::State,
    ) -> Result<Result<Prepared, Unsuitable>, WorkerError> {
        let blobs = with_sources(&self.blobs, at, task, Some(&self.account)).await;
        let spec = match in_time(0, load_spec(&blobs, &task.job)).await {
            Ok(spec) => spec,
            Err(WorkerError::Blobs(BlobError::Denied { .. })) => return Ok(Err(Unsuitable::Blob)),
            Err(WorkerError::Job(reason)) => {
                tracing::info!(reason, "The job cannot be used.");
                return Ok(Err(Unsuitable::Job));
            }
            Err(error) => return Ok(Err(self.input_missing(task.id, &error))),
        };
        // Asked before anything large is fetched.
        let denied = self.blobs.denied();
        if spec.inputs().iter().any(|input| denied.contains(&input.hash.0)) {
            return Ok(Err(Unsuitable::Blob));
        }
        if let Err(why) = self.config.policy.check_size(spec.work(), job_bytes(&spec)) {
            return Ok(Err(why));
        }
        if !self.engines.any_fits(&spec) {
            return Ok(Err(Unsuitable::Fit));
        }
        // Before the reveal its result is nobody else's to read.
        if let Err(error) = agora_blobs::private_folder(&self.folder(task.id)) {
            if self.told.is_new("disk", &error) {
                tracing::warn!(%error, folder = %self.tasks.display(), "The disk takes nothing: no task with inputs is taken until it does.");
            }
            return Ok(Err(Unsuitable::Disk));
        }
        self.told.is_over("disk");
        // What the publisher takes away later is here.
        let own = self.own(task.id)?;
        if let Err(error) = in_time(job_bytes(&spec), keep_job(&blobs, &own, &task.job, &spec)).await {
            return Ok(Err(self.input_missing(task.id, &error)));
        }
        let held = self.memory.take(LAST.into(), job_bytes(&spec)).await;
        let (spec, inputs) = match load_job(&own, &task.job).await {
            Ok(loaded) => loaded,
            Err(error) => return Ok(Err(self.input_missing(task.id, &error))),
        };
        let read = tokio::task::spawn_blocking(move || {
            let verdict = CpuEngine::new().check_claim(&spec, &inputs, &Claim::Unusable, &[], &rand::random());
            drop(inputs);
            drop(held);
            (spec, verdict)
        });
        let (spec, verdict) = read
            .await
            .map_err(|panic| WorkerError::Interrupted(panic.to_string()))?;
        let usable = match verdict {
            Ok(Verdict::Right) => Usable::No,
            Ok(Verdict::Wrong(_)) => Usable::Yes,
            Err(error) => return Ok(Err(self.input_missing(task.id, &error.into()))),
        };
        self.told.is_over(input_of(task.id));
        Ok(Ok(Prepared { spec, usable }))
    }

    /// Those who may have what a task in hand is made of.
    async fn sources(&self, task: &TaskView) -> Blobs {
        match self.chain.best().await {
            Ok(at) => with_sources(&self.blobs, &at, task, Some(&self.account)).await,
            Err(_) => self.blobs.clone(),
        }
    }

    fn input_missing(&self, task: TaskId, error: &WorkerError) -> Unsuitable {
        if self.told.is_new(input_of(task), error) {
            tracing::info!(%error, "An input cannot be had; looking for it again later.");
        }
        Unsuitable::Input
    }

    /// Loads the job of an accepted task, to be computed until block `until`: from its folder. What is damaged or missing
    /// there is fetched again; if the disk takes nothing, it is only held in memory.
    pub(super) async fn load(&self, view: &TaskView, until: BlockNumber) -> Result<Loaded, WorkerError> {
        let (task, source) = (view.id, &view.job);
        let folder = async { load_spec(&self.own(task)?, source).await };
        let spec = match folder.await {
            Ok(spec) => spec,
            Err(_) => load_spec(&self.sources(view).await, source).await?,
        };
        let held = self.memory.take(until.into(), job_bytes(&spec)).await;
        let folder = async { load_job(&self.own(task)?, source).await };
        let error = match folder.await {
            Ok((spec, inputs)) => return Ok(Loaded { spec, inputs, held }),
            Err(error) => error,
        };
        if self.told.is_new(job_of(task), &error) {
            tracing::warn!(%error, "The job's files on this machine cannot be used; fetching them again.");
        }
        let blobs = self.sources(view).await;
        let again = async {
            let own = self.own(task)?;
            keep_job(&blobs, &own, source, &spec).await?;
            load_job(&own, source).await
        };
        let (spec, inputs) = match again.await {
            Ok(loaded) => loaded,
            Err(_) => load_job(&blobs, source).await?,
        };
        Ok(Loaded { spec, inputs, held })
    }

    /// Measures how fast each device is at this kind of work that is idle and was not measured. Waits for one if no speed is
    /// known at all.
    pub(super) async fn ensure_speed(&self, spec: &JobSpec) -> Result<(), Unsuitable> {
        let kind = spec.specialisation();
        let mut measured = Ok(());
        while let Some(lease) = self.engines.take_unmeasured(kind) {
            measured = self.measure(lease, kind).await;
            if measured.is_err() {
                break;
            }
        }
        if self.engines.knows(kind) {
            return Ok(());
        }
        measured?;
        let patience = std::time::Duration::from_secs(600);
        let lease = self.engines.take(Instant::now() + patience, Wanted::default()).await;
        let lease = lease.ok_or(Unsuitable::Device)?;
        if self.engines.knows(kind) {
            return Ok(());
        }
        self.measure(lease, kind).await
    }

    async fn measure(&self, lease: Lease, kind: Specialisation) -> Result<(), Unsuitable> {
        let cancel = self.cancel.child();
        let measured = tokio::task::spawn_blocking(move || {
            let speed = speeds::measure(&lease, kind, &cancel);
            (lease, speed)
        });
        let Ok((lease, speed)) = measured.await else {
            return Err(Unsuitable::Device);
        };
        match speed {
            Ok(Some(speed)) => {
                tracing::info!(
                    device = lease.name(),
                    ?kind,
                    giga_operations_per_second = speed / 1e9,
                    "Measured."
                );
                lease.learn(kind, speed);
                Ok(())
            }
            Ok(None) => Err(Unsuitable::Kind),
            Err(EngineError::Cancelled) => Err(Unsuitable::Device),
            Err(error) => {
                let device = lease.name().to_owned();
                let rest = lease.rest();
                tracing::warn!(device, %error, seconds = rest.as_secs(), "The device failed, and rests.");
                Err(Unsuitable::Device)
            }
        }
    }
}
