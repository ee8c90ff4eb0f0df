//! The tasks in hand: the journal's records in memory, so that no block reads them all, with what is known besides.
//!
//! A record is on disk before it is here, and here before anything is sent.

use super::{
    forecast::Load,
    policy::SLACK,
    step::{Acceptance, Situation, Step},
};
use crate::{CameTo, Journal, SeenChain, Stage, TaskRecord, WorkerError};
use agora_chain::{Balance, BlockNumber, views::TaskView};
use agora_primitives::{TaskId, participants::Specialisation};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
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
}

#[derive(Default)]
struct Inner {
    open: BTreeMap<TaskId, Entry>,
    seen: SeenChain,
    written: SeenChain,
    /// The finalised block whose events were taken note of last.
    settled: Option<BlockNumber>,
}

struct Entry {
    record: TaskRecord,
    /// Whether the best state had this worker's contribution when it was looked at last.
    is_on_chain: bool,
    acceptance: Acceptance,
    load: Option<Planned>,
    came_to: CameTo,
    /// A call whose answer was lost.
    sent: Option<(Step, BlockNumber)>,
    refused: Option<Refusal>,
    waits: u32,
}

/// A computation that is to be made.
#[derive(Clone, Copy)]
pub(super) struct Planned {
    /// Its multiply–adds.
    pub work: u128,
    /// Its kind.
    pub kind: Specialisation,
    /// The last block in which its result can be committed to.
    pub until: BlockNumber,
}

impl Planned {
    /// As seen from block `now`, with blocks of `block_ms`. Some blocks are left for the commitment to get into.
    pub fn load(&self, now: BlockNumber, block_ms: u64) -> Load {
        let blocks = self.until.saturating_sub(now).saturating_sub(SLACK);
        Load {
            work: self.work,
            kind: self.kind,
            due_in: std::time::Duration::from_millis(u64::from(blocks).saturating_mul(block_ms)),
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
            came_to: CameTo::default(),
            sent: None,
            refused: None,
            waits: 0,
        }
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
        let open = unfinished.into_iter().map(|(task, record)| (task, record.into()));
        let inner = Inner {
            open: open.collect(),
            seen,
            written: seen,
            settled: (seen.finalised > 0).then_some(seen.finalised),
        };
        Ok(Self {
            journal,
            inner: Mutex::new(inner),
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

    /// What is known of the acceptance of `task`.
    pub fn acceptance(&self, task: TaskId) -> Acceptance {
        self.lock()
            .open
            .get(&task)
            .map_or(Acceptance::Unsure, |entry| entry.acceptance)
    }

    /// Writes a record.
    pub fn put(&self, task: TaskId, record: TaskRecord) -> Result<(), WorkerError> {
        self.journal.put_task(task, &record)?;
        let mut inner = self.lock();
        match inner.open.get_mut(&task) {
            Some(entry) => entry.record = record,
            None => {
                inner.open.insert(task, record.into());
            }
        }
        Ok(())
    }

    /// Remembers what is to be computed for `task`.
    pub fn plan(&self, task: TaskId, planned: Planned) {
        self.change(task, |entry| entry.load = Some(planned));
    }

    /// Closes the record of `task`, and returns what came of it.
    pub fn end(&self, task: TaskId, record: TaskRecord) -> Result<CameTo, WorkerError> {
        let came_to = self
            .lock()
            .open
            .get(&task)
            .map(|entry| entry.came_to)
            .unwrap_or_default();
        let record = TaskRecord {
            stage: Stage::Ended,
            came_to: Some(came_to),
            ..record
        };
        self.journal.put_task(task, &record)?;
        self.lock().open.remove(&task);
        Ok(came_to)
    }

    /// Forgets a task that was never accepted.
    pub fn forget(&self, task: TaskId) -> Result<(), WorkerError> {
        self.journal.remove_task(task)?;
        self.lock().open.remove(&task);
        Ok(())
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

    /// How many slots are promised that the chain does not count yet, and the bonds that it has not taken yet.
    pub fn pending(&self) -> (usize, Balance) {
        let inner = self.lock();
        let is_pending = |entry: &&Entry| !entry.is_on_chain && entry.record.stage == Stage::Accepting;
        let pending = inner.open.values().filter(is_pending);
        pending.fold((0, 0), |(slots, bonds), entry| {
            (slots + 1, bonds.saturating_add(entry.record.bond))
        })
    }

    /// The bonds of all tasks in hand.
    pub fn bonds(&self) -> Balance {
        let inner = self.lock();
        inner
            .open
            .values()
            .fold(0, |sum, entry| sum.saturating_add(entry.record.bond))
    }

    /// How many tasks have still to be revealed.
    pub fn unrevealed(&self) -> usize {
        let inner = self.lock();
        inner
            .open
            .values()
            .filter(|entry| entry.record.stage <= Stage::Revealing)
            .count()
    }

    /// What is still to be computed, but for `task`.
    pub fn planned_but(&self, task: TaskId) -> Vec<Planned> {
        let inner = self.lock();
        let others = inner.open.iter().filter(|(id, _)| **id != task);
        let waiting = others.filter(|(_, entry)| entry.record.stage == Stage::Accepting);
        waiting.filter_map(|(_, entry)| entry.load).collect()
    }

    /// Takes note of how far a node has come. Returns why it is believed in nothing, if so: it is behind what was seen.
    pub fn saw(&self, now: SeenChain) -> Option<String> {
        let mut inner = self.lock();
        let records = inner.open.values().map(|entry| entry.record.seen_at).max().unwrap_or(0);
        let seen = SeenChain {
            best: inner.seen.best.max(records),
            finalised: inner.seen.finalised,
        };
        if now.best < seen.best || now.finalised < seen.finalised {
            return Some(format!(
                "The node is behind: blocks up to {} (finalised up to {}) were seen before. Nothing is done until it has caught up.",
                seen.best, seen.finalised
            ));
        }
        inner.seen = now;
        let is_due = now.finalised.saturating_sub(inner.written.finalised) >= WRITE_EVERY;
        if is_due {
            inner.written = now;
        }
        drop(inner);
        if is_due && let Err(error) = self.tidy(now) {
            tracing::warn!(%error, "How far the chain was seen could not be written; trying again some blocks later.");
        }
        None
    }

    fn tidy(&self, seen: SeenChain) -> Result<(), WorkerError> {
        self.journal.put_seen(seen)?;
        Ok(self.journal.prune(REMEMBERED)?)
    }

    /// Writes how far the chain was seen, at the end.
    pub fn close(&self) -> Result<(), WorkerError> {
        let seen = self.lock().seen;
        Ok(self.journal.put_seen(seen)?)
    }

    /// The finalised block that was taken note of last.
    pub fn settled(&self) -> Option<BlockNumber> {
        self.lock().settled
    }

    /// Takes note of what came of tasks in finalised block `number`.
    pub fn settle(&self, number: BlockNumber, came_to: impl Iterator<Item = (TaskId, CameTo)>) {
        let mut inner = self.lock();
        inner.settled = Some(number);
        for (task, more) in came_to {
            if let Some(entry) = inner.open.get_mut(&task) {
                entry.came_to.earned = entry.came_to.earned.saturating_add(more.earned);
                entry.came_to.lost = entry.came_to.lost.saturating_add(more.lost);
                entry.came_to.judged = more.judged.or(entry.came_to.judged);
            }
        }
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
            let is_sent = entry
                .sent
                .is_some_and(|(sent, at)| sent == step && (at..at.saturating_add(ANSWER_WAIT)).contains(&best.now));
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
