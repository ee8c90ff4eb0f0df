//! The verifier: checks winning results while they can be appealed, and the responses to hardware challenges.
//!
//! It checks what it is drawn for. What it finds it commits to while the window is open, with the root over the output that shows
//! that it had it, and reveals it when the chunks to be shown are drawn.
//!
//! A result that nobody gives cannot be checked. It is computed then, from the job's inputs: if that comes to the claim, the
//! verifier attests for it and serves it; else the claim is wrong. Only what can be neither fetched nor computed is not judged.

mod attesting;
mod hardware;
mod recompute;

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{
    AttestRecord, Journal, Metrics, WorkerError,
    check::check_claim,
    driver::{Driver, Duty, Heads, Heard, Looked, Steps},
    job::{fetch_for_check, in_time, job_bytes, load_for_check, load_spec, put_result},
    late,
    sources::with_sources,
    told::Told,
    turns::{Turn, Turns},
};
use agora_blobs::Blobs;
use agora_chain::{
    AccountId, AtBlock, BlockNumber, Submitter,
    views::{AppealWindowView, TaskView},
};
use agora_compute::{Engine, MemoryInputs, Verdict};
use agora_primitives::{
    TaskId,
    job::{Claim, JobSpec},
    judging::{Attestation, Said},
    participants::Role,
};
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use hardware::Findings;
pub use recompute::Recompute;
use recompute::{Own, Patience, Recomputer};

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
    /// The memory that inputs and outputs may take, those of responses too, in bytes.
    memory: Turns,
    /// Lets one result or response be checked at a time: there is one engine.
    computing: Turns,
    /// Computes results, beside the checks: those must not wait for what takes so much longer.
    recomputer: Recomputer,
    /// What was tried about the results in open windows.
    tried: std::sync::Mutex<HashMap<TaskId, Tried>>,
    told: Told,
    submitter: Submitter,
    account: AccountId,
    journal: Journal,
    blobs: Blobs,
    engine: Arc<dyn Engine>,
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
                memory: Turns::new(config.max_job_bytes),
                computing: Turns::new(1),
                recomputer: Recomputer::new(
                    Arc::clone(&engine),
                    config.recompute,
                    config.max_recompute_work,
                    // So that not even the largest job keeps all others from it.
                    config.max_job_bytes.saturating_mul(2),
                ),
                tried: std::sync::Mutex::default(),
                told: Told::default(),
                submitter,
                account,
                journal,
                blobs,
                engine,
                config,
                metrics,
            }),
        }
    }

    /// Watches until `shutdown`, then finishes the transactions that are under way.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), WorkerError> {
        let shared = &self.shared;
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
    async fn look(&mut self, heads: &Heads<AtBlock>, _: &Heard, steps: &mut Steps) -> Result<Looked, WorkerError> {
        let at = &heads.best;
        let windows = at.appeal_windows().await?;
        self.shared.forget_tried(&windows);
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
                (None, _) if !is_over => steps.start(window.task, async move { shared.attest(&at, window).await }),
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

/// The seed of this verifier's check: the drawn one combined with a secret.
///
/// The author of the block that drew the seed knew it before everybody else, and could have built a wrong output that passes
/// this one check. Nobody can predict the combination. A right output passes with every seed.
fn private_seed(drawn: [u8; 32], secret: [u8; 32]) -> [u8; 32] {
    std::array::from_fn(|at| drawn[at] ^ secret[at])
}

/// How often it is looked whether a window has closed while a result is fetched.
const LOOK_AT_BLOCKS_EVERY: Duration = Duration::from_secs(1);
/// How many results are fetched at a time: one that is withheld keeps its place until its peers have answered.
const FETCHES: u64 = 8;

/// The place in the line: a result that could not be checked, as one that is withheld, waits behind those that were not
/// tried so often. Among the others, the window that closes first comes first.
fn rank(failures: u32, until: BlockNumber) -> u64 {
    (u64::from(failures) << 32) | u64::from(until)
}

/// Blocks between two questions whether this account may attest in a window: it may not have been heard of for too long.
const ASK_EVERY: BlockNumber = 20;

/// Whether a claim has an output with bytes.
fn has_bytes(claim: &Claim) -> bool {
    claim.output().is_some_and(|output| output.size > 0)
}

impl Shared {
    /// Has the appeal window closed in which this account has attested, if the chain is late with that.
    async fn close(&self, at: &AtBlock, task: TaskId) -> Result<(), WorkerError> {
        match at.task(task).await? {
            Some(view) => late::take_step(&self.submitter, &self.told, &view, at.block).await,
            None => Ok(()),
        }
    }

    /// Checks the result in `window` and attests what was found.
    async fn attest(&self, at: &AtBlock, window: AppealWindowView) -> Result<(), WorkerError> {
        let task = window.task;
        let claim = window.claim;
        let now = at.block.number;
        let asked = self.tried(&window, now).not_drawn_at;
        if asked.is_some_and(|asked| now < asked.saturating_add(ASK_EVERY)) {
            return Ok(());
        }
        // Before anything is fetched: who is not drawn has nothing to look for.
        if !at.may_attest(task, &self.account).await? {
            self.note_not_drawn(task, now);
            return Ok(());
        }
        let known = self.journal.attestation(task)?.filter(|record| record.claim == claim);
        // Checked before a restart: attest what was found then. If the output is needed and what was made of it is not known, it
        // is looked at once more.
        let known = known.filter(|record| !record.valid || record.root_in(window.seed).is_some() || !has_bytes(&claim));
        let record = match known {
            Some(record) => record,
            None => {
                let Some(view) = at.task(task).await? else {
                    return Ok(());
                };
                let Some(record) = self.judge(at, &view, &window).await? else {
                    return Ok(());
                };
                self.journal.put_attestation(task, &record)?;
                record
            }
        };
        let said = self.said(Attestation::of(record.valid));
        self.commit(at, &window, said, record.root_in(window.seed)).await
    }

    /// Whether the result in `window` is right. `None`: that was not found out, for a reason that trying again would not mend.
    ///
    /// Errors: those of fetching, checking and computing.
    async fn judge(
        &self,
        at: &AtBlock,
        view: &TaskView,
        window: &AppealWindowView,
    ) -> Result<Option<AttestRecord>, WorkerError> {
        let (task, claim, until) = (window.task, window.claim, window.until);
        let tried = self.tried(window, at.block.number);
        let rank = rank(tried.failures, until);
        let fetching = self.fetching.take(rank, 1).await;
        let blobs = with_sources(&self.blobs, at, view, Some(&self.account)).await;
        let job = in_time(0, load_spec(&blobs, &view.job)).await?;
        if job_bytes(&job) > self.config.max_job_bytes {
            tracing::debug!(%task, bytes = job_bytes(&job), "Not checked: larger than this verifier takes.");
            return Ok(None);
        }
        let which = self.recomputer.which(&job);
        if which == Recompute::Always {
            return self.recompute(&blobs, job, window, rank, fetching).await;
        }
        // Of a claim without an output there is nothing that could be withheld but the inputs.
        let may_compute = which == Recompute::Withheld && claim.output().is_some();
        let patience = Patience::of(tried.since, until);
        let fetched = tokio::select! {
            fetched = in_time(job_bytes(&job), fetch_for_check(&blobs, &job, &claim)) => fetched,
            () = self.reached(until) => Ok(()),
            () = self.reached(patience.slow_at), if may_compute => Err(WorkerError::Withheld),
        };
        self.note(task, fetched.is_ok());
        match fetched {
            Err(error) if may_compute && self.best_block() >= patience.refused_at.into() => {
                if self.told.is_new(format!("output of task {task}"), claim) {
                    tracing::warn!(%task, %error, "Nobody gives this result: it is computed here.");
                }
                return self.recompute(&blobs, job, window, rank, fetching).await;
            }
            fetched => fetched?,
        }
        // Only what is here takes memory.
        drop(fetching);
        let _held = self.memory.take(rank, job_bytes(&job)).await;
        if self.best_block() >= until.into() {
            tracing::warn!(%task, "Not checked: its window closed while others were checked.");
            return Ok(None);
        }
        let checked = in_time(job_bytes(&job), load_for_check(&blobs, &job, &claim)).await;
        self.note(task, checked.is_ok());
        let (output, inputs) = checked?;
        let (output, root) = self.root_over(window, output).await?;
        let _computing = self.computing.take(rank, 1).await;
        let seed = private_seed(window.seed.0, rand::random());
        let found = self.check(job, inputs, claim, output, seed).await?;
        let valid = found == Attestation::Valid;
        if valid {
            self.keep(&blobs, task, &claim).await?;
        }
        Ok(Some(AttestRecord {
            claim,
            valid,
            own: None,
            root: Some((window.seed, root)),
        }))
    }

    /// Computes the result in `window`, and keeps what it comes to where others find it. `None`: the window closed first.
    async fn recompute(
        &self,
        blobs: &Blobs,
        job: JobSpec,
        window: &AppealWindowView,
        rank: u64,
        fetching: Turn,
    ) -> Result<Option<AttestRecord>, WorkerError> {
        let (task, claim) = (window.task, window.claim);
        let too_late = self.reached(window.until);
        let computed = self
            .recomputer
            .compute(blobs, job, claim, rank, fetching, too_late)
            .await;
        self.note(task, computed.is_ok());
        let Some(own) = computed? else {
            tracing::warn!(%task, "Not judged: its window closed before the result was computed.");
            return Ok(None);
        };
        self.metrics.recomputed.inc();
        let mut record = AttestRecord::computed(claim, own.claim());
        match record.valid {
            true => tracing::info!(%task, "Computed a result: it is right, and is served from here."),
            false => tracing::warn!(%task, ?claim, "Computed a result: what is claimed is wrong."),
        }
        // Where the claim is wrong, this output may take its place; until then nobody knows what to ask for.
        if let Own::Result(mut computation) = own {
            if let Err(error) = put_result(blobs.store(), &computation).await {
                tracing::error!(%task, %error, "A computed result cannot be kept: others will not have it from here.");
            }
            if record.valid {
                let output = std::mem::take(&mut computation.output);
                let (output, root) = self.root_over(window, output).await?;
                record.root = Some((window.seed, root));
                self.keep_bytes(task, output).await?;
            }
        }
        Ok(Some(record))
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

    /// Forgets what was tried in windows that are closed, and what was kept for them.
    fn forget_tried(&self, open: &[AppealWindowView]) {
        let open: HashSet<_> = open.iter().map(|window| window.task).collect();
        self.all_tried().retain(|task, _| open.contains(task));
        self.forget_kept(|task| open.contains(&task));
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

    /// Checks `claim` with the `output` that it names, which costs far less than computing it.
    async fn check(
        &self,
        job: JobSpec,
        inputs: MemoryInputs,
        claim: Claim,
        output: Vec<u8>,
        seed: [u8; 32],
    ) -> Result<Attestation, WorkerError> {
        match check_claim(Arc::clone(&self.engine), job, inputs, claim, output, seed).await? {
            Verdict::Right => Ok(Attestation::Valid),
            Verdict::Wrong(place) => {
                tracing::warn!(?claim, %place, "The result is wrong.");
                Ok(Attestation::Invalid)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_withheld_result_waits_behind_those_that_were_not_tried_and_the_next_to_close_comes_first() {
        assert!(rank(0, 10) < rank(0, 11));
        assert!(rank(0, u32::MAX) < rank(1, 0));
        assert!(rank(1, 10) < rank(2, 9));
    }

    #[test]
    fn every_byte_of_a_private_seed_depends_on_the_secret_and_on_the_draw() {
        let seed = private_seed([0b1100; 32], [0b1010; 32]);
        assert_eq!(seed, [0b0110; 32]);
        for byte in 0..32 {
            let mut flipped = [0; 32];
            flipped[byte] = 0xff;
            assert_eq!(private_seed(flipped, [0; 32]), flipped);
            assert_eq!(private_seed([0; 32], flipped), flipped);
        }
    }
}
