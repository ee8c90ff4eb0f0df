//! The verifier: checks winning results while they can be appealed, and the responses to hardware challenges.
//!
//! It checks what it is drawn for. What it finds it commits to while the window is open, with the root over the output that shows
//! that it had it, and reveals it when the chunks to be shown are drawn. If it is told to compute everything, it does that also where it is not
//! drawn, so that what is wrong is accused in court.
//!
//! A result that nobody gives cannot be checked. It is computed then, from the job's inputs: if that comes to the claim, the
//! verifier attests for it and serves it; else the claim is wrong. Only what can be neither fetched nor computed is not judged.

mod attesting;
mod checking;
mod hardware;
mod judging;
mod kept;
mod recompute;

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{
    Journal, Metrics, News, Publishers, StopLoss, WorkerError,
    driver::{Driver, Duty, Heads, Heard, Looked, Steps},
    late,
    ledger::Ledger,
    told::Told,
    turns::Turns,
};
use agora_blobs::{BlobError, Blobs};
use agora_chain::{AccountId, AtBlock, BlockNumber, Submitter, views::AppealWindowView};
use agora_compute::Engine;
use agora_primitives::{
    TaskId,
    judging::{Attestation, Said},
    participants::Role,
};
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use checking::Checker;
use hardware::Findings;
use judging::{Look, Seat, is_enough};
use kept::Kept;
pub use recompute::Recompute;
use recompute::Recomputer;
pub(crate) use recompute::{Cancelled, once};

/// How a verifier works.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// Most bytes of the inputs and the output of a job that is checked: they are held in memory.
    pub max_job_bytes: u64,
    /// Which results it computes itself.
    pub recompute: Recompute,
    /// Most multiply–adds of a job that it computes itself.
    pub max_recompute_work: u128,
    /// Where outputs are kept that this verifier has attested, until it has shown that it had them.
    pub folder: PathBuf,
    /// Blocks between two heartbeats.
    pub heartbeat_every: BlockNumber,
    /// Whose results it looks at.
    pub publishers: Publishers,
    /// It attests and votes no more after losing so much; what it has committed to is revealed. `None`: whatever it loses.
    pub stop_loss: Option<StopLoss>,
    /// Deliberate misbehaviour.
    #[cfg(feature = "fault-injection")]
    pub fault: Option<Fault>,
}

/// A verifier: one account, one journal.
pub struct Verifier {
    shared: Arc<Shared>,
}

/// What was tried about the result in one window.
#[derive(Clone, Copy)]
struct Tried {
    /// The window's last block: another window about the same task has another one.
    until: BlockNumber,
    /// The best block when it was first looked at.
    since: BlockNumber,
    /// How often it could not be fetched.
    failures: u32,
    /// The block after which this account was found not to be among those who may attest.
    not_drawn_at: Option<BlockNumber>,
}

struct Shared {
    findings: Mutex<Findings>,
    /// Lets some results be fetched at a time: the first are those whose windows close first, and which did not fail.
    fetching: Turns,
    /// Checks results and responses.
    checker: Checker,
    /// The outputs that were attested and are to be shown.
    kept: Kept,
    /// Computes results, beside the checks: those must not wait for what takes so much longer.
    recomputer: Recomputer,
    /// What was tried about the results in open windows.
    tried: std::sync::Mutex<HashMap<TaskId, Tried>>,
    told: Told,
    submitter: Submitter,
    account: AccountId,
    ledger: Ledger,
    journal: Journal,
    blobs: Blobs,
    config: VerifierConfig,
    metrics: Metrics,
}

impl Verifier {
    /// A verifier that signs with `submitter`, remembers in `journal` and checks on `engine`.
    pub fn new(
        submitter: Submitter,
        journal: Journal,
        blobs: Blobs,
        engine: Arc<dyn Engine>,
        config: VerifierConfig,
        metrics: Metrics,
    ) -> Self {
        let account = *submitter.account();
        Self {
            shared: Arc::new(Shared {
                findings: Mutex::default(),
                fetching: Turns::new(FETCHES),
                checker: Checker::new(Arc::clone(&engine), config.max_job_bytes),
                kept: Kept::new(config.folder.clone()),
                recomputer: Recomputer::new(
                    engine,
                    config.recompute,
                    config.max_recompute_work,
                    // So that not even the largest job keeps all others from it.
                    config.max_job_bytes.saturating_mul(2),
                ),
                tried: std::sync::Mutex::default(),
                told: Told::default(),
                submitter,
                account,
                ledger: Ledger::open(journal.clone(), account, metrics.clone()),
                journal,
                blobs,
                config,
                metrics,
            }),
        }
    }

    /// Watches until `shutdown`, then finishes the transactions that are under way.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), WorkerError> {
        let shared = &self.shared;
        crate::worker::close(&shared.config.folder);
        let driver = Driver::new(
            &shared.submitter,
            Role::Verifier,
            &shared.metrics,
            shared.config.heartbeat_every,
        );
        driver.run(&mut self, shutdown).await?.drain().await;
        Ok(())
    }
}

impl Duty<Submitter> for Verifier {
    fn settled_up_to(&self) -> Option<BlockNumber> {
        self.shared.ledger.settled_up_to()
    }

    fn settle(&mut self, news: News) {
        self.shared.ledger.settle(&news, SystemTime::now());
    }

    async fn look(&mut self, heads: &Heads<AtBlock>, _: &Heard, steps: &mut Steps) -> Result<Looked, WorkerError> {
        let at = &heads.best;
        let windows = at.appeal_windows().await?;
        let open: HashSet<_> = windows.iter().map(|window| window.task).collect();
        self.shared.forget_tried(&open);
        self.shared.forget_kept(heads, &open).await;
        let takes_risks = self.shared.takes_risks();
        let full = match windows.iter().any(|window| window.draw.is_some()) {
            true => at.full_blocks().await?,
            false => 0,
        };
        for window in windows {
            let said = window.attestations.said(&self.shared.account);
            let is_over = window.until <= at.block.number;
            let reveals = window.reveals(full).filter(|(_, until)| at.block.number < *until);
            let (shared, at) = (Arc::clone(&self.shared), at.clone());
            match (said, reveals) {
                (None, _) if !is_over && takes_risks => {
                    steps.start(window.task, async move { shared.attest(&at, window).await })
                }
                (Some(Said::Hidden(commitment)), Some(reveals)) => {
                    self.start_reveal(&at, window, commitment, reveals, steps);
                }
                (Some(_), _) if is_over => {
                    steps.start(window.task, async move { shared.close(&at, window.task).await });
                }
                (None | Some(_), _) => {}
            }
        }
        self.look_at_responses(at, steps).await?;
        Ok(Looked::Well)
    }
}

/// How often it is looked whether a window has closed while a result is fetched.
const LOOK_AT_BLOCKS_EVERY: Duration = Duration::from_secs(1);
/// How many results are fetched at a time: one that is withheld keeps its place until its peers have answered.
const FETCHES: u64 = 8;

/// Blocks between two questions whether this account may attest in a window: it may not have been heard of for too long.
const ASK_EVERY: BlockNumber = 20;

impl Shared {
    /// Whether anything new is attested or voted on. Says why not, once.
    fn takes_risks(&self) -> bool {
        let stop = self.ledger.stop(self.config.stop_loss, SystemTime::now());
        match &stop {
            Some(why) if self.told.is_new("stop", "") => {
                tracing::warn!("Nothing is attested and voted on any more: {why}. What was committed to is revealed.");
            }
            None if self.told.is_over("stop") => tracing::info!("Results are attested again."),
            _ => {}
        }
        self.metrics.taking.set(stop.is_none().into());
        stop.is_none()
    }

    /// Has the appeal window closed in which this account has attested, if the chain is late with that.
    async fn close(&self, at: &AtBlock, task: TaskId) -> Result<(), WorkerError> {
        match at.task(task).await? {
            Some(view) => late::take_step(&self.submitter, &self.told, &view, at.block).await,
            None => Ok(()),
        }
    }

    /// Checks the result in `window` and attests what was found. If this account is not drawn, and computes all results, it does that, so
    /// that what is wrong is accused in court.
    async fn attest(&self, at: &AtBlock, window: AppealWindowView) -> Result<(), WorkerError> {
        let task = window.task;
        let claim = window.claim;
        let now = at.block.number;
        let asked = self.tried(&window, now).not_drawn_at;
        if asked.is_some_and(|asked| now < asked.saturating_add(ASK_EVERY)) {
            return Ok(());
        }
        let seat = match at.may_attest(task, &self.account).await? {
            true => Seat::Drawn,
            false => Seat::NotDrawn,
        };
        if seat == Seat::NotDrawn {
            self.note_not_drawn(task, now);
            // Before anything is fetched: there may be nothing to look for.
            if Look::at(seat, self.config.recompute) == Look::None {
                return Ok(());
            }
        }
        let known = self.journal.attestation(task)?.filter(|record| record.claim == claim);
        let known = known.filter(|record| is_enough(seat, record, &window));
        let record = match known {
            Some(record) => record,
            None => {
                let Some(view) = at.task(task).await? else {
                    return Ok(());
                };
                if !self.config.publishers.allow(&view.publisher) {
                    tracing::debug!(%task, publisher = %view.publisher, "Not checked: its publisher is not wanted here.");
                    return Ok(());
                }
                let judged = match self.judge(at, &view, &window, seat).await {
                    Err(WorkerError::Blobs(error @ BlobError::Denied { .. })) => {
                        tracing::debug!(%task, %error, "Not checked.");
                        return Ok(());
                    }
                    judged => judged?,
                };
                let Some(record) = judged else {
                    return Ok(());
                };
                self.journal.put_attestation(task, &record)?;
                record
            }
        };
        match seat {
            Seat::Drawn => {
                let said = self.said(Attestation::of(record.valid));
                self.commit(at, &window, said, record.root_in(window.seed)).await
            }
            Seat::NotDrawn => Ok(()),
        }
    }

    /// The number of the newest block seen.
    fn best_block(&self) -> i64 {
        self.metrics.best_block.get()
    }

    /// Waits until block `number` is there.
    async fn reached(&self, number: BlockNumber) {
        while self.best_block() < number.into() {
            tokio::time::sleep(LOOK_AT_BLOCKS_EVERY).await;
        }
    }

    fn all_tried(&self) -> MutexGuard<'_, HashMap<TaskId, Tried>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was tried about the result in `window`, which begins `now` if nothing was.
    fn tried(&self, window: &AppealWindowView, now: BlockNumber) -> Tried {
        let new = Tried {
            until: window.until,
            since: now,
            failures: 0,
            not_drawn_at: None,
        };
        let mut all = self.all_tried();
        let tried = all.entry(window.task).or_insert(new);
        if tried.until != window.until {
            *tried = new;
        }
        *tried
    }

    fn note(&self, task: TaskId, is_here: bool) {
        if let Some(tried) = self.all_tried().get_mut(&task) {
            tried.failures = if is_here { 0 } else { tried.failures.saturating_add(1) };
        }
    }

    fn note_not_drawn(&self, task: TaskId, now: BlockNumber) {
        if let Some(tried) = self.all_tried().get_mut(&task) {
            tried.not_drawn_at = Some(now);
        }
    }

    /// Forgets what was tried in windows that are not `open`.
    fn forget_tried(&self, open: &HashSet<TaskId>) {
        self.all_tried().retain(|task, _| open.contains(task));
    }

    /// Forgets what was kept for windows that are closed, some time after that is final; `open` are those in the best state.
    async fn forget_kept(&self, heads: &Heads<AtBlock>, open: &HashSet<TaskId>) {
        let (best, finalised) = (&heads.best, &heads.finalised);
        if !self.kept.is_due(best.block.number, finalised.block.number) {
            return;
        }
        match finalised.appeal_windows().await {
            Ok(windows) => {
                let is_final = |task| windows.iter().any(|window| window.task == task);
                self.kept
                    .forget(best.block.number, |task| open.contains(&task) || is_final(task));
            }
            Err(error) => tracing::debug!(%error, "Not known yet which outputs are still to be shown."),
        }
    }

    /// The attestation that is sent: what was found, or its opposite with [`Fault::Lie`].
    #[cfg(feature = "fault-injection")]
    fn said(&self, found: Attestation) -> Attestation {
        if self.config.fault == Some(Fault::Lie) {
            Attestation::of(found == Attestation::Invalid)
        } else {
            found
        }
    }

    #[cfg(not(feature = "fault-injection"))]
    fn said(&self, found: Attestation) -> Attestation {
        found
    }
}
