//! The jobs that were computed for the court, as many as there is memory for.
//!
//! Anybody can have a job computed here, by committing to an accusation. So what is needed first counts: a job keeps out, and
//! drops, those that are needed later, and never the other way round.

use crate::turns::{Lanes, Turn};
use agora_arbiter::{Arbiter, Held};
use agora_chain::BlockNumber;
use agora_primitives::TaskId;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Everything about a job.
pub(super) type Known = Arc<Arbiter<Held>>;

/// The computed jobs, and those that are being computed.
pub(super) struct Jobs<T = Known> {
    /// Most bytes of all of them.
    limit: u64,
    lanes: Lanes,
    entries: Mutex<HashMap<TaskId, Entry<T>>>,
}

struct Entry<T> {
    /// The last block in which it is needed first.
    needed_by: BlockNumber,
    bytes: u64,
    /// `None`: it is being computed.
    job: Option<T>,
}

/// Memory for a job that is being computed. Dropped, it is free again.
pub(super) struct Room<'a, T: Clone> {
    jobs: &'a Jobs<T>,
    task: TaskId,
}

impl<T: Clone> Jobs<T> {
    /// None yet; all together may take `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            lanes: Lanes::default(),
            entries: Mutex::default(),
        }
    }

    /// The job of `task`, if it was computed.
    pub fn find(&self, task: TaskId) -> Option<T> {
        self.lock().get(&task)?.job.clone()
    }

    /// Waits until a job of this `work` may be computed, behind those as large that are needed earlier.
    pub async fn turn(&self, work: u128, needed_by: BlockNumber) -> Turn {
        self.lanes.take(work, needed_by.into()).await
    }

    /// Sets `bytes` aside for the job of `task`, which is needed by block `needed_by`; jobs that are needed later are dropped for
    /// it, the last first. `None`: what is needed earlier, or is being computed, leaves no room for it.
    pub fn make_room(&self, task: TaskId, needed_by: BlockNumber, bytes: u64) -> Option<Room<'_, T>> {
        let mut entries = self.lock();
        if entries.contains_key(&task) {
            return None;
        }
        let sum = entries
            .values()
            .map(|entry| entry.bytes)
            .fold(bytes, u64::saturating_add);
        let mut over = sum.saturating_sub(self.limit);
        let mut later: Vec<_> = entries
            .iter()
            .filter(|(_, entry)| entry.job.is_some() && entry.needed_by > needed_by)
            .map(|(task, entry)| (entry.needed_by, *task, entry.bytes))
            .collect();
        later.sort_unstable();
        let mut dropped = Vec::new();
        while over > 0 {
            let (_, task, bytes) = later.pop()?;
            dropped.push(task);
            over = over.saturating_sub(bytes);
        }
        for task in dropped {
            entries.remove(&task);
        }
        let entry = Entry {
            needed_by,
            bytes,
            job: None,
        };
        entries.insert(task, entry);
        Some(Room { jobs: self, task })
    }

    /// Forgets the jobs of all tasks but those in `wanted`.
    pub fn keep_only(&self, wanted: &HashSet<TaskId>) {
        self.lock()
            .retain(|task, entry| entry.job.is_none() || wanted.contains(task));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, Entry<T>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Room<'_, T> {
    /// Keeps what was computed.
    pub fn fill(self, job: T) {
        if let Some(entry) = self.jobs.lock().get_mut(&self.task) {
            entry.job = Some(job);
        }
    }
}

impl<T: Clone> Drop for Room<'_, T> {
    fn drop(&mut self) {
        let mut entries = self.jobs.lock();
        if entries.get(&self.task).is_some_and(|entry| entry.job.is_none()) {
            entries.remove(&self.task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(jobs: &Jobs<u64>, task: u64, needed_by: BlockNumber, bytes: u64) -> bool {
        let room = jobs.make_room(TaskId(task), needed_by, bytes);
        let has_room = room.is_some();
        if let Some(room) = room {
            room.fill(task);
        }
        has_room
    }

    fn kept(jobs: &Jobs<u64>) -> Vec<u64> {
        (0..10).filter(|task| jobs.find(TaskId(*task)).is_some()).collect()
    }

    #[test]
    fn what_is_needed_later_makes_room_and_never_what_is_needed_earlier() {
        let jobs = Jobs::new(100);
        assert!(fill(&jobs, 1, 50, 40) && fill(&jobs, 2, 70, 30) && fill(&jobs, 3, 60, 30));
        // The last is dropped, and no more than has to be.
        assert!(fill(&jobs, 4, 55, 30));
        assert_eq!(kept(&jobs), [1, 3, 4]);
        // Whoever is needed last, or no earlier, waits; nothing is dropped in vain.
        assert!(!fill(&jobs, 5, 90, 10) && !fill(&jobs, 5, 60, 10) && !fill(&jobs, 5, 52, 61));
        assert_eq!(kept(&jobs), [1, 3, 4]);
        assert!(!fill(&jobs, 6, 0, 101), "it never fits");
        assert_eq!(kept(&jobs), [1, 3, 4]);
        jobs.keep_only(&[TaskId(1)].into());
        assert_eq!(kept(&jobs), [1]);
    }

    #[test]
    fn what_is_being_computed_takes_room_until_it_fails_and_no_task_takes_it_twice() {
        let jobs = Jobs::new(100);
        let room = jobs.make_room(TaskId(1), 90, 80).expect("there is room");
        assert_eq!(jobs.find(TaskId(1)), None);
        assert!(jobs.make_room(TaskId(1), 90, 1).is_none());
        jobs.keep_only(&HashSet::new());
        assert!(!fill(&jobs, 2, 10, 30), "it cannot be dropped");
        drop(room);
        assert!(fill(&jobs, 2, 10, 30));
        assert_eq!(kept(&jobs), [2]);
    }
}
