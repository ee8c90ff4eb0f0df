//! What jobs come to, computed for the court: in files, in a folder for each task, as long as a case of the task may need it.

#[cfg(test)]
mod tests;

use super::{
    CourtConfig,
    jobs::{Bytes, Jobs, Known},
};
#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::{
    WorkerError,
    job::{fetch_inputs, in_time, open_inputs},
    told::Told,
    turns::Turn,
};
use agora_arbiter::{
    Arbiter, Error, Shared,
    disk::{Files, Need, PAGES_BYTES, Pages, Trouble, spare_space},
};
use agora_blobs::BlobSource;
use agora_chain::BlockNumber;
use agora_primitives::{
    TaskId,
    job::{Claim, H256, JobSpec},
};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The jobs that are known here, and what they come to.
pub(super) struct Truths {
    /// A folder for each task is in it.
    folder: PathBuf,
    jobs: Jobs,
    /// What the processor says of those that the reference has not computed yet.
    claims: Mutex<HashMap<TaskId, Claim>>,
    /// What the jobs need that were looked at: to find that out takes a while.
    needs: Mutex<HashMap<H256, Option<Need>>>,
    told: Told,
    #[cfg(feature = "fault-injection")]
    fault: Option<Fault>,
}

impl Truths {
    /// What is in the folder of `config`.
    pub fn new(config: &CourtConfig) -> Self {
        let disk = config.disk_bytes.unwrap_or_else(|| allowed(&config.folder));
        Self {
            folder: config.folder.clone(),
            jobs: Jobs::new(Bytes {
                memory: config.memory_bytes,
                disk,
            }),
            claims: Mutex::default(),
            needs: Mutex::default(),
            told: Told::default(),
            #[cfg(feature = "fault-injection")]
            fault: config.fault,
        }
    }

    /// What the job of `task` comes to, if it was computed.
    pub fn find(&self, task: TaskId) -> Option<Known> {
        self.jobs.find(task)
    }

    /// What `job` comes to, which is that of `task`: computed if it is not known. Needed by block `needed_by`. `None`: there is no room for it,
    /// or not as long as others are needed earlier. That is said once.
    ///
    /// Errors: those of fetching and computing it.
    pub async fn compute(
        &self,
        task: TaskId,
        needed_by: BlockNumber,
        source: &dyn BlobSource,
        job: JobSpec,
    ) -> Result<Option<Known>, WorkerError> {
        if !self.has_room(task, &job).await? {
            return Ok(None);
        }
        let Some(need) = self.need(&job).await? else {
            return Ok(None);
        };
        let (path, limit) = (self.place(task), self.disk_of(&need));
        in_time(need.inputs, fetch_inputs(source, &job)).await?;
        let _turn = self.jobs.turn(job.work(), needed_by).await;
        if let Some(known) = self.jobs.find(task) {
            return Ok(Some(known));
        }
        let bytes = Bytes {
            memory: need.memory(),
            disk: limit,
        };
        let Some(room) = self.jobs.make_room(task, needed_by, bytes) else {
            if self.told.is_new(format!("room for task {task}"), "none") {
                tracing::warn!(%task, memory = bytes.memory, disk = bytes.disk, "Not computed for the court yet: jobs that are needed earlier take the room.");
            }
            return Ok(None);
        };
        self.told.is_over(format!("room for task {task}"));
        // What cannot be removed now is gone when its task is over.
        let dropped: Vec<_> = room.dropped.iter().map(|task| self.place(*task)).collect();
        let pages = Pages::new(PAGES_BYTES);
        let inputs = in_time(need.inputs, open_inputs(source, &job, &pages)).await?;
        let inputs = Shared::new(inputs);
        let computed = tokio::task::spawn_blocking(move || {
            dropped.iter().for_each(|folder| _ = std::fs::remove_dir_all(folder));
            Files::compute(job, inputs, &path, limit, &pages)
        })
        .await;
        let files = match computed.map_err(|panic| WorkerError::Interrupted(panic.to_string()))? {
            Err(Error::Disk(trouble)) if trouble.is_full() => return self.no_room(task, trouble),
            computed => computed.map_err(|error| WorkerError::Interrupted(error.to_string()))?,
        };
        self.told.is_over(format!("disk for task {task}"));
        let Some(arbiter) = self.faulty(Arbiter::in_files(files)) else {
            return Ok(None);
        };
        let arbiter = Arc::new(arbiter);
        room.fill(Arc::clone(&arbiter));
        Ok(Some(arbiter))
    }

    /// Whether there is room for what is still to be written of `job`, which is that of `task`. If not, that is said once.
    ///
    /// Errors: `Interrupted`, if its folder cannot be made.
    pub async fn has_room(&self, task: TaskId, job: &JobSpec) -> Result<bool, WorkerError> {
        let Some(need) = self.need(job).await? else {
            self.say_too_large(task);
            return Ok(false);
        };
        match Files::check_room(&need, &self.place(task), self.disk_of(&need)) {
            Ok(()) => Ok(true),
            Err(trouble) => self.no_room(task, trouble).map(|_| false),
        }
    }

    /// The right claim about `task`, if it is known: by the reference, or else by the processor.
    pub fn claim(&self, task: TaskId) -> Option<Claim> {
        let noted = || lock(&self.claims).get(&task).copied();
        self.find(task).map(|known| known.claim()).or_else(noted)
    }

    /// Notes what the processor says that the job of `task` comes to.
    pub fn note(&self, task: TaskId, claim: Claim) {
        lock(&self.claims).insert(task, claim);
    }

    /// Waits until a job of this `work` may be computed, behind those as large that are needed earlier.
    pub async fn turn(&self, work: u128, needed_by: BlockNumber) -> Turn {
        self.jobs.turn(work, needed_by).await
    }

    fn place(&self, task: TaskId) -> PathBuf {
        self.folder.join(task.0.to_string())
    }

    /// What `job` needs. `None`: more than may be taken at all.
    async fn need(&self, job: &JobSpec) -> Result<Option<Need>, WorkerError> {
        let hash = job.hash();
        let found = lock(&self.needs).get(&hash).copied();
        if let Some(need) = found {
            return Ok(need);
        }
        let (job, limit) = (job.clone(), self.jobs.limit());
        let need = tokio::task::spawn_blocking(move || Need::of(&job, limit.disk)).await;
        let need = need.map_err(|panic| WorkerError::Interrupted(panic.to_string()))?;
        let need = need.filter(|need| need.memory() <= limit.memory);
        lock(&self.needs).insert(hash, need);
        Ok(need)
    }

    /// As much disk as a job gets: enough for several disputes about it, if that may be taken at all.
    fn disk_of(&self, need: &Need) -> u64 {
        match need.ample() <= self.jobs.limit().disk {
            true => need.ample(),
            false => need.least(),
        }
    }

    fn say_too_large(&self, task: TaskId) {
        if self.told.is_new(format!("size of task {task}"), "too large") {
            let Bytes { memory, disk } = self.jobs.limit();
            tracing::warn!(%task, memory, disk, "Not computed for the court: what it comes to on the way needs more than that. Allow more with --store-size, or free some disk and start again.");
        }
    }

    fn no_room(&self, task: TaskId, trouble: Trouble) -> Result<Option<Known>, WorkerError> {
        if !trouble.is_full() {
            return Err(WorkerError::Interrupted(trouble.to_string()));
        }
        if self.told.is_new(format!("disk for task {task}"), "full") {
            tracing::warn!(%task, %trouble, "Not computed for the court yet: the disk is full. What was computed is kept, and it goes on when there is room.");
        }
        Ok(None)
    }

    /// Looks whether anything of what `known` has on disk could not be read or written. What is damaged is computed again.
    pub fn look_after(&self, task: TaskId, known: &Known) {
        let Some(trouble) = known.files().take_trouble() else {
            self.told.is_over(format!("files of task {task}"));
            return;
        };
        if self.told.is_new(format!("files of task {task}"), &trouble) {
            tracing::warn!(%task, %trouble, "A move in court waits for what is on disk.");
        }
        if !trouble.is_full() {
            self.jobs.forget(task);
        }
    }

    /// Forgets the jobs of all tasks but those in `wanted`, and removes their files: also those that another process left that was killed.
    pub fn keep_only(&self, wanted: &HashSet<TaskId>) {
        self.jobs.keep_only(wanted);
        lock(&self.claims).retain(|task, _| wanted.contains(task));
        if wanted.is_empty() {
            lock(&self.needs).clear();
        }
        for task in left_in(&self.folder) {
            if !wanted.contains(&task) && !self.jobs.contains(task) {
                self.remove(task);
            }
        }
    }

    fn remove(&self, task: TaskId) {
        let path = self.place(task);
        if let Err(error) = std::fs::remove_dir_all(&path)
            && error.kind() != std::io::ErrorKind::NotFound
            && self.told.is_new(format!("garbage of task {task}"), &error)
        {
            tracing::warn!(%task, %error, folder = ?path, "What was computed for the court cannot be removed.");
        }
    }

    /// The same, or one that holds what the fault makes of a result for right.
    #[cfg(feature = "fault-injection")]
    fn faulty(&self, arbiter: Arbiter<Shared, Files>) -> Option<Arbiter<Shared, Files>> {
        match self.fault {
            Some(Fault::Corrupt) => arbiter.corrupted_on_disk(|truth| {
                if let Some(output) = truth.states.last_mut() {
                    crate::worker::corrupted(output);
                }
            }),
            Some(Fault::Unusable) => arbiter.corrupted_on_disk(|truth| {
                *truth = Default::default();
                truth.unusable = true;
            }),
            _ => Some(arbiter),
        }
    }

    #[cfg(not(feature = "fault-injection"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "others are made with faults")]
    const fn faulty(&self, arbiter: Arbiter<Shared, Files>) -> Option<Arbiter<Shared, Files>> {
        Some(arbiter)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tasks of which something is in `folder`.
fn left_in(folder: &Path) -> Vec<TaskId> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    names.map(TaskId).collect()
}

/// What may be taken where `folder` is, or will be, and what is in it.
fn allowed(folder: &Path) -> u64 {
    let existing = folder.ancestors().find(|folder| folder.is_dir());
    let spare = existing.and_then(spare_space).unwrap_or(u64::MAX);
    spare.saturating_add(bytes_in(folder))
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(about) if about.is_dir() => bytes_in(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    });
    bytes.fold(0, u64::saturating_add)
}
