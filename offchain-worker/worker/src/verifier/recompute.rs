//! Computing a result instead of checking it: what its workers withhold, or everything.
//!
//! A check needs the output. Whoever withholds it could keep everybody from looking; but work that a machine checks follows from the job, so
//! that a verifier can come to the right claim without it, and has the output then.

use crate::{
    WorkerError,
    job::{fetch_inputs, in_time, job_bytes, load_inputs},
    turns::{Lanes, Turn, Turns},
};
use agora_blobs::Blobs;
use agora_chain::BlockNumber;
use agora_compute::{
    CancelFlag, Computation, CpuEngine, DeviceError, Engine, EngineError, Inputs, NoProgress, Verdict,
};
use agora_primitives::job::{Claim, JobSpec};
use std::sync::Arc;

/// Which results a verifier computes itself. Its own claim decides then, not a check of drawn parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recompute {
    /// None: a result that nobody gives is not judged.
    Never,
    /// Those that nobody gives.
    Withheld,
    /// All.
    Always,
}

/// How long a result is waited for before it counts as withheld, in a window that was first seen in block `since` and ends with block
/// `until`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Patience {
    /// From this block on, if nobody gives it: workers serve what they have revealed a little later, and stores are restarted.
    pub refused_at: BlockNumber,
    /// From this block on, if it is still arriving: whoever gives it so slowly may mean to.
    pub slow_at: BlockNumber,
}

impl Patience {
    pub fn of(since: BlockNumber, until: BlockNumber) -> Self {
        let span = until.saturating_sub(since);
        Self {
            refused_at: since.saturating_add(span / 8),
            slow_at: since.saturating_add(span.div_ceil(4)),
        }
    }
}

/// What a job comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Own {
    /// This.
    Result(Computation),
    /// Its inputs are unusable.
    Unusable,
}

impl Own {
    /// The claim that is right.
    pub fn claim(&self) -> Claim {
        match self {
            Self::Result(computation) => computation.claim(),
            Self::Unusable => Claim::Unusable,
        }
    }
}

/// Computes jobs, one of each size at a time, beside the checks.
pub(super) struct Recomputer {
    engine: Arc<dyn Engine>,
    which: Recompute,
    max_work: u128,
    lanes: Lanes,
    /// The memory that inputs and outputs may take, in bytes.
    memory: Turns,
}

impl Recomputer {
    /// Computes on `engine` those jobs that `which` names, if they have at most `max_work` multiply–adds. Inputs and outputs take at most
    /// `memory` bytes, all together.
    pub fn new(engine: Arc<dyn Engine>, which: Recompute, max_work: u128, memory: u64) -> Self {
        Self {
            engine,
            which,
            max_work,
            lanes: Lanes::default(),
            memory: Turns::new(memory),
        }
    }

    /// Which results of `job` it computes.
    pub fn which(&self, job: &JobSpec) -> Recompute {
        match job.work() <= self.max_work {
            true => self.which,
            false => Recompute::Never,
        }
    }

    /// What `job` comes to, about which somebody claims `claim`; those of a lower `rank` come first. `fetching` is given back once its inputs
    /// are on this disk. `None`: it was not done before `too_late` was.
    ///
    /// Errors: `Blobs`, `TooSlow`, `Engine`, `Interrupted`.
    pub async fn compute(
        &self,
        blobs: &Blobs,
        job: JobSpec,
        claim: Claim,
        rank: u64,
        fetching: Turn,
        too_late: impl Future<Output = ()>,
    ) -> Result<Option<Own>, WorkerError> {
        tokio::pin!(too_late);
        let bytes = job_bytes(&job);
        let prepared = async {
            in_time(bytes, fetch_inputs(blobs, &job)).await?;
            drop(fetching);
            let lane = self.lanes.take(job.work(), rank).await;
            let held = self.memory.take(rank, bytes).await;
            let inputs = in_time(bytes, load_inputs(blobs, &job)).await?;
            Ok::<_, WorkerError>(((lane, held), inputs))
        };
        let (_turns, inputs) = tokio::select! {
            prepared = prepared => prepared?,
            () = &mut too_late => return Ok(None),
        };
        // Cancelled as well when nobody waits for it any more.
        let cancel = Cancelled(CancelFlag::new());
        let (engine, flag) = (Arc::clone(&self.engine), cancel.0.clone());
        let mut running = tokio::task::spawn_blocking(move || surely(engine.as_ref(), &job, &inputs, &claim, &flag));
        let computed = tokio::select! {
            computed = &mut running => computed,
            () = too_late => {
                cancel.0.cancel();
                running.await
            }
        };
        match computed.map_err(|panic| WorkerError::Interrupted(panic.to_string()))? {
            Err(EngineError::Cancelled) => Ok(None),
            computed => Ok(Some(computed?)),
        }
    }
}

/// Cancels what has the flag when it is dropped.
pub(crate) struct Cancelled(pub CancelFlag);

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What `job` comes to. A device is believed if it comes to what is claimed; that a claim is wrong is never its word alone: the processor
/// computes the job, too.
fn surely(
    engine: &dyn Engine,
    job: &JobSpec,
    inputs: &dyn Inputs,
    claim: &Claim,
    cancel: &CancelFlag,
) -> Result<Own, EngineError> {
    let processor = CpuEngine::new();
    match once(engine, job, inputs, cancel) {
        Ok(own) if own.claim() == *claim || engine.name() == processor.name() => Ok(own),
        Ok(device) => {
            let own = once(&processor, job, inputs, cancel)?;
            if own != device {
                tracing::error!(
                    device = engine.name(),
                    "The device computes something else than the processor, which is believed."
                );
            }
            Ok(own)
        }
        Err(EngineError::Device(error)) => {
            match error {
                DeviceError::Limit { .. } => {
                    tracing::warn!(%error, "The device is too small for this job; the processor computes it.");
                }
                _ => tracing::error!(%error, "The device failed; the processor computes the job."),
            }
            once(&processor, job, inputs, cancel)
        }
        Err(error) => Err(error),
    }
}

/// What `engine` says that `job` comes to.
///
/// Errors: those of [`Engine::run`], but not that the inputs are unusable.
pub(crate) fn once(
    engine: &dyn Engine,
    job: &JobSpec,
    inputs: &dyn Inputs,
    cancel: &CancelFlag,
) -> Result<Own, EngineError> {
    match engine.run(job, inputs, &NoProgress, cancel) {
        Ok(computation) => Ok(Own::Result(computation)),
        Err(error) if error.is_unusable() => {
            let checked = CpuEngine::new().check_claim(job, inputs, &Claim::Unusable, &[], &rand::random())?;
            match checked {
                Verdict::Right => Ok(Own::Unusable),
                Verdict::Wrong(_) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_blobs::{
        BlobError, BlobStore, Cache,
        http::{PeerLimits, Peers},
    };
    use agora_compute::{JobKind, NoInputs, Progress};
    use agora_primitives::job::{BlobRef, MatmulJob, SyntheticJob};
    use std::sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    };

    fn small(iterations: u32) -> JobSpec {
        JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [1; 32],
            matrix_size: 8,
            iterations,
        }))
    }

    fn right(job: &JobSpec) -> Computation {
        let computed = CpuEngine::new().run(job, &NoInputs, &NoProgress, &CancelFlag::new());
        computed.expect("it can be computed")
    }

    /// Does what it is told in each run, and counts them.
    struct Told<F>(F, AtomicU32);

    impl<F: Fn(&JobSpec, &CancelFlag) -> Result<Computation, EngineError> + Send + Sync> Engine for Told<F> {
        fn name(&self) -> &str {
            "told"
        }

        fn run(
            &self,
            job: &JobSpec,
            _: &dyn Inputs,
            _: &dyn Progress,
            cancel: &CancelFlag,
        ) -> Result<Computation, EngineError> {
            self.1.fetch_add(1, Ordering::SeqCst);
            (self.0)(job, cancel)
        }
    }

    fn told<F: Fn(&JobSpec, &CancelFlag) -> Result<Computation, EngineError> + Send + Sync>(run: F) -> Told<F> {
        Told(run, AtomicU32::new(0))
    }

    #[test]
    fn a_device_alone_never_says_that_a_claim_is_wrong() {
        let job = small(2);
        let claim = right(&job).claim();
        let judge = |engine: &dyn Engine| {
            let own = surely(engine, &job, &NoInputs, &claim, &CancelFlag::new());
            own.expect("the processor computes it").claim()
        };
        // Wrong; broken; and one that computes the result of another job.
        assert_eq!(
            judge(&told(|job, _| {
                let mut wrong = right(job);
                wrong.output[0] ^= 1;
                wrong.state_digests.pop();
                Ok(wrong)
            })),
            claim
        );
        let lost = || {
            EngineError::Device(DeviceError::Lost {
                device: "a".into(),
                reason: "b".into(),
            })
        };
        assert_eq!(judge(&told(|_, _| Err(lost()))), claim);
        assert_eq!(judge(&told(|_, _| Ok(right(&small(3))))), claim);
        // And a wrong claim is found by both.
        let own = surely(
            &told(|job, _| Ok(right(job))),
            &job,
            &NoInputs,
            &right(&small(3)).claim(),
            &CancelFlag::new(),
        );
        assert_eq!(own.expect("computed").claim(), claim);
    }

    fn blobs(folder: &std::path::Path) -> Blobs {
        let cache = Cache::open(&folder.join("cache"), 1 << 20).expect("it opens");
        let store = BlobStore::open(&folder.join("blobs").display().to_string()).expect("it opens");
        let peers = Peers::new(PeerLimits::default()).expect("a client");
        Blobs::new(store, cache, peers, Vec::new())
    }

    #[tokio::test]
    async fn what_is_not_done_in_time_is_cancelled_and_inputs_that_are_gone_are_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = blobs(folder.path());
        let fetching = Turns::new(1);
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let begun = Mutex::new(Some(begun));
        let engine = told(move |_, cancel| {
            if let Some(begun) = begun.lock().expect("no panic").take() {
                begun.send(()).expect("somebody waits");
            }
            // Only the flag ends it.
            while !cancel.is_cancelled() {
                std::thread::yield_now();
            }
            Err(EngineError::Cancelled)
        });
        let recomputer = Recomputer::new(Arc::new(engine), Recompute::Withheld, u128::MAX, 1 << 20);
        let too_late = async { has_begun.await.expect("it begins") };
        let job = small(2);
        let claim = right(&job).claim();
        let computed = recomputer.compute(&blobs, job, claim, 0, fetching.take(0, 1).await, too_late);
        assert_eq!(computed.await.expect("no failure"), None);
        let job = JobSpec::V2(JobKind::Matmul(MatmulJob {
            matrix: BlobRef::to(&[7; 16]),
            columns: 4,
            first_row: 0,
            rows: 4,
            input: BlobRef::to(&[7; 4]),
            vectors: 1,
        }));
        assert!(job.validate().is_ok(), "{:?}", job.validate());
        let computed = recomputer.compute(&blobs, job, claim, 0, fetching.take(0, 1).await, std::future::pending());
        let error = computed.await.expect_err("nobody has the matrix");
        assert!(
            matches!(error, WorkerError::Blobs(BlobError::NotFound { .. })),
            "{error}"
        );
        // Both have given back their place among those who fetch.
        let _free = fetching.take(0, 1).await;
    }

    #[test]
    fn jobs_above_the_limit_are_left_to_others() {
        let (small, large) = (small(2), small(9));
        let limit = small.work();
        assert!(large.work() > limit);
        let of = |which| Recomputer::new(Arc::new(CpuEngine::new()), which, limit, 1 << 20);
        assert_eq!(of(Recompute::Always).which(&small), Recompute::Always);
        assert_eq!(of(Recompute::Always).which(&large), Recompute::Never);
        assert_eq!(of(Recompute::Never).which(&small), Recompute::Never);
    }

    #[test]
    fn a_withheld_result_leaves_most_of_the_window_for_computing() {
        let patience = Patience::of(100, 180);
        assert_eq!((patience.refused_at, patience.slow_at), (110, 120));
        // Even of the shortest window something is left.
        for span in 0..20 {
            let patience = Patience::of(100, 100 + span);
            assert!(patience.refused_at <= patience.slow_at);
            assert!(patience.slow_at < 100 + span || span < 2, "{span}: {patience:?}");
        }
    }
}
