//! The tasks in hand: the journal's records in memory, so that no block reads them all, with what is known besides.
//!
//! The record of a task, with its salt, is on disk before its acceptance is sent. After that money comes first: if the disk
//! takes nothing, a task goes on with what is in memory, and the disk is tried again after each block. What a crash loses
//! then is computed again.

mod writing;

use super::{
    forecast::Load,
    policy::SLACK,
    step::{Acceptance, Situation, Step},
};
use crate::{CameTo, Journal, SeenChain, Stage, TaskRecord, WorkerError, ledger::Losses, told::Told};
use agora_chain::{Balance, BlockNumber, views::TaskView};
use agora_primitives::{TaskId, participants::Specialisation};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How many ended tasks the journal remembers.
const REMEMBERED: usize = 10_000;
/// After so many finalised blocks it is written how far the chain was seen, and old records are forgotten.
const WRITE_EVERY: BlockNumber = 32;
/// How many blocks a call whose answer was lost is waited for before it is sent again.
const ANSWER_WAIT: BlockNumber = 2;
/// How many blocks a refused call is not sent again while the state stays the same; each time twice as many.
const REFUSED_WAIT: BlockNumber = 8;
/// How often the end of a task waits for the finalised blocks that tell what came of it.
const MOST_WAITS: u32 = 32;

/// The tasks in hand.
pub(super) struct Book {
    journal: Journal,
    inner: Mutex<Inner>,
    told: Told,
}

/// What is promised for tasks in hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Promises {
    /// The bonds of all of them.
    pub bonds: Balance,
    /// Slots that the chain does not count yet.
    pub slots: usize,
    /// Bonds that the chain has not taken yet.
    pub bonds_to_come: Balance,
    /// How many have still to be revealed.
    pub unrevealed: usize,
}

#[derive(Default)]
struct Inner {
    open: BTreeMap<TaskId, Entry>,
    seen: SeenChain,
    written: SeenChain,
    /// The finalised block whose events were taken note of last, and that which the journal names.
    settled: Option<BlockNumber>,
    written_settled: Option<BlockNumber>,
    losses: Losses,
    /// Whether the disk lacks a loss.
    is_loss_unwritten: bool,
    /// Tasks whose records the disk does not have yet.
    unwritten: BTreeSet<TaskId>,
}

struct Entry {
    record: TaskRecord,
    /// Whether the best state had this worker's contribution when it was looked at last.
    is_on_chain: bool,
    acceptance: Acceptance,
    load: Option<Planned>,
    /// A call whose answer was lost.
    sent: Option<(Step, BlockNumber)>,
    refused: Option<Refusal>,
    waits: u32,
}

/// A computation that is to be made.
#[derive(Clone)]
pub(super) struct Planned {
    /// Its multiply–adds.
    pub work: u128,
    /// Its kind.
    pub kind: Specialisation,
    /// The last block in which its result can be committed to.
    pub until: BlockNumber,
    /// The devices that it does not fit into, by their numbers.
    pub without: Vec<usize>,
    /// The memory that its inputs and its output take, in bytes.
    pub bytes: u64,
}

impl Planned {
    /// As seen from block `now`, with blocks of `block_ms`. Some blocks are left for the commitment to get into.
    pub fn load(&self, now: BlockNumber, block_ms: u64) -> Load {
        let blocks = self.until.saturating_sub(now).saturating_sub(SLACK);
        Load {
            work: self.work,
            kind: self.kind,
            due_in: Duration::from_millis(u64::from(blocks).saturating_mul(block_ms)),
            without: self.without.clone(),
            bytes: self.bytes,
        }
    }
}

struct Refusal {
    step: Step,
    situation: Situation,
    again_at: BlockNumber,
    times: u32,
}

impl From<TaskRecord> for Entry {
    fn from(record: TaskRecord) -> Self {
        Self {
            record,
            is_on_chain: false,
            acceptance: Acceptance::Unsure,
            load: None,
            sent: None,
            refused: None,
            waits: 0,
        }
    }
}

impl Inner {
    /// `record` with all that came of the task: a step may have begun before it was known.
    fn with_came_to(&self, task: TaskId, record: TaskRecord) -> TaskRecord {
        let came_to = self.open.get(&task).map(|entry| entry.record.came_to);
        TaskRecord {
            came_to: came_to.unwrap_or(record.came_to),
            ..record
        }
    }

    /// The newest block in which a record was seen to be.
    fn newest_record(&self) -> BlockNumber {
        self.open.values().map(|entry| entry.record.seen_at).max().unwrap_or(0)
    }

    fn keep(&mut self, task: TaskId, record: TaskRecord) {
        match self.open.get_mut(&task) {
            Some(entry) => entry.record = record,
            None => {
                self.open.insert(task, record.into());
            }
        }
    }

    fn remove(&mut self, task: TaskId) {
        self.open.remove(&task);
        self.unwritten.remove(&task);
    }
}

impl Book {
    /// What the journal holds. Records that cannot be read are set aside, and said.
    pub fn open(journal: Journal) -> Result<Self, WorkerError> {
        let (unfinished, damaged) = journal.load()?;
        for error in damaged {
            tracing::error!(%error, "A record is set aside: if the task was committed to, its bond is lost unless the record is mended.");
        }
        journal.prune(REMEMBERED)?;
        let seen = journal.seen()?;
        let settled = journal.settled()?;
        let open = unfinished.into_iter().map(|(task, record)| (task, record.into()));
        let inner = Inner {
            open: open.collect(),
            seen,
            written: seen,
            settled,
            written_settled: settled,
            losses: Losses::new(journal.losses()?),
            is_loss_unwritten: false,
            unwritten: BTreeSet::new(),
        };
        Ok(Self {
            journal,
            inner: Mutex::new(inner),
            told: Told::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All tasks in hand.
    pub fn all(&self) -> Vec<(TaskId, TaskRecord)> {
        let inner = self.lock();
        inner
            .open
            .iter()
            .map(|(task, entry)| (*task, entry.record.clone()))
            .collect()
    }

    /// The record of `task`, if it is in hand.
    pub fn record(&self, task: TaskId) -> Option<TaskRecord> {
        self.lock().open.get(&task).map(|entry| entry.record.clone())
    }

    /// What is known of the acceptance of `task`.
    pub fn acceptance(&self, task: TaskId) -> Acceptance {
        self.lock()
            .open
            .get(&task)
            .map_or(Acceptance::Unsure, |entry| entry.acceptance)
    }

    /// Remembers what is to be computed for `task`.
    pub fn plan(&self, task: TaskId, planned: Planned) {
        self.change(task, |entry| entry.load = Some(planned));
    }

    /// Closes the record of `task`, and returns what came of it.
    pub fn end(&self, task: TaskId, record: TaskRecord) -> Result<CameTo, WorkerError> {
        let record = TaskRecord {
            stage: Stage::Ended,
            ..self.lock().with_came_to(task, record)
        };
        self.journal.put_task(task, &record)?;
        self.lock().remove(task);
        Ok(record.came_to)
    }

    /// About how many matters something was said that is not over.
    #[cfg(test)]
    pub fn told(&self) -> usize {
        self.told.count()
    }

    /// The record of a task that has ended.
    #[cfg(test)]
    pub fn ended(&self, task: TaskId) -> Option<TaskRecord> {
        self.journal.task(task).expect("it can be read")
    }

    /// Forgets a task that was never accepted.
    pub fn forget(&self, task: TaskId) -> Result<(), WorkerError> {
        self.journal.remove_task(task)?;
        self.lock().remove(task);
        Ok(())
    }

    /// What this account's decoys are made from.
    pub fn decoy_secret(&self) -> Result<[u8; 32], WorkerError> {
        Ok(self.journal.decoy_secret()?)
    }

    /// Whether the journal knows the task.
    pub fn knows(&self, task: &TaskView) -> Result<bool, WorkerError> {
        if self.lock().open.contains_key(&task.id) {
            return Ok(true);
        }
        Ok(self.journal.task(task.id)?.is_some())
    }

    /// Whether the best state has this worker's contribution to `task`.
    pub fn set_on_chain(&self, task: TaskId, is_on_chain: bool) {
        self.change(task, |entry| entry.is_on_chain = is_on_chain);
    }

    /// What is promised for the tasks in hand, but for `task`.
    pub fn promises(&self, but: Option<TaskId>) -> Promises {
        let inner = self.lock();
        let mut promises = Promises::default();
        for (_, entry) in inner.open.iter().filter(|(task, _)| Some(**task) != but) {
            let (stage, bond) = (entry.record.stage, entry.record.bond);
            promises.bonds = promises.bonds.saturating_add(bond);
            promises.unrevealed += usize::from(stage <= Stage::Revealing);
            if !entry.is_on_chain && stage == Stage::Accepting {
                promises.slots += 1;
                promises.bonds_to_come = promises.bonds_to_come.saturating_add(bond);
            }
        }
        promises
    }

    /// What is still to be computed, but for `task`.
    pub fn planned_but(&self, task: TaskId) -> Vec<Planned> {
        let inner = self.lock();
        let others = inner.open.iter().filter(|(id, _)| **id != task);
        let waiting = others.filter(|(_, entry)| entry.record.stage == Stage::Accepting);
        waiting.filter_map(|(_, entry)| entry.load.clone()).collect()
    }

    /// The finalised block that was taken note of last.
    pub fn settled(&self) -> Option<BlockNumber> {
        self.lock().settled
    }

    /// Whether the finalised blocks up to `number` have told what came of `task`, or have been waited for long enough.
    pub fn has_heard_of_the_end(&self, task: TaskId, number: BlockNumber) -> bool {
        let mut inner = self.lock();
        let has_heard = inner.settled.is_some_and(|settled| settled >= number);
        inner.open.get_mut(&task).is_none_or(|entry| {
            entry.waits += 1;
            has_heard || entry.waits > MOST_WAITS
        })
    }

    /// Whether `step` may be sent: its answer is not waited for, and it was not refused in the same state.
    pub fn may_send(&self, task: TaskId, step: Step, best: &Situation) -> bool {
        let inner = self.lock();
        inner.open.get(&task).is_none_or(|entry| {
            // Only while there is time: to send it again does no harm, and to be late costs the bond.
            let has_time = best.now.saturating_add(SLACK) < best.until().saturating_sub(1);
            let is_sent = entry.sent.is_some_and(|(sent, at)| {
                sent == step && has_time && (at..at.saturating_add(ANSWER_WAIT)).contains(&best.now)
            });
            let is_refused = entry.refused.as_ref().is_some_and(|refused| {
                refused.step == step && refused.situation.is_like(best) && best.now < refused.again_at
            });
            !is_sent && !is_refused
        })
    }

    /// The answer to `step` was lost.
    pub fn lost_answer(&self, task: TaskId, step: Step, now: BlockNumber) {
        self.change(task, |entry| entry.sent = Some((step, now)));
    }

    /// `step` was refused.
    pub fn refused(&self, task: TaskId, step: Step, best: Situation) {
        self.change(task, |entry| {
            let times = entry.refused.as_ref().filter(|before| before.step == step);
            let times = times.map_or(0, |before| before.times.saturating_add(1));
            let wait = REFUSED_WAIT.saturating_mul(1 << times.min(16));
            entry.refused = Some(Refusal {
                step,
                situation: best,
                again_at: best.now.saturating_add(wait),
                times,
            });
            if step == Step::Accept {
                entry.acceptance = Acceptance::Refused;
            }
        });
    }

    /// The acceptance is sent once more, so that nothing is known of it.
    pub fn accepting(&self, task: TaskId) {
        self.change(task, |entry| entry.acceptance = Acceptance::Unsure);
    }

    fn change(&self, task: TaskId, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().open.get_mut(&task) {
            change(entry);
        }
    }
}
