//! The worker's loop on a chain in memory, through re-orgs, lags, lost answers, full disks, broken devices and kills. An
//! honest worker loses nothing.

mod day;
mod devices;
mod disks;
mod exact;
mod fake;
mod faults;
mod forks;
mod garbage;
mod hardware;
mod invitations;
mod loop_;
mod losses;
mod random;
mod refused;
mod time;

use super::{Offers, Openings, Policy, Worker, WorkerConfig, policy};
use crate::{
    Chain, Journal, Metrics, WorkerError,
    driver::{Duty, Heads, Heard, Looked, Steps},
};
use agora_bench_figures::Figure;
use agora_blobs::{
    BlobStore, Blobs, Cache, Denied,
    http::{PeerLimits, Peers},
};
use agora_chain::Balance;
use agora_compute::{CancelFlag, Computation, CpuEngine, DeviceError, Engine, EngineError, Inputs, Progress};
use agora_primitives::job::{JobKind, JobSpec};
use fake::{FakeChain, GENESIS, WORKER};
use std::{
    num::NonZeroU32,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

/// Adds figures to the file that `AGORA_FIGURES` names, which `make bench-worker` sets.
fn note(figures: &[Figure]) {
    if let Some(path) = std::env::var_os("AGORA_FIGURES") {
        Figure::add(figures, Path::new(&path)).expect("the file can be written to");
    }
}

/// Small jobs are computed. Large ones, with which speeds are measured, are not.
#[derive(Default)]
pub struct FakeEngine {
    /// So many runs fail.
    pub failing: AtomicU32,
    /// So many runs are wrong.
    pub wrong: AtomicU32,
    /// So many runs succeeded.
    pub runs: AtomicU32,
    /// A run takes so many milliseconds.
    pub slow_ms: AtomicU32,
    /// Jobs do not fit into it, and it says so.
    pub is_small: AtomicBool,
    /// Jobs do not fit into it, which only shows in a run.
    pub is_full: AtomicBool,
}

/// The most work that is really done.
const SMALL: u128 = 1 << 26;

fn one_less(count: &AtomicU32) -> bool {
    let less = |count: u32| count.checked_sub(1);
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
}

impl Engine for FakeEngine {
    fn name(&self) -> &str {
        "fake"
    }

    fn fits(&self, _: &JobSpec) -> bool {
        !self.is_small.load(Ordering::SeqCst)
    }

    fn run(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<Computation, EngineError> {
        let JobSpec::V2(kind) = job;
        let is_measured = matches!(kind, JobKind::Synthetic(_) | JobKind::Matmul(_));
        if is_measured && job.work() > SMALL {
            return Ok(Computation {
                output: Vec::new(),
                state_digests: Vec::new(),
            });
        }
        if self.is_full.load(Ordering::SeqCst) {
            return Err(EngineError::Device(DeviceError::Limit {
                limit: "bytes per buffer",
                needed: 2,
                available: 1,
            }));
        }
        let end = std::time::Instant::now() + Duration::from_millis(self.slow_ms.load(Ordering::SeqCst).into());
        while std::time::Instant::now() < end {
            if cancel.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if one_less(&self.failing) {
            panic!("the driver gave up (a test wants this)");
        }
        let mut computation = CpuEngine::new().run(job, inputs, progress, cancel)?;
        if one_less(&self.wrong) {
            computation.output[0] = (computation.output[0] + 1) % 251;
            let last = computation.state_digests.last_mut().expect("there is the output's");
            *last = agora_compute::output_digest(&computation.output);
        }
        self.runs.fetch_add(1, Ordering::SeqCst);
        Ok(computation)
    }
}

/// A worker of a test, which may be killed and started again.
pub struct Rig {
    pub chain: FakeChain,
    pub engines: Vec<Arc<FakeEngine>>,
    pub blobs: BlobStore,
    /// What is not wanted here.
    pub denied: Denied,
    pub policy: Policy,
    /// In one of so many hardware rounds it responds with a decoy.
    pub decoys: Option<NonZeroU32>,
    pub folder: tempfile::TempDir,
    pub metrics: Metrics,
    /// Whether the disk takes nothing for the journal.
    pub is_disk_full: Arc<AtomicBool>,
    running: Option<(Worker<FakeChain>, Steps)>,
}

/// Blobs of `store` alone.
fn blobs_of(store: &BlobStore, folder: &tempfile::TempDir) -> Blobs {
    let cache = Cache::open(&folder.path().join("cache"), 1 << 30).expect("a folder");
    let peers = Peers::new(PeerLimits::default()).expect("a client");
    Blobs::new(store.clone(), cache, peers, Vec::new())
}

impl Rig {
    /// With so many slots and devices.
    pub fn new(slots: u32, devices: usize) -> Self {
        let mut rig = Self {
            chain: FakeChain::new(slots),
            engines: (0..devices).map(|_| Arc::default()).collect(),
            blobs: BlobStore::in_memory(),
            denied: Denied::default(),
            policy: Policy {
                max_work: u128::MAX,
                max_job_bytes: u64::MAX,
                memory_bytes: 1 << 30,
                min_reward_per_giga_op: 0,
                max_bond: Balance::MAX,
                min_profit: 0,
                ..policy::tests::policy()
            },
            decoys: None,
            folder: tempfile::tempdir().expect("a folder"),
            metrics: Metrics::default(),
            is_disk_full: Arc::default(),
            running: None,
        };
        rig.start();
        rig
    }

    /// A worker with this rig's journal.
    pub fn worker(&self) -> Worker<FakeChain> {
        let path = self.folder.path().join("journal");
        let mut journal = Journal::open(&path, GENESIS.0, WORKER.0).expect("it opens");
        journal.is_full = Arc::clone(&self.is_disk_full);
        let engines = self.engines.iter().map(|engine| Arc::clone(engine) as Arc<dyn Engine>);
        let config = WorkerConfig {
            policy: self.policy.clone(),
            openings: Openings::default(),
            heartbeat_every: 1_000_000,
            decoys: self.decoys,
            #[cfg(feature = "fault-injection")]
            fault: None,
        };
        let tasks = self.tasks();
        let worker = Worker::new(
            self.chain.clone(),
            journal,
            blobs_of(&self.blobs, &self.folder).without(self.denied.clone()),
            tasks,
            engines.collect(),
            config,
            self.metrics.clone(),
        );
        worker.expect("the journal is read")
    }

    /// Where the worker keeps its jobs and results.
    pub fn tasks(&self) -> std::path::PathBuf {
        self.folder.path().join("tasks")
    }

    /// Starts the worker (again).
    pub fn start(&mut self) {
        self.running = None;
        self.running = Some((self.worker(), Steps::default()));
    }

    /// Lets the worker look at the chain, and ends all steps that this starts.
    pub async fn look(&mut self) -> (Result<Looked, WorkerError>, Vec<Result<(), WorkerError>>) {
        let looked = self.only_look().await;
        (looked, self.end_steps().await)
    }

    /// Lets the worker look at the chain.
    pub async fn only_look(&mut self) -> Result<Looked, WorkerError> {
        self.settle();
        let (worker, steps) = self.running.as_mut().expect("it runs");
        let heads = Heads {
            best: self.chain.best().await.expect("it answers"),
            finalised: self.chain.finalised().await.expect("it answers"),
            read_at: tokio::time::Instant::now(),
        };
        let heard = Heard {
            news: vec![],
            has_gap: true,
        };
        worker.look(&heads, &heard, steps).await
    }

    /// Tells the worker of the finalised blocks.
    pub fn settle(&mut self) {
        let (worker, _) = self.running.as_mut().expect("it runs");
        let from = worker.settled_up_to().map_or(1, |last| last + 1);
        for news in self.chain.follow_finalised(Some(from)).ready() {
            worker.settle(news);
        }
    }

    /// Ends all steps that looks have started.
    pub async fn end_steps(&mut self) -> Vec<Result<(), WorkerError>> {
        let (_, steps) = self.running.as_mut().expect("it runs");
        steps.all_ended().await
    }

    /// How many steps are under way.
    pub fn steps(&self) -> usize {
        self.running.as_ref().expect("it runs").1.count()
    }

    /// So many blocks come, and each is looked at.
    pub async fn pass(&mut self, blocks: usize) {
        for _ in 0..blocks {
            self.chain.grow(1, 2);
            let _ = self.look().await;
        }
    }

    /// Its devices are as fast as a job of [`FakeChain::publish`] takes so many seconds.
    pub fn learn(&self, seconds: u32) {
        let (worker, _) = self.running.as_ref().expect("it runs");
        let work = policy::tests::task(1).job;
        let agora_primitives::job::JobSource::Inline(spec) = work else {
            panic!("it is inline");
        };
        while let Some(lease) = worker.shared.engines.take_unmeasured(spec.specialisation()) {
            lease.learn(spec.specialisation(), spec.work() as f64 / f64::from(seconds));
        }
    }

    /// Blocks come and are looked at, until `done` or for so many rounds.
    pub async fn until(&mut self, rounds: usize, done: impl Fn(&Self) -> bool) {
        for _ in 0..rounds {
            if done(self) {
                return;
            }
            self.chain.grow(1, 2);
            let _ = self.look().await;
        }
        assert!(done(self), "not done after {rounds} rounds:\n{}", self.metrics.render());
    }

    /// How many records are open.
    pub fn in_hand(&self) -> usize {
        let (worker, _) = self.running.as_ref().expect("it runs");
        worker.shared.book.all().len()
    }

    /// How many things the worker remembers, of tasks in hand and of others.
    pub fn remembered(&self) -> usize {
        let (worker, steps) = self.running.as_ref().expect("it runs");
        let shared = &worker.shared;
        let unkept = shared.now().unkept.len();
        let open = Offers::<<FakeChain as Chain>::State>::open(&worker.offers).count();
        let of_tasks = shared.book.all().len() + shared.waitlist.remembered() + open;
        let said = shared.told.count() + shared.book.told();
        of_tasks + said + unkept + shared.running.count() + steps.count() + worker.changed.len()
    }

    /// Whether each of the tasks was judged right and nothing was lost, and no record is open.
    pub fn is_paid(&self, tasks: usize) -> bool {
        let newest = self.chain.newest();
        let right = newest.judged.values().filter(|outcome| outcome.is_right()).count();
        right == tasks && newest.lost == 0 && self.in_hand() == 0
    }
}

/// Whether an outcome is right.
trait IsRight {
    fn is_right(&self) -> bool;
}

impl IsRight for agora_primitives::reputation::Outcome {
    fn is_right(&self) -> bool {
        matches!(self, Self::Right { .. })
    }
}

/// Makes a file where a folder is needed, as a disk that takes nothing.
pub fn block_folder(path: &Path) {
    let _ = std::fs::remove_dir_all(path);
    std::fs::write(path, "").expect("written");
}
