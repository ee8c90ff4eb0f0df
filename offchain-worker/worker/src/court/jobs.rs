//! The jobs that were computed for the court, as many as there is room for.
//!
//! Anybody can have a job computed here, by committing to an accusation. So what is needed first counts: a job keeps out, and
//! drops, those that are needed later, and never the other way round.

use crate::turns::{Lanes, Turn};
use agora_arbiter::{Arbiter, Shared, disk::Files};
use agora_chain::BlockNumber;
use agora_primitives::TaskId;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Everything about a job.
pub(super) type Known = Arc<Arbiter<Shared, Files>>;

/// What a job takes, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Bytes {
    pub memory: u64,
    pub disk: u64,
}

impl Bytes {
    const fn and(self, other: Self) -> Self {
        Self {
            memory: self.memory.saturating_add(other.memory),
            disk: self.disk.saturating_add(other.disk),
        }
    }

    const fn without(self, other: Self) -> Self {
        Self {
            memory: self.memory.saturating_sub(other.memory),
            disk: self.disk.saturating_sub(other.disk),
        }
    }
}

/// The computed jobs, and those that are being computed.
pub(super) struct Jobs<T = Known> {
    /// Most of all of them.
    limit: Bytes,
    lanes: Lanes,
    entries: Mutex<HashMap<TaskId, Entry<T>>>,
}

struct Entry<T> {
    /// The last block in which it is needed first.
    needed_by: BlockNumber,
    bytes: Bytes,
    /// `None`: it is being computed.
    job: Option<T>,
}

/// Room for a job that is being computed. Dropped, it is free again.
pub(super) struct Room<'a, T: Clone> {
    jobs: &'a Jobs<T>,
    task: TaskId,
    /// The tasks whose jobs were dropped for it.
    pub dropped: Vec<TaskId>,
}

impl<T: Clone> Jobs<T> {
    /// None yet; all together may take `limit`.
    pub fn new(limit: Bytes) -> Self {
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

    /// Whether the job of `task` was computed, or is being computed.
    pub fn contains(&self, task: TaskId) -> bool {
        self.lock().contains_key(&task)
    }

    /// Forgets the job of `task`, if it was computed.
    pub fn forget(&self, task: TaskId) {
        self.lock().retain(|other, entry| *other != task || entry.job.is_none());
    }

    /// Most of all of them.
    pub const fn limit(&self) -> Bytes {
        self.limit
    }

    /// Waits until a job of this `work` may be computed, behind those as large that are needed earlier.
    pub async fn turn(&self, work: u128, needed_by: BlockNumber) -> Turn {
        self.lanes.take(work, needed_by.into()).await
    }

    /// Sets `bytes` aside for the job of `task`, which is needed by block `needed_by`; jobs that are needed later are dropped for
    /// it, the last first. `None`: what is needed earlier, or is being computed, leaves no room for it.
    pub fn make_room(&self, task: TaskId, needed_by: BlockNumber, bytes: Bytes) -> Option<Room<'_, T>> {
        let mut entries = self.lock();
        if entries.contains_key(&task) {
            return None;
        }
        let sum = entries.values().map(|entry| entry.bytes).fold(bytes, Bytes::and);
        let mut over = sum.without(self.limit);
        let mut later: Vec<_> = entries
            .iter()
            .filter(|(_, entry)| entry.job.is_some() && entry.needed_by > needed_by)
            .map(|(task, entry)| (entry.needed_by, *task))
            .collect();
        later.sort_unstable();
        let mut dropped = Vec::new();
        while over != Bytes::default() {
            let (_, task) = later.pop()?;
            dropped.push(task);
            over = over.without(entries.get(&task).map(|entry| entry.bytes).unwrap_or_default());
        }
        for task in &dropped {
            entries.remove(task);
        }
        let entry = Entry {
            needed_by,
            bytes,
            job: None,
        };
        entries.insert(task, entry);
        Some(Room {
            jobs: self,
            task,
            dropped,
        })
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

    const fn bytes(memory: u64, disk: u64) -> Bytes {
        Bytes { memory, disk }
    }

    fn fill(jobs: &Jobs<u64>, task: u64, needed_by: BlockNumber, disk: u64) -> bool {
        let room = jobs.make_room(TaskId(task), needed_by, bytes(1, disk));
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
        let jobs = Jobs::new(bytes(100, 100));
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
        let jobs = Jobs::new(bytes(100, 100));
        let room = jobs.make_room(TaskId(1), 90, bytes(1, 80)).expect("there is room");
        assert_eq!(jobs.find(TaskId(1)), None);
        assert!(jobs.make_room(TaskId(1), 90, bytes(1, 1)).is_none());
        jobs.keep_only(&HashSet::new());
        assert!(!fill(&jobs, 2, 10, 30), "it cannot be dropped");
        drop(room);
        assert!(fill(&jobs, 2, 10, 30));
        assert_eq!(kept(&jobs), [2]);
    }

    #[test]
    fn memory_and_disk_are_counted_each_for_itself_and_what_was_dropped_is_told() {
        let jobs = Jobs::new(bytes(10, 1000));
        let made = |task, needed_by, bytes| {
            let room = jobs.make_room(TaskId(task), needed_by, bytes)?;
            let dropped = room.dropped.clone();
            room.fill(task);
            Some(dropped)
        };
        assert_eq!(made(1, 50, bytes(4, 10)), Some(vec![]));
        assert_eq!(made(2, 60, bytes(4, 900)), Some(vec![]));
        assert_eq!(
            made(3, 40, bytes(2, 91)),
            Some(vec![TaskId(2)]),
            "there is memory, and no disk"
        );
        assert_eq!(
            made(4, 30, bytes(5, 1)),
            Some(vec![TaskId(1)]),
            "there is disk, and no memory"
        );
        assert_eq!(made(5, 99, bytes(4, 1)), None);
        assert_eq!(kept(&jobs), [3, 4]);
        assert!(jobs.contains(TaskId(3)) && !jobs.contains(TaskId(1)));
        jobs.forget(TaskId(3));
        assert_eq!(kept(&jobs), [4]);
    }
}
