//! What a book writes: records, how far the chain was seen, and what came of tasks.

use super::{Book, REMEMBERED, WRITE_EVERY};
use crate::{CameTo, SeenChain, StopLoss, TaskRecord, WorkerError};
use agora_chain::BlockNumber;
use agora_primitives::TaskId;
use std::{collections::HashMap, time::SystemTime};

impl Book {
    /// Writes a record, before a step that must not be taken without.
    pub fn put(&self, task: TaskId, record: TaskRecord) -> Result<(), WorkerError> {
        let record = self.lock().with_came_to(task, record);
        self.journal.put_task(task, &record)?;
        self.lock().keep(task, record);
        Ok(())
    }

    /// Goes on with a record, whether the disk takes it or not.
    pub fn advance(&self, task: TaskId, record: TaskRecord) {
        let mut inner = self.lock();
        let record = inner.with_came_to(task, record);
        inner.keep(task, record);
        inner.unwritten.insert(task);
        drop(inner);
        self.flush();
    }

    /// Writes what the disk has not taken yet.
    pub fn flush(&self) {
        let inner = self.lock();
        let unwritten = inner.unwritten.clone();
        let (settled, losses) = (inner.settled, inner.losses.all());
        let (before, after) = (inner.written_settled.unwrap_or_default(), settled.unwrap_or_default());
        if unwritten.is_empty() && !inner.is_loss_unwritten && after.saturating_sub(before) < WRITE_EVERY {
            return;
        }
        let records: Vec<_> = unwritten
            .iter()
            .filter_map(|task| Some((*task, inner.open.get(task)?.record.clone())))
            .collect();
        drop(inner);
        match self.journal.settle(&records, settled, &losses) {
            Ok(()) => {
                let mut inner = self.lock();
                inner.written_settled = settled;
                inner.is_loss_unwritten = inner.losses.all() != losses;
                for (task, written) in records {
                    let is_newest = inner.open.get(&task).is_none_or(|entry| entry.record == written);
                    if is_newest {
                        inner.unwritten.remove(&task);
                    }
                }
                if self.told.is_over("disk") {
                    tracing::info!("The disk takes what is written again.");
                }
            }
            Err(error) => {
                if self.told.is_new("disk", &error) {
                    tracing::error!(
                        %error,
                        "The journal cannot be written. Tasks in hand go on, because their bonds are at stake, and no new one is taken: free some room on the disk."
                    );
                }
            }
        }
    }

    /// Whether there is something that the disk does not take.
    pub fn is_unwritten(&self) -> bool {
        !self.lock().unwritten.is_empty()
    }

    /// Takes note of what came of tasks in finalised block `number`, at `now`, and of `other` things, such as votes. Returns whether
    /// it is news: a block is counted once, also after a restart.
    pub fn settle(
        &self,
        number: BlockNumber,
        now: SystemTime,
        came_to: &HashMap<TaskId, CameTo>,
        other: &CameTo,
    ) -> bool {
        let mut inner = self.lock();
        if inner.settled.is_some_and(|settled| number <= settled) {
            return false;
        }
        inner.settled = Some(number);
        for lost in came_to.values().chain([other]).map(|more| more.lost) {
            inner.losses.add(now, lost);
            inner.is_loss_unwritten |= lost > 0;
        }
        for (task, more) in came_to {
            let Some(entry) = inner.open.get_mut(task) else {
                continue;
            };
            let sum = &mut entry.record.came_to;
            sum.earned = sum.earned.saturating_add(more.earned);
            sum.lost = sum.lost.saturating_add(more.lost);
            sum.judged = more.judged.or(sum.judged);
            inner.unwritten.insert(*task);
        }
        drop(inner);
        self.flush();
        true
    }

    /// Why nothing more is risked at `now`, if so.
    pub fn stop(&self, stop_loss: Option<StopLoss>, now: SystemTime) -> Option<String> {
        stop_loss?.reached(&mut self.lock().losses, now)
    }

    /// The number of the newest block that is known of: one that was looked at, or one with a call of this worker's.
    pub fn seen_best(&self) -> BlockNumber {
        let inner = self.lock();
        inner.seen.best.max(inner.newest_record())
    }

    /// Takes note of how far a node has come. Returns why it is believed in nothing, if so: it is behind what was seen.
    pub fn saw(&self, now: SeenChain) -> Option<String> {
        let mut inner = self.lock();
        let seen = SeenChain {
            best: inner.seen.best.max(inner.newest_record()),
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
        let inner = self.lock();
        let seen = inner.seen;
        drop(inner);
        self.flush();
        Ok(self.journal.put_seen(seen)?)
    }
}
