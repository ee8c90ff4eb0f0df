//! In court: accuses results that are wrong, defends those that are right, and collects the bonds.
//!
//! For one account, beside its worker or verifier. It has an opinion of a task if the account has computed it, as a worker or for an
//! earlier accusation, or has checked its result. Everything follows from the state of the chain and from the journal: it may be killed
//! at any point, and goes on.

#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{
    AttestRecord, Chain, Journal, Metrics, WorkerError,
    driver::{Matter, Steps},
    job::{in_time, job_bytes, load_inputs, load_spec},
    journal::AccusationRecord,
    sources::with_sources,
    told::Told,
};
use agora_arbiter::Arbiter;
use agora_blobs::Blobs;
use agora_chain::{
    AccountId, AtBlock, BlockNumber, ChainError, H256, Intention, Payload, Submitter,
    calls::{self, Clocked, Part},
    views::{CaseView, TrialView},
};
use agora_compute::MemoryInputs;
use agora_disputes::{Accusation, BranchPhase, Game, Match, Move, RunMove, Side, Terms, Time, commitment};
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim},
};
use codec::{Decode, Encode};
use futures::future::try_join_all;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Pause before a node that failed is asked again.
const PAUSE: Duration = Duration::from_secs(2);
/// So many computed jobs are kept.
const KEPT: usize = 4;
/// A move is worth nothing so many blocks after the state that it answers: then it is decided anew.
const MOVE_LASTS: BlockNumber = 16;

type Known = Arc<Arbiter<Held>>;

/// How somebody goes to court.
#[derive(Clone, Debug)]
pub struct CourtConfig {
    /// Most bytes of the inputs and the output of a job that is computed for the court: they are held in memory.
    pub max_job_bytes: u64,
    /// Deliberate misbehaviour.
    #[cfg(feature = "fault-injection")]
    pub fault: Option<Fault>,
}

/// Goes to court for one account.
pub struct Court {
    shared: Arc<Shared>,
}

struct Shared {
    submitter: Submitter,
    account: AccountId,
    journal: Journal,
    blobs: Blobs,
    config: CourtConfig,
    metrics: Metrics,
    /// The jobs that were computed lately, the newest last.
    known: Mutex<VecDeque<(TaskId, Known)>>,
    /// Lets one job be computed at a time: a court has time, and a machine has other things to do.
    computing: tokio::sync::Mutex<()>,
    told: Told,
}

/// Inputs of a job, for the reference.
struct Held(HashMap<BlobRef, Arc<[u8]>>);

impl agora_reference::Inputs for Held {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        self.0.get(blob).map(|content| &**content)
    }
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
                config,
                metrics,
                known: Mutex::default(),
                computing: tokio::sync::Mutex::default(),
                told: Told::default(),
            }),
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
            if let Err(error) = looked {
                if self.shared.told.is_new("court", &error) {
                    tracing::warn!(%error, "Could not look at the court; trying again at later blocks.");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        steps.drain().await;
    }

    async fn look(&self, steps: &mut Steps) -> Result<(), ChainError> {
        let at = self.shared.submitter.client().best().await?;
        let (cases, trials) = tokio::try_join!(at.cases(), at.trials())?;
        for case in cases.iter().filter(|case| !case.is_decided) {
            let (shared, at, case) = (Arc::clone(&self.shared), at.clone(), case.clone());
            steps.start(Matter::Case(case.number), async move { shared.attend(&at, case).await });
        }
        for (number, task) in trials {
            let case = cases.iter().find(|case| case.task == task).cloned();
            let (shared, at) = (Arc::clone(&self.shared), at.clone());
            steps.start(Matter::Trial(number), async move {
                match shared.is_concerned(task)? {
                    true => shared.play(&at, number, case).await,
                    false => Ok(()),
                }
            });
        }
        self.shared.told.is_over("court");
        Ok(())
    }
}

/// What an account holds of the claim about a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Opinion {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// It has not looked.
    None,
}

/// What follows from what was computed and checked: `computed` are claims that the account has come to itself.
fn opinion(claim: &Claim, computed: &[Claim], checked: Option<&AttestRecord>) -> Opinion {
    if let Some(own) = computed.first() {
        return if own == claim { Opinion::Right } else { Opinion::Wrong };
    }
    match checked.filter(|checked| checked.claim == *claim) {
        Some(checked) if checked.valid => Opinion::Right,
        Some(_) => Opinion::Wrong,
        None => Opinion::None,
    }
}

impl Shared {
    fn opinion(&self, task: TaskId, claim: &Claim) -> Result<Opinion, WorkerError> {
        let accused = self.journal.accusation(task)?.and_then(|record| record.own);
        let worked = self.journal.task(task)?.and_then(|record| record.claim);
        let computed: Vec<_> = accused.into_iter().chain(worked).collect();
        let checked = self.journal.attestation(task)?;
        Ok(opinion(claim, &computed, checked.as_ref()))
    }

    /// Whether this account has had anything to do with a task. Of others' trials it asks the chain nothing.
    fn is_concerned(&self, task: TaskId) -> Result<bool, WorkerError> {
        Ok(self.journal.accusation(task)?.is_some()
            || self.journal.task(task)?.is_some()
            || self.journal.attestation(task)?.is_some())
    }

    /// Accuses the claim of a case, if it is wrong, and reveals that in time.
    async fn attend(&self, at: &AtBlock, case: CaseView) -> Result<(), WorkerError> {
        let now = at.block.number;
        let known = self.journal.accusation(case.task)?;
        let known = known.filter(|record| record.case == case.number);
        if now >= case.until {
            return match known {
                Some(record) if now < case.reveal_until && at.has_accused(case.number, &self.account).await? => {
                    self.reveal(at, &case, &record).await
                }
                _ => Ok(()),
            };
        }
        let record = match known {
            // It waits for its reveal.
            Some(_) if at.has_accused(case.number, &self.account).await? => return Ok(()),
            Some(record) => record,
            None if self.opinion(case.task, &case.claim)? != Opinion::Wrong => return Ok(()),
            None => match self.accusation(at, &case).await? {
                Some(record) => record,
                None => return Ok(()),
            },
        };
        let Some(accusation) = record.decoded() else {
            return Ok(());
        };
        let genesis = self.submitter.genesis_hash();
        let hash = commitment(
            &genesis.0.into(),
            case.number,
            &self.account.0,
            &accusation,
            &record.salt,
        );
        let intention = Intention::named(format!("accusation in case {}", case.number))
            .until(case.until)
            .urgent(2);
        let included = self
            .submitter
            .submit_as(&calls::accuse(case.task, H256(hash.0)), intention)
            .await?;
        tracing::warn!(task = %case.task, claim = %case.claim, block = included.block.number, "Accused a result: it is wrong.");
        Ok(())
    }

    /// The accusation of the claim of `case`, in the journal; `None`: it is right after all.
    async fn accusation(&self, at: &AtBlock, case: &CaseView) -> Result<Option<AccusationRecord>, WorkerError> {
        let Some(arbiter) = self.arbiter(at, case.task).await? else {
            return Ok(None);
        };
        let own = arbiter.claim();
        let Some(target) = arbiter.target(&case.claim) else {
            if self.told.is_new(format!("case {}", case.number), "right") {
                tracing::error!(task = %case.task, "A check, or this machine's own result, says that a result is wrong which the reference says is right.");
            }
            return Ok(None);
        };
        let accusation = Accusation {
            accused: case.claim,
            target,
            own: Some(own),
        };
        let record = AccusationRecord {
            case: case.number,
            own: Some(own),
            salt: rand::random(),
            accusation: accusation.encode(),
        };
        self.journal.put_accusation(case.task, &record)?;
        Ok(Some(record))
    }

    async fn reveal(&self, at: &AtBlock, case: &CaseView, record: &AccusationRecord) -> Result<(), WorkerError> {
        let (Some(accusation), Some(view)) = (record.decoded(), at.task(case.task).await?) else {
            return Ok(());
        };
        let blobs = with_sources(&self.blobs, at, &view, Some(&self.account)).await;
        let job = in_time(0, load_spec(&blobs, &view.job)).await?;
        let call = calls::reveal_accusation(case.task, accusation, record.salt, job);
        let intention = Intention::named(format!("reveal of the accusation in case {}", case.number))
            .until(case.reveal_until)
            .urgent(3);
        self.submitter.submit_as(&call, intention).await?;
        Ok(())
    }

    /// Everything about the job of `task`, computed if it is not known. `None`: there is no such task, or it is larger than this account takes.
    async fn arbiter(&self, at: &AtBlock, task: TaskId) -> Result<Option<Known>, WorkerError> {
        if let Some(known) = self.kept(task) {
            return Ok(Some(known));
        }
        let Some(view) = at.task(task).await? else {
            return Ok(None);
        };
        let blobs = with_sources(&self.blobs, at, &view, Some(&self.account)).await;
        let job = in_time(0, load_spec(&blobs, &view.job)).await?;
        let bytes = job_bytes(&job);
        if bytes > self.config.max_job_bytes {
            if self.told.is_new(task, bytes) {
                tracing::warn!(%task, bytes, "Not computed for the court: larger than this account takes.");
            }
            return Ok(None);
        }
        let inputs = in_time(bytes, load_inputs(&blobs, &job)).await?;
        let _turn = self.computing.lock().await;
        if let Some(known) = self.kept(task) {
            return Ok(Some(known));
        }
        let held = held(&job, &inputs);
        let computed = tokio::task::spawn_blocking(move || Arbiter::compute(job, held)).await;
        let arbiter = computed
            .map_err(|panic| WorkerError::Interrupted(panic.to_string()))?
            .map_err(|error| WorkerError::Interrupted(error.to_string()))?;
        let arbiter = Arc::new(self.faulty(arbiter));
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_back((task, Arc::clone(&arbiter)));
        if all.len() > KEPT {
            all.pop_front();
        }
        Ok(Some(arbiter))
    }

    /// Whether it defends wrong results, if it has made them.
    #[cfg(feature = "fault-injection")]
    fn lies(&self) -> bool {
        self.config.fault == Some(Fault::Corrupt)
    }

    #[cfg(not(feature = "fault-injection"))]
    const fn lies(&self) -> bool {
        false
    }

    /// The same, or one that holds the result of [`Fault::Corrupt`] for right.
    #[cfg(feature = "fault-injection")]
    fn faulty(&self, arbiter: Arbiter<Held>) -> Arbiter<Held> {
        if !self.lies() {
            return arbiter;
        }
        arbiter.corrupted(crate::worker::corrupted)
    }

    #[cfg(not(feature = "fault-injection"))]
    fn faulty(&self, arbiter: Arbiter<Held>) -> Arbiter<Held> {
        arbiter
    }

    fn kept(&self, task: TaskId) -> Option<Known> {
        let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, arbiter) = all.iter().find(|(of, _)| *of == task)?;
        Some(Arc::clone(arbiter))
    }

    /// Makes the moves that are due in a trial, or collects its bonds.
    async fn play(&self, at: &AtBlock, number: u64, case: Option<CaseView>) -> Result<(), WorkerError> {
        let Some(view) = at.trial(number).await? else {
            return Ok(());
        };
        let task = view.task;
        let is_running = case.is_some_and(|case| case.number == view.case && !case.is_decided);
        let is_accuser = view.game.accuser == self.account;
        if !is_running || view.game.verdict().is_some() {
            return self.collect(at, number, view).await;
        }
        let side = match self.opinion(task, &view.game.dispute.accused)? {
            Opinion::Wrong if is_accuser => Side::Accuser,
            Opinion::Right if !is_accuser => Side::Defence,
            _ => return Ok(()),
        };
        let Some(arbiter) = self.arbiter(at, task).await? else {
            return Ok(());
        };
        if side == Side::Defence && arbiter.claim() != view.game.dispute.accused {
            // Nobody can defend what is wrong.
            return Ok(());
        }
        let time = Time {
            // When a call is included at the earliest.
            block: u64::from(at.block.number) + 1,
            full: at.full_blocks().await?,
        };
        let TrialView { terms, game, .. } = view;
        let ended = ended(&game, time);
        let lies = self.lies();
        let played = tokio::task::spawn_blocking(move || {
            let moves = match lies {
                true => lied(&arbiter, side, &game, &terms),
                false => arbiter.moves(side, &game, &terms),
            };
            (game, moves)
        });
        let (game, moves) = played
            .await
            .map_err(|panic| WorkerError::Interrupted(panic.to_string()))?;
        let about = BlobRef::to(&position(&game)).hash;
        let moves = moves.into_iter().enumerate().map(|(order, made)| {
            let name = format!("move {order} in trial {number} at {about:?}");
            self.make(at, number, &game, made, name)
        });
        try_join_all(moves).await?;
        let ends = ended.into_iter().enumerate().map(|(order, what)| async move {
            let name = format!("end {order} in trial {number} at {about:?}");
            self.send(at, &calls::advance_trial(number, what), name).await
        });
        try_join_all(ends).await?;
        Ok(())
    }

    async fn make(
        &self,
        at: &AtBlock,
        trial: u64,
        game: &Game<AccountId>,
        made: Move,
        name: String,
    ) -> Result<(), WorkerError> {
        let Some(made) = Made::of(game, made) else {
            return Ok(());
        };
        tracing::info!(trial, %made, "Makes a move in court.");
        match made {
            Made::Show(shown) => self.send(at, &calls::show(trial, shown), name).await,
            Made::Name(child) => self.send(at, &calls::name_child(trial, child), name).await,
            Made::Defend(defence) => self.send(at, &calls::defend(trial, defence), name).await,
            Made::List(key, made) => self.send(at, &calls::dispute_list(trial, key, made), name).await,
            Made::Run(key, root, end) => self.send(at, &calls::add_run(trial, key, root, end), name).await,
            Made::Challenge(key, one, other) => self.send(at, &calls::challenge(trial, key, one, other), name).await,
            Made::Open(key, roots, player, children) => {
                self.send(at, &calls::open_node(trial, key, roots, player, &children), name)
                    .await
            }
            Made::Execute(key, roots, segment) => {
                self.send(at, &calls::execute(trial, key, roots, segment), name).await
            }
        }
    }

    /// Sends a call that others may make, too: one that is refused was made by somebody else, or comes too late.
    async fn send(&self, at: &AtBlock, call: &impl Payload, name: String) -> Result<(), WorkerError> {
        let intention = Intention::named(name)
            .until(at.block.number.saturating_add(MOVE_LASTS))
            .urgent(3);
        match self.submitter.submit_as(call, intention).await {
            Ok(_) => Ok(()),
            Err(error @ (ChainError::Refused { .. } | ChainError::Failed(_))) => {
                tracing::debug!(%error, "A move in court was refused: the trial is elsewhere now.");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Has the bonds of a trial settled, if this account has one in it, or wins one.
    async fn collect(&self, at: &AtBlock, number: u64, view: TrialView) -> Result<(), WorkerError> {
        let TrialView { game, defender, .. } = view;
        let is_ours = defender == Some(self.account)
            || game.accuser == self.account
            || game
                .branches
                .iter()
                .any(|(branch, runs)| branch.by == self.account || runs.runs.iter().any(|run| run.by == self.account));
        if !is_ours {
            return Ok(());
        }
        let parts = parts(&game).into_iter().map(|part| async move {
            let name = format!("settlement of {part:?} of trial {number}");
            self.send(at, &calls::collect(number, part), name).await
        });
        try_join_all(parts).await?;
        // With its last part gone, the trial can be forgotten.
        let name = format!("settlement of trial {number}");
        self.send(at, &calls::collect(number, Part::Accusation), name).await
    }
}

/// A move as the chain takes it: parts are named by their hashes.
#[derive(Clone, Debug)]
enum Made {
    Show(agora_disputes::Shown),
    Name(u32),
    Defend(agora_disputes::Defence),
    List(H256, agora_disputes::BranchMove),
    Run(H256, H256, agora_disputes::RunEnd),
    Challenge(H256, H256, H256),
    Open(
        H256,
        (H256, H256),
        agora_disputes::Player,
        Box<agora_disputes::Children>,
    ),
    Execute(H256, (H256, H256), agora_disputes::Segment),
}

impl std::fmt::Display for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Show(_) => f.write_str("show what is below a node"),
            Self::Name(child) => write!(f, "name child {child}"),
            Self::Defend(_) => f.write_str("defend the claim"),
            Self::List(_, made) if made.is_accusers() => f.write_str("say what is wrong of a list"),
            Self::List(..) => f.write_str("show what is in a list"),
            Self::Run(_, root, _) => write!(f, "add run {root:?}"),
            Self::Challenge(..) => f.write_str("begin a match between two runs"),
            Self::Open(..) => f.write_str("open a node of a run"),
            Self::Execute(..) => f.write_str("have a segment executed"),
        }
    }
}

impl Made {
    /// `None`: the move is about a part that is not there, or ends what time has ended.
    fn of(game: &Game<AccountId>, made: Move) -> Option<Self> {
        let key = |branch: usize| game.key(branch).map(|key| H256(key.0));
        let root = |branch: usize, run: usize| game.root(branch, run).map(|root| H256(root.0));
        Some(match made {
            Move::Show(shown) => Self::Show(shown),
            Move::Name(child) => Self::Name(child),
            Move::Defend(defence) => Self::Defend(defence),
            Move::Branch(at, made) => Self::List(key(at)?, made),
            Move::Run(at, made) => match *made {
                RunMove::Add(root, end) => Self::Run(key(at)?, H256(root.0), end),
                RunMove::Challenge(one, other) => Self::Challenge(key(at)?, root(at, one)?, root(at, other)?),
                RunMove::Open(number, player, children) => {
                    Self::Open(key(at)?, roots(game, at, number)?, player, children)
                }
                RunMove::Execute(number, segment) => Self::Execute(key(at)?, roots(game, at, number)?, segment),
            },
            Move::Advance => return None,
        })
    }
}

/// The roots of the two runs of a match, as the chain has them.
fn roots(game: &Game<AccountId>, branch: usize, number: usize) -> Option<(H256, H256)> {
    let (one, other) = game.roots(branch, number)?;
    Some((H256(one.0), H256(other.0)))
}

/// What time will have ended at `time`.
fn ended(of: &Game<AccountId>, time: Time) -> Vec<Clocked> {
    let mut all = Vec::new();
    for (at, (branch, runs)) in of.branches.iter().enumerate() {
        let key = H256(branch.defence.id().0);
        let late = |game: &Option<Match>| game.as_ref().is_some_and(|game| game.timeout(time).is_some());
        for (number, (_, game)) in runs.matches.iter().enumerate() {
            if let Some((one, other)) = roots(of, at, number).filter(|_| late(game)) {
                all.push(Clocked::Match(key, one, other));
            }
        }
        if !matches!(branch.phase, BranchPhase::Over(_)) && branch.clone().advance(time).is_ok() {
            all.push(Clocked::Defence(key));
        }
    }
    if of.dispute.clone().advance(time).is_ok() {
        all.push(Clocked::Trial);
    }
    all
}

/// The parts of a trial that are settled before its accusation.
fn parts(game: &Game<AccountId>) -> Vec<Part> {
    let mut all = Vec::new();
    for (at, (branch, runs)) in game.branches.iter().enumerate() {
        let key = H256(branch.defence.id().0);
        let matches = (0..runs.matches.len()).filter_map(|number| roots(game, at, number));
        all.extend(matches.map(|(one, other)| Part::Match(key, one, other)));
        all.extend(runs.runs.iter().map(|run| Part::Run(key, H256(run.root.0))));
        all.push(Part::Defence(key));
    }
    all
}

/// Where a game is: the same until somebody moves.
fn position(game: &Game<AccountId>) -> Vec<u8> {
    let parts = game.branches.iter();
    let parts: Vec<_> = parts
        .map(|(branch, runs)| {
            let matches: Vec<_> = runs.matches.iter().map(|(_, game)| game.encode()).collect();
            (branch.encode(), runs.runs.encode(), matches)
        })
        .collect();
    (game.dispute.encode(), parts).encode()
}

/// The moves of somebody who holds what is wrong for right.
#[cfg(feature = "fault-injection")]
fn lied(arbiter: &Arbiter<Held>, side: Side, game: &Game<AccountId>, terms: &Terms) -> Vec<Move> {
    agora_arbiter::Liar(arbiter).moves(side, game, terms)
}

#[cfg(not(feature = "fault-injection"))]
fn lied(arbiter: &Arbiter<Held>, side: Side, game: &Game<AccountId>, terms: &Terms) -> Vec<Move> {
    arbiter.moves(side, game, terms)
}

/// The inputs of `job`.
fn held(job: &agora_primitives::job::JobSpec, inputs: &MemoryInputs) -> Held {
    use agora_compute::Inputs;
    let all = job.inputs().into_iter();
    Held(all.filter_map(|blob| Some((blob, inputs.get(&blob).ok()?))).collect())
}

impl AccusationRecord {
    /// The accusation. `None`: it cannot be read any more.
    fn decoded(&self) -> Option<Accusation> {
        Accusation::decode(&mut self.accusation.as_slice()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(byte: u8) -> Claim {
        Claim::Output {
            output: BlobRef::to(&[byte]),
            states_root: [byte; 32].into(),
        }
    }

    #[test]
    fn what_was_computed_counts_more_than_what_was_checked() {
        let checked = |valid| AttestRecord { claim: claim(1), valid };
        assert_eq!(opinion(&claim(1), &[], None), Opinion::None);
        assert_eq!(opinion(&claim(1), &[], Some(&checked(true))), Opinion::Right);
        assert_eq!(opinion(&claim(1), &[], Some(&checked(false))), Opinion::Wrong);
        // The check was of another claim.
        assert_eq!(opinion(&claim(2), &[], Some(&checked(false))), Opinion::None);
        assert_eq!(opinion(&claim(1), &[claim(1)], Some(&checked(false))), Opinion::Right);
        assert_eq!(opinion(&claim(1), &[claim(2)], Some(&checked(true))), Opinion::Wrong);
    }
}
