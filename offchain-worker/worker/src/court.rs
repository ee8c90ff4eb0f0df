//! In court: accuses results that are wrong, defends those that are right, and collects the bonds.
//!
//! For one account, beside its worker or verifier, or about one task alone. It has an opinion of a task if the account has
//! computed it, as a worker or for an earlier accusation, or has checked its result. Everything follows from the state of the
//! chain and from the journal: it may be killed at any point, and goes on.
//!
//! What is computed for the court, whatever others do: one job of each size at a time, so that nothing large holds up what is
//! small, and as many as there is room for, those that are needed first. A defence is prepared as soon as somebody has
//! committed to an accusation. What jobs come to is in files, until their cases are closed, so that memory is bounded whatever they are.

mod accuse;
mod jobs;
mod made;
mod opinion;
mod play;
mod right;
#[cfg(test)]
mod tests;
mod truths;

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{
    Chain, Journal, Metrics, StopLoss, WorkerError,
    driver::{Matter, Steps},
    job::{fetch_inputs, in_time, load_spec},
    sources::with_sources,
    told::Told,
};
use agora_blobs::{BlobSource, BlobStore, Blobs};
use agora_chain::{AccountId, AtBlock, BlockNumber, ChainError, Submitter, views::TaskView};
use agora_primitives::{
    TaskId,
    courts::HowEnded,
    job::{Claim, JobSource, JobSpec},
};
use jobs::Known;
use opinion::Opinion;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use truths::Truths;

/// Pause before a node that failed is asked again.
const PAUSE: Duration = Duration::from_secs(2);

/// How somebody goes to court.
#[derive(Clone, Debug)]
pub struct CourtConfig {
    /// The folder for what jobs come to on the way, which is this account's alone. It is made when it is needed.
    pub folder: PathBuf,
    /// Most bytes of what is in it. `None`: as much as is free now, less a sixteenth.
    pub disk_bytes: Option<u64>,
    /// Most bytes of memory for all jobs that are computed for the court; one takes half a GiB at most, whatever it comes to.
    pub memory_bytes: u64,
    /// The folder in which the account's worker keeps the jobs that it has accepted, if it has one: what their publishers take
    /// away is there.
    pub tasks: PathBuf,
    /// It accuses nothing more after losing so much; what it has accused and what it defends goes on. `None`: whatever it loses.
    pub stop_loss: Option<StopLoss>,
    /// Deliberate misbehaviour.
    #[cfg(feature = "fault-injection")]
    pub fault: Option<Fault>,
}

/// What somebody came to who has computed a job whose result may be accused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The number of the case.
    pub case: u64,
    /// What is claimed.
    pub claim: Claim,
    /// What is right.
    pub own: Claim,
}

impl Finding {
    /// Whether the claim is right.
    pub fn is_right(&self) -> bool {
        self.claim == self.own
    }
}

/// Goes to court for one account.
pub struct Court {
    shared: Arc<Shared>,
    /// About this task alone.
    only: Option<TaskId>,
}

struct Shared {
    submitter: Submitter,
    account: AccountId,
    journal: Journal,
    blobs: Blobs,
    config: CourtConfig,
    metrics: Metrics,
    truths: Truths,
    told: Told,
}

impl Court {
    /// A court for the account of `submitter`, which remembers in `journal`.
    pub fn new(submitter: Submitter, journal: Journal, blobs: Blobs, config: CourtConfig, metrics: Metrics) -> Self {
        let account = *submitter.account();
        Self {
            shared: Arc::new(Shared {
                submitter,
                account,
                journal,
                blobs,
                truths: Truths::new(&config),
                config,
                metrics,
                told: Told::default(),
            }),
            only: None,
        }
    }

    /// Watches until `shutdown`, then finishes the transactions that are under way. Whatever fails is tried again after later blocks.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut steps = Steps::default();
        let mut best = self.shared.submitter.follow_best();
        loop {
            let looked = tokio::select! {
                () = shutdown.cancelled() => break,
                news = best.next() => match news {
                    Ok(_) => self.look(&mut steps).await,
                    Err(error) => Err(error),
                },
                (matter, result) = steps.ended() => {
                    Steps::report(&self.shared.told, &self.shared.metrics, matter, result);
                    continue;
                }
            };
            match looked {
                Ok(Docket::Open) => {}
                Ok(Docket::Empty) if self.only.is_none() => {}
                Ok(Docket::Empty) => break,
                Err(error) => {
                    if self.shared.told.is_new("court", &error) {
                        tracing::warn!(%error, "Could not look at the court; trying again at later blocks.");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        steps.drain().await;
    }

    /// Goes to court about `task` alone, until its case is closed and the account's bonds in it are settled, or until `shutdown`.
    pub async fn run_about(self, task: TaskId, shutdown: CancellationToken) {
        let only = Some(task);
        Self { only, ..self }.run(shutdown).await;
    }

    /// Computes the job of `task`, and holds the result from now on for what is right. `None`: the task has no case, or there is no room for
    /// what its job comes to.
    ///
    /// Errors: those of the chain, of the journal, and of fetching and computing the job.
    pub async fn look_into(&self, task: TaskId) -> Result<Option<Finding>, WorkerError> {
        let shared = &self.shared;
        let at = shared.submitter.client().best().await?;
        let cases = at.cases().await?;
        let Some(case) = cases.into_iter().find(|case| case.task == task && !case.is_decided()) else {
            return Ok(None);
        };
        let Some(right) = shared.right(&at, &case).await? else {
            return Ok(None);
        };
        let own = right.claim;
        shared
            .journal
            .put_attestation(task, &crate::AttestRecord::computed(case.claim, own))?;
        Ok(Some(Finding {
            case: case.number,
            claim: case.claim,
            own,
        }))
    }

    /// Whether this account has accused a result of `task`.
    ///
    /// Errors: those of the journal.
    pub fn has_accused(&self, task: TaskId) -> Result<bool, WorkerError> {
        Ok(self.shared.journal.accusation(task)?.is_some())
    }

    /// What this account said in a trial about `task` whose bonds are not settled yet: [`Self::run_about`] has them settled.
    /// `None`: it has no part in any.
    ///
    /// Errors: those of the chain and of the journal.
    pub async fn unsettled(&self, task: TaskId) -> Result<Option<Finding>, WorkerError> {
        let account = &self.shared.account;
        let at = self.shared.submitter.client().best().await?;
        for (number, of) in at.trials().await? {
            if of != task {
                continue;
            }
            let Some(view) = at.trial(number).await?.filter(|view| play::has_part(account, view)) else {
                continue;
            };
            let claim = view.game.dispute.accused;
            let accused = self.shared.journal.accusation(task)?.and_then(|record| record.own);
            let own = accused.filter(|_| view.game.accuser == *account);
            return Ok(Some(Finding {
                case: view.case,
                claim,
                own: own.unwrap_or(claim),
            }));
        }
        Ok(None)
    }

    async fn look(&self, steps: &mut Steps) -> Result<Docket, ChainError> {
        let at = self.shared.submitter.client().best().await?;
        let (cases, trials) = tokio::try_join!(at.cases(), at.trials())?;
        // Also those of which another process of this account was asked: what was begun about them may be on disk. A node that is behind does
        // not know the cases of now.
        let seen = self.shared.journal.seen();
        if seen.is_ok_and(|seen| at.block.number >= seen.best) {
            let wanted = cases.iter().map(|case| case.task).collect();
            let shared = Arc::clone(&self.shared);
            // Large files take a while to be removed. That it panics is not for this loop to say.
            let _ = tokio::task::spawn_blocking(move || shared.truths.keep_only(&wanted)).await;
        }
        let is_ours = |task: TaskId| self.only.is_none_or(|only| only == task);
        let cases: Vec<_> = cases.into_iter().filter(|case| is_ours(case.task)).collect();
        let trials: Vec<_> = trials.into_iter().filter(|(_, task)| is_ours(*task)).collect();
        // Of a claim that has fallen it can still be revealed that it was accused.
        for case in cases.iter().filter(|case| case.decided != Some(HowEnded::Undecided)) {
            let (shared, block, case) = (Arc::clone(&self.shared), at.clone(), case.clone());
            let span = tracing::info_span!("task", id = case.task.0);
            if case.hidden > 0 {
                let (shared, block, case) = (Arc::clone(&shared), block.clone(), case.clone());
                let number = case.number;
                let prepare = async move { shared.prepare(&block, case).await };
                steps.start(Matter::Defence(number), prepare.instrument(span.clone()));
            }
            let number = case.number;
            let attend = async move { shared.attend(&block, case).await };
            steps.start(Matter::Case(number), attend.instrument(span));
        }
        for (number, task) in &trials {
            let (number, task) = (*number, *task);
            let case = cases.iter().find(|case| case.task == task).cloned();
            let (shared, at) = (Arc::clone(&self.shared), at.clone());
            let play = async move {
                match shared.is_concerned(task)? {
                    true => shared.play(&at, number, case).await,
                    false => Ok(()),
                }
            };
            let span = tracing::info_span!("task", id = task.0);
            steps.start(Matter::Trial(number), play.instrument(span));
        }
        self.shared.told.is_over("court");
        Ok(match cases.is_empty() && !self.has_part_in_any(&at, &trials).await? {
            true => Docket::Empty,
            false => Docket::Open,
        })
    }

    /// Whether the account has a bond in one of the trials, or wins one. Of others' bonds nothing is waited for.
    async fn has_part_in_any(&self, at: &AtBlock, trials: &[(u64, TaskId)]) -> Result<bool, ChainError> {
        if self.only.is_none() {
            return Ok(true);
        }
        for (number, _) in trials {
            if at
                .trial(*number)
                .await?
                .is_some_and(|view| play::has_part(&self.shared.account, &view))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What is in court.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Docket {
    /// Something.
    Open,
    /// Nothing.
    Empty,
}

/// The job that `source` names, from the folder of an accepted task. `None`: it is not there, or not all of it.
async fn kept(folder: &Path, source: &JobSource) -> Option<(BlobStore, JobSpec)> {
    // It would be made.
    if !folder.is_dir() {
        return None;
    }
    let own = BlobStore::open(&folder.to_string_lossy()).ok()?;
    let job = load_spec(&own, source).await.ok()?;
    fetch_inputs(&own, &job).await.ok()?;
    Some((own, job))
}

impl Shared {
    fn opinion(&self, task: TaskId, claim: &Claim) -> Result<Opinion, WorkerError> {
        let accused = self.journal.accusation(task)?.and_then(|record| record.own);
        let worked = self.journal.task(task)?.and_then(|record| record.claim);
        let checked = self.journal.attestation(task)?;
        let recomputed = checked.as_ref().and_then(|record| record.own);
        // What the reference came to here says more than anything that was said before.
        let known = self.truths.claim(task);
        let computed: Vec<_> = known
            .into_iter()
            .chain(accused)
            .chain(worked)
            .chain(recomputed)
            .collect();
        Ok(Opinion::of(claim, &computed, checked.as_ref()))
    }

    /// Whether this account has had anything to do with a task. Of others' trials it asks the chain nothing.
    fn is_concerned(&self, task: TaskId) -> Result<bool, WorkerError> {
        Ok(self.journal.accusation(task)?.is_some()
            || self.journal.task(task)?.is_some()
            || self.journal.attestation(task)?.is_some())
    }

    /// Everything about the job of `task`, computed if it is not known; needed by block `needed_by`. `None`: there is no such
    /// task, or no room for it now.
    async fn arbiter(&self, at: &AtBlock, task: TaskId, needed_by: BlockNumber) -> Result<Option<Known>, WorkerError> {
        if let Some(known) = self.truths.find(task) {
            return Ok(Some(known));
        }
        let Some(view) = at.task(task).await? else {
            return Ok(None);
        };
        let (source, job) = self.job(at, &view).await?;
        self.truths.compute(task, needed_by, source.as_ref(), job).await
    }

    /// The job of a task, and where its inputs may be had from.
    async fn job(&self, at: &AtBlock, view: &TaskView) -> Result<(Arc<dyn BlobSource>, JobSpec), WorkerError> {
        if let Some((own, job)) = kept(&self.config.tasks.join(view.id.to_string()), &view.job).await {
            return Ok((Arc::new(own), job));
        }
        let blobs = with_sources(&self.blobs, at, view, Some(&self.account)).await;
        let job = in_time(0, load_spec(&blobs, &view.job)).await?;
        Ok((Arc::new(blobs), job))
    }

    /// Whether it defends wrong results, if it has made them.
    #[cfg(feature = "fault-injection")]
    fn lies(&self) -> bool {
        matches!(self.config.fault, Some(Fault::Corrupt | Fault::Unusable))
    }

    #[cfg(not(feature = "fault-injection"))]
    const fn lies(&self) -> bool {
        false
    }
}
