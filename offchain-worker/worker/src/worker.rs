//! The worker: takes tasks, computes them, and follows them until it is paid.
//!
//! `offers` tells of tasks, `scheduler` decides after each block which to look at, `taking` accepts one or says why not,
//! `preparing` what is found out before, `executor` does the next `step` of one, `computing` computes it on one of the
//! `engines`, `running` cancels what is too late, and `hardware` responds to the
//! worker's hardware challenge. `book` holds the tasks in hand, `policy` and `money` say what is worth it, and `forecast`
//! says what will be in time.
//!
//! What can go wrong, and what is promised:
//!
//! - a node that lags, was resynced or was replaced by an earlier copy is believed in nothing;
//! - a re-org makes the worker do the same again, never something else;
//! - an answer that is lost is looked for on chain;
//! - a call that was refused is not repeated for money while the state is the same;
//! - a disk, a store or a device that fails is said once and tried again; what else can go on goes on.

mod book;
mod computing;
mod decoys;
mod engines;
mod executor;
mod forecast;
mod hardware;
mod money;
mod offers;
mod openings;
mod policy;
mod preparing;
mod running;
mod scheduler;
mod speeds;
mod step;
mod taking;
#[cfg(test)]
mod tests;
mod waitlist;

#[cfg(feature = "fault-injection")]
pub(crate) use computing::corrupted;
pub use money::Power;
pub use offers::{ChainOffers, Offers};
pub use openings::{Hours, Openings};
pub use policy::{Policy, Unsuitable};

#[cfg(test)]
pub(crate) use policy::tests::task as sample_task;

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{Chain, Journal, Metrics, WorkerError, chain::State, driver::Driver, told::Told, turns::Turns};
use agora_blobs::{BlobStore, Blobs};
use agora_chain::{AccountId, Balance, BlockNumber, Submitter, views::TermsView};
use agora_compute::{CancelFlag, Computation, Engine};
use agora_primitives::{ClassId, TaskId, participants::Role};
use book::Book;
use engines::EnginePool;
use money::Fees;
use running::Running;
use std::{
    collections::{BTreeSet, HashMap},
    num::NonZeroU32,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use waitlist::Waitlist;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Which tasks it takes.
    pub policy: Policy,
    /// When it takes them.
    pub openings: Openings,
    /// Blocks between two heartbeats.
    pub heartbeat_every: BlockNumber,
    /// In about one of so many rounds of hardware challenges it responds with a decoy. `None`: never.
    pub decoys: Option<NonZeroU32>,
    /// Deliberate misbehaviour.
    #[cfg(feature = "fault-injection")]
    pub fault: Option<Fault>,
}

/// A worker: one account, one journal, any number of devices. It is on the chain `C`, and gets its tasks from `O`.
pub struct Worker<C: Chain = Submitter, O = ChainOffers> {
    shared: Arc<Shared<C>>,
    offers: O,
    /// Tasks that changed, of which the offers were not told yet.
    changed: BTreeSet<TaskId>,
    /// Whether others may have changed too.
    has_gap: bool,
}

/// What the steps of a worker share.
struct Shared<C: Chain> {
    chain: C,
    account: AccountId,
    book: Book,
    blobs: Blobs,
    /// A folder for each task: its job, so that nobody can take it away, and its result, which nobody else may see yet.
    tasks: PathBuf,
    engines: EnginePool,
    config: WorkerConfig,
    metrics: Metrics,
    /// Set when the worker stops, which cancels every computation.
    cancel: CancelFlag,
    told: Told,
    waitlist: Waitlist,
    /// Held while it is decided whether to accept a task, so that two decisions do not promise the same slot, device or money.
    deciding: tokio::sync::Mutex<()>,
    /// The memory that inputs and outputs may take, in bytes.
    memory: Turns,
    /// Lets some tasks be looked at at a time, to be taken.
    takes: Arc<Semaphore>,
    /// The computations that run.
    running: Running,
    /// What changes from block to block.
    now: Mutex<Now>,
}

/// How many tasks are looked at at a time, to be taken: each fetches its inputs.
const TAKES: usize = 8;

/// What changes from block to block.
#[derive(Default)]
struct Now {
    terms: HashMap<ClassId, TermsView>,
    fees: Fees,
    /// When the node was asked for fees.
    fees_at: Option<BlockNumber>,
    /// What revealing costs at most of the tasks that were taken since none was in hand.
    dearest_reveal: Balance,
    /// Results that are computed and could not be kept yet, because the disk refused them.
    unkept: HashMap<TaskId, Arc<Computation>>,
    /// The last round of hardware challenges whose decoy was shown.
    decoy_shown: Option<u32>,
}

impl<C: Chain<State: State>> Worker<C> {
    /// A worker that sends through `chain`, remembers in `journal`, and computes on `engines`. It keeps the jobs
    /// that it has accepted, and their results until they are revealed, in the folder `tasks`, which is its own; then it puts
    /// the results into the store of `blobs`, where others find them.
    ///
    /// Errors: the journal cannot be read.
    pub fn new(
        chain: C,
        journal: Journal,
        blobs: Blobs,
        tasks: PathBuf,
        engines: Vec<Arc<dyn Engine>>,
        config: WorkerConfig,
        metrics: Metrics,
    ) -> Result<Self, WorkerError> {
        let shared = Shared {
            account: chain.account(),
            chain,
            book: Book::open(journal)?,
            blobs,
            tasks,
            engines: EnginePool::new(engines),
            memory: Turns::new(config.policy.memory_bytes),
            takes: Arc::new(Semaphore::new(TAKES)),
            running: Running::default(),
            config,
            metrics,
            cancel: CancelFlag::new(),
            told: Told::default(),
            waitlist: Waitlist::default(),
            deciding: tokio::sync::Mutex::default(),
            now: Mutex::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            offers: ChainOffers::default(),
            changed: BTreeSet::new(),
            has_gap: true,
        })
    }
}

impl<C: Chain<State: State>, O: Offers<C::State>> Worker<C, O> {
    /// The same worker, with tasks from somewhere else.
    pub fn with_offers<Other: Offers<C::State>>(self, offers: Other) -> Worker<C, Other> {
        Worker {
            shared: self.shared,
            offers,
            changed: self.changed,
            has_gap: self.has_gap,
        }
    }

    /// Works until `shutdown`, then finishes the transactions that are under way. Computations are cancelled: the
    /// journal records that they are due, so the next start makes them.
    ///
    /// Errors: the account is not registered as a worker, or the journal cannot be written at the end.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), WorkerError> {
        let shared = &self.shared;
        close(&shared.tasks);
        shared.remove_leftovers();
        let driver = Driver::new(
            &shared.chain,
            Role::Worker,
            &shared.metrics,
            shared.config.heartbeat_every,
        );
        let steps = driver.run(&mut self, shutdown).await?;
        self.shared.cancel.cancel();
        steps.drain().await;
        self.shared.book.close()
    }
}

/// Takes `folder` from everybody but its owner, if it is there: an older program made it by the umask, and what is in it is secret
/// until it is revealed.
pub(crate) fn close(folder: &std::path::Path) {
    if folder.is_dir()
        && let Err(error) = agora_blobs::close_own_folder(folder)
    {
        tracing::warn!(folder = %folder.display(), %error, "The folder cannot be closed to others.");
    }
}

impl<C: Chain> Shared<C> {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder of a task.
    fn folder(&self, task: TaskId) -> PathBuf {
        self.tasks.join(task.to_string())
    }

    /// The store of a task's own.
    fn own(&self, task: TaskId) -> Result<BlobStore, WorkerError> {
        Ok(BlobStore::open(&self.folder(task).to_string_lossy())?)
    }

    /// Removes the folder of a task.
    fn remove_folder(&self, task: TaskId) {
        if let Err(error) = std::fs::remove_dir_all(self.folder(task))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%task, %error, "The task's folder could not be removed.");
        }
    }

    /// Removes the folders of tasks that are not in hand: what a crash has left.
    fn remove_leftovers(&self) {
        let in_hand: Vec<_> = self.book.all().into_iter().map(|(task, _)| task).collect();
        let Ok(folders) = std::fs::read_dir(&self.tasks) else {
            return;
        };
        for folder in folders.flatten() {
            let task = folder
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
                .map(TaskId);
            if let Some(task) = task.filter(|task| !in_hand.contains(task)) {
                self.remove_folder(task);
            }
        }
    }
}
