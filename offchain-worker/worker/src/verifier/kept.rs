//! The outputs that a verifier keeps from its attestation until it has shown that it had them, each in a folder that has the name of the task.
//!
//! They are forgotten by what is final: on a fork that wins after all, a window may be open that seems to be closed now. An output that is
//! forgotten too early has to be fetched once more, from whoever still has it, while a bond is at stake.

use crate::WorkerError;
use agora_blobs::{BlobError, BlobKind, BlobSource, BlobStore, Wanted, copy};
use agora_chain::BlockNumber;
use agora_primitives::{TaskId, job::BlobRef};
use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Blocks from one look at the folder to the next, at least: nothing is urgent about what is not needed any more.
const LOOK_EVERY: BlockNumber = 32;

/// The outputs that are kept.
pub(super) struct Kept {
    folder: PathBuf,
    last: Mutex<Option<Seen>>,
}

/// A look at the folder.
struct Seen {
    /// The best block then.
    at: BlockNumber,
    /// The tasks for which something was kept, and which had no open window.
    closed: HashSet<TaskId>,
}

impl Kept {
    /// Those in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            last: Mutex::default(),
        }
    }

    /// Where the output of `task` is kept.
    ///
    /// Errors: if the folder cannot be made.
    pub fn of(&self, task: TaskId) -> Result<BlobStore, BlobError> {
        BlobStore::open(&self.folder.join(task.to_string()).to_string_lossy())
    }

    /// Keeps `output`, from where it was fetched to.
    pub async fn copy(&self, from: &dyn BlobSource, task: TaskId, output: &BlobRef) -> Result<(), WorkerError> {
        let own = self.of(task)?;
        copy(from, &Wanted::content(BlobKind::Output, output), &own).await?;
        Ok(())
    }

    /// Keeps the bytes of an output.
    pub async fn put(&self, task: TaskId, output: Vec<u8>) -> Result<(), WorkerError> {
        self.of(task)?.put(BlobKind::Output, output).await?;
        Ok(())
    }

    /// Whether it is time to [`forget`](Self::forget), after the best block `now` and the finalised one: not at every block, and not before
    /// it is final what the last look has seen.
    pub fn is_due(&self, now: BlockNumber, finalised: BlockNumber) -> bool {
        match &*self.last() {
            Some(last) => now >= last.at.saturating_add(LOOK_EVERY) && finalised >= last.at,
            None => true,
        }
    }

    /// Looks at what is kept after the best block `now`. Removes what had no open window at the last look, and has none now; `is_open` tells of
    /// the best state and of the finalised one, which has to be [as new as the last look](Self::is_due).
    pub fn forget(&self, now: BlockNumber, is_open: impl Fn(TaskId) -> bool) {
        let mut closed = self.tasks();
        closed.retain(|task| !is_open(*task));
        let mut last = self.last();
        if let Some(last) = &*last {
            for task in last.closed.intersection(&closed) {
                let path = self.folder.join(task.to_string());
                if let Err(error) = std::fs::remove_dir_all(&path) {
                    tracing::warn!(path = %path.display(), %error, "What was kept for an attestation cannot be removed.");
                }
            }
        }
        *last = Some(Seen { at: now, closed });
    }

    /// The tasks for which something is kept.
    fn tasks(&self) -> HashSet<TaskId> {
        let Ok(folders) = std::fs::read_dir(&self.folder) else {
            // It is made with the first output.
            return HashSet::new();
        };
        let task = |name: std::ffi::OsString| Some(TaskId(name.to_str()?.parse().ok()?));
        folders
            .flatten()
            .filter_map(|folder| task(folder.file_name()))
            .collect()
    }

    fn last(&self) -> MutexGuard<'_, Option<Seen>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outputs of these tasks, and something else.
    fn kept(folder: &std::path::Path, tasks: &[u64]) -> Kept {
        let names = tasks.iter().map(u64::to_string).chain(["other".to_owned()]);
        names.for_each(|name| std::fs::create_dir(folder.join(name)).expect("it can be made"));
        Kept::new(folder.to_owned())
    }

    fn there(kept: &Kept) -> Vec<u64> {
        let mut tasks: Vec<_> = kept.tasks().into_iter().map(|task| task.0).collect();
        tasks.sort_unstable();
        tasks
    }

    #[test]
    fn the_folder_is_looked_at_from_time_to_time_and_once_the_last_look_is_final() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = kept(folder.path(), &[]);
        assert!(kept.is_due(100, 90), "what an earlier process has kept");
        kept.forget(100, |_| false);
        for (now, finalised) in [(100, 100), (131, 131), (200, 99), (90, 90)] {
            assert!(!kept.is_due(now, finalised), "{now} {finalised}");
        }
        assert!(kept.is_due(132, 100));
    }

    #[test]
    fn what_is_closed_at_two_looks_is_forgotten_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = kept(folder.path(), &[1, 2, 3]);
        // Of 2 and 3 nothing is open at first, as far as this fork tells.
        kept.forget(100, |task| task.0 == 1);
        assert_eq!(there(&kept), [1, 2, 3]);
        std::fs::create_dir(folder.path().join("4")).expect("it can be made");
        kept.forget(132, |task| task.0 == 2);
        assert_eq!(
            there(&kept),
            [1, 2, 4],
            "that of 2 was open after all, and 1 and 4 have closed since"
        );
        kept.forget(164, |_| false);
        assert_eq!(there(&kept), [2]);
        kept.forget(196, |_| false);
        assert_eq!(there(&kept), [0; 0]);
        assert!(folder.path().join("other").exists());
    }

    #[test]
    fn nothing_is_kept_before_the_first_output() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::new(folder.path().join("attested"));
        kept.forget(1, |_| false);
        kept.forget(40, |_| false);
        assert!(!folder.path().join("attested").exists());
    }

    #[tokio::test]
    async fn an_output_is_kept_by_its_bytes_or_from_where_it_was_fetched_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::new(folder.path().to_owned());
        let output = BlobRef::to(&[7; 10]);
        kept.put(TaskId(1), vec![7; 10]).await.expect("it is kept");
        let from = BlobStore::in_memory();
        let missing = kept.copy(&from, TaskId(2), &output).await;
        assert!(missing.is_err(), "it is not there");
        from.put(BlobKind::Output, vec![7; 10]).await.expect("put");
        kept.copy(&from, TaskId(2), &output).await.expect("it is kept");
        for task in [TaskId(1), TaskId(2)] {
            let own = kept.of(task).expect("it opens");
            let bytes = own.get(BlobKind::Output, &output.hash.0, output.size).await;
            assert_eq!(bytes.expect("it is there"), [7; 10]);
        }
    }
}
