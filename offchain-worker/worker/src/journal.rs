//! What must survive a crash: an embedded store that is synced to disk at each write.
//!
//! It holds salts and secrets: whoever reads them sees what is hidden on chain. So the file is its owner's alone, and so is the
//! folder that it is in, from before there is anything in it.

mod error;
mod keeping;
mod records;
pub(crate) mod tables;
mod transactions;

pub use error::JournalError;
pub use keeping::{Loaded, SeenChain};
pub use records::{AccusationRecord, AttestRecord, CameTo, Judged, Loss, Stage, TaskRecord};

use agora_blobs::{close_file, close_own_folder, private_folder};
use agora_primitives::TaskId;
use redb::{Database, ReadableDatabase, ReadableTable};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};
use tables::{ACCUSATIONS, ATTESTATIONS, OWNED_BY, OWNER, Records, TASKS, TRANSACTIONS};

/// The journal of one account on one chain. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Journal {
    /// `None` after a fault, until it is opened again.
    database: Arc<RwLock<Option<Database>>>,
    path: PathBuf,
    /// Whether the disk takes nothing.
    #[cfg(test)]
    pub(crate) is_full: Arc<std::sync::atomic::AtomicBool>,
}

impl Journal {
    /// Opens the journal at `path`, or begins one. File and folder become their owner's alone, however they were made; a folder of
    /// somebody else's stays as it is.
    ///
    /// Errors: it is in use by another process, damaged, or belongs to another `account` or `genesis`.
    pub fn open(path: &Path, genesis: [u8; 32], account: [u8; 32]) -> Result<Self, JournalError> {
        let storage = |reason: redb::Error| JournalError::Storage {
            path: path.to_owned(),
            reason: Box::new(reason),
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let closed = private_folder(folder).and_then(|()| close_own_folder(folder));
            closed.map_err(|error| storage(redb::Error::Io(error)))?;
        }
        let database = open_private(path).map_err(storage)?;
        let journal = Self {
            database: Arc::new(RwLock::new(Some(database))),
            path: path.to_owned(),
            #[cfg(test)]
            is_full: Arc::default(),
        };
        let owner = [genesis, account].concat();
        let known = journal.write(|transaction| {
            transaction.open_table(TASKS)?;
            transaction.open_table(ATTESTATIONS)?;
            transaction.open_table(ACCUSATIONS)?;
            transaction.open_table(TRANSACTIONS)?;
            let mut table = transaction.open_table(OWNER)?;
            let known = table.get(OWNED_BY)?.map(|value| value.value().to_vec());
            if known.is_none() {
                table.insert(OWNED_BY, owner.as_slice())?;
            }
            Ok(known)
        })?;
        match known {
            Some(known) if known != owner => Err(JournalError::NotOurs { path: path.to_owned() }),
            _ => Ok(journal),
        }
    }

    /// Writes what is known of a task; on disk when this returns.
    pub fn put_task(&self, task: TaskId, record: &TaskRecord) -> Result<(), JournalError> {
        self.put_row(TASKS, task, record)
    }

    /// What is known of a task.
    pub fn task(&self, task: TaskId) -> Result<Option<TaskRecord>, JournalError> {
        self.get(TASKS, task)
    }

    /// Forgets ended tasks, attestations and accusations but the newest `keep` of each.
    pub fn prune(&self, keep: usize) -> Result<(), JournalError> {
        self.write(|transaction| {
            remove_old(transaction, TASKS, keep, |bytes| {
                serde_json::from_slice::<TaskRecord>(bytes).is_ok_and(|record| record.stage == Stage::Ended)
            })?;
            remove_old(transaction, ATTESTATIONS, keep, |_| true)?;
            remove_old(transaction, ACCUSATIONS, keep, |_| true)
        })
    }

    /// Writes an attestation that is about to be sent.
    pub fn put_attestation(&self, task: TaskId, record: &AttestRecord) -> Result<(), JournalError> {
        self.put_row(ATTESTATIONS, task, record)
    }

    /// What was attested, or was about to be.
    pub fn attestation(&self, task: TaskId) -> Result<Option<AttestRecord>, JournalError> {
        self.get(ATTESTATIONS, task)
    }

    /// Writes an accusation that is about to be committed to.
    pub fn put_accusation(&self, task: TaskId, record: &AccusationRecord) -> Result<(), JournalError> {
        self.put_row(ACCUSATIONS, task, record)
    }

    /// The last accusation of a result of `task`.
    pub fn accusation(&self, task: TaskId) -> Result<Option<AccusationRecord>, JournalError> {
        self.get(ACCUSATIONS, task)
    }

    fn put_row(&self, definition: Records<'static>, task: TaskId, record: &impl Serialize) -> Result<(), JournalError> {
        let bytes = serde_json::to_vec(record).map_err(|reason| self.damaged(task, reason))?;
        self.write(|transaction| {
            transaction.open_table(definition)?.insert(task.0, bytes.as_slice())?;
            Ok(())
        })
    }

    fn get<Record: serde::de::DeserializeOwned>(
        &self,
        definition: Records<'static>,
        task: TaskId,
    ) -> Result<Option<Record>, JournalError> {
        let bytes = self.read(|transaction| {
            Ok(transaction
                .open_table(definition)?
                .get(task.0)?
                .map(|value| value.value().to_vec()))
        })?;
        bytes.map(|bytes| self.decode(task, &bytes)).transpose()
    }

    fn decode<Record: serde::de::DeserializeOwned>(&self, task: TaskId, bytes: &[u8]) -> Result<Record, JournalError> {
        serde_json::from_slice(bytes).map_err(|reason| self.damaged(task, reason))
    }

    fn damaged(&self, task: TaskId, reason: serde_json::Error) -> JournalError {
        JournalError::Damaged {
            path: self.path.clone(),
            task: task.0,
            reason,
        }
    }

    fn read<T>(&self, work: impl Fn(&redb::ReadTransaction) -> Result<T, redb::Error>) -> Result<T, JournalError> {
        self.with(|database| work(&database.begin_read()?))
    }

    fn write<T>(&self, work: impl Fn(&redb::WriteTransaction) -> Result<T, redb::Error>) -> Result<T, JournalError> {
        #[cfg(test)]
        if self.is_full.load(std::sync::atomic::Ordering::SeqCst) {
            let reason = Box::new(redb::Error::Io(std::io::ErrorKind::StorageFull.into()));
            let path = self.path.clone();
            return Err(JournalError::Storage { path, reason });
        }
        self.with(|database| {
            let transaction = database.begin_write()?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }
}

/// Opens the database at `path`, or begins one: in a file that was its owner's alone before anything was in it.
fn open_private(path: &Path) -> Result<Database, redb::Error> {
    close_file(path).map_err(redb::Error::Io)?;
    Ok(Database::create(path)?)
}

/// Removes the rows that may go, but the newest `keep` rows.
fn remove_old(
    transaction: &redb::WriteTransaction,
    definition: Records<'static>,
    keep: usize,
    may_go: impl Fn(&[u8]) -> bool,
) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(definition)?;
    let newest_first = table
        .iter()?
        .rev()
        .map(|row| row.map(|(key, value)| (key.value(), may_go(value.value()))));
    let old = newest_first.skip(keep).collect::<Result<Vec<_>, _>>()?;
    for (key, _) in old.into_iter().filter(|(_, may_go)| *may_go) {
        table.remove(key)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::sample_task as task;
    use agora_primitives::job::{BlobRef, Claim};

    fn record(stage: Stage) -> TaskRecord {
        TaskRecord {
            stage,
            claim: Some(Claim::Output {
                output: BlobRef::to(b"output"),
                states_root: [3; 32].into(),
            }),
            ..TaskRecord::new(&task(1), [1; 32], 7)
        }
    }

    fn journal() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep").join("journal.redb");
        (folder, path)
    }

    #[test]
    fn what_was_put_is_there_after_reopening() {
        let (_folder, path) = journal();
        let opened = Journal::open(&path, [0; 32], [9; 32]).expect("it is new");
        opened.put_task(TaskId(7), &record(Stage::Committing)).expect("put");
        opened
            .put_attestation(
                TaskId(8),
                &AttestRecord {
                    claim: Claim::Unusable,
                    valid: false,
                    own: None,
                    root: None,
                },
            )
            .expect("put");
        drop(opened);
        let opened = Journal::open(&path, [0; 32], [9; 32]).expect("it is there");
        assert_eq!(opened.task(TaskId(7)).expect("read"), Some(record(Stage::Committing)));
        assert_eq!(opened.task(TaskId(8)).expect("read"), None);
        assert!(!opened.attestation(TaskId(8)).expect("read").expect("it was put").valid);
    }

    #[test]
    fn only_unfinished_tasks_are_resumed_and_only_ended_ones_pruned() {
        let (_folder, path) = journal();
        let journal = Journal::open(&path, [0; 32], [9; 32]).expect("it is new");
        for task in 0..10 {
            let stage = if task % 2 == 0 { Stage::Ended } else { Stage::Revealing };
            journal.put_task(TaskId(task), &record(stage)).expect("put");
        }
        let tasks = |journal: &Journal| -> Vec<u64> {
            journal
                .load()
                .expect("read")
                .0
                .into_iter()
                .map(|(task, _)| task.0)
                .collect()
        };
        assert_eq!(tasks(&journal), [1, 3, 5, 7, 9]);
        journal.prune(2).expect("pruned");
        assert_eq!(tasks(&journal), [1, 3, 5, 7, 9]);
        assert_eq!(journal.task(TaskId(0)).expect("read"), None);
        assert!(journal.task(TaskId(8)).expect("read").is_some(), "the newest are kept");
    }

    #[test]
    fn another_accounts_or_chains_journal_is_refused() {
        let (_folder, path) = journal();
        drop(Journal::open(&path, [0; 32], [9; 32]).expect("it is new"));
        assert!(matches!(
            Journal::open(&path, [0; 32], [8; 32]),
            Err(JournalError::NotOurs { .. })
        ));
        assert!(matches!(
            Journal::open(&path, [1; 32], [9; 32]),
            Err(JournalError::NotOurs { .. })
        ));
    }

    /// What may be done with `path`, and by whom.
    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        let about = std::fs::metadata(path).expect("it is there");
        std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o7777
    }

    #[cfg(unix)]
    fn set_mode(path: &Path, mode: u32) {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(path, permissions).expect("it is ours");
    }

    #[test]
    #[cfg(unix)]
    fn a_journal_and_its_folder_are_their_owners_alone_however_they_were_made() {
        let (_folder, path) = journal();
        let folder = path.parent().expect("it is in a folder").to_owned();
        let open = || Journal::open(&path, [0; 32], [9; 32]).expect("it opens");
        drop(open());
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600), "a new one");
        set_mode(&folder, 0o755);
        set_mode(&path, 0o644);
        let opened = open();
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600), "one from before");
        // Opened again after a fault, as where the disk was full.
        std::fs::remove_file(&path).expect("removed");
        *opened.database.write().expect("no panic") = None;
        opened.prune(1).expect("it is begun anew");
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_that_is_shared_on_purpose_stays_so_and_the_journal_is_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        set_mode(folder.path(), 0o1777);
        let path = folder.path().join("journal");
        drop(Journal::open(&path, [0; 32], [9; 32]).expect("it is new"));
        assert_eq!((mode(folder.path()), mode(&path)), (0o1777, 0o600));
    }

    #[test]
    fn a_journal_in_use_is_refused() {
        let (_folder, path) = journal();
        let _open = Journal::open(&path, [0; 32], [9; 32]).expect("it is new");
        assert!(matches!(
            Journal::open(&path, [0; 32], [9; 32]),
            Err(JournalError::Storage { .. })
        ));
    }

    #[test]
    fn the_salt_is_not_printed() {
        assert!(!format!("{:?}", record(Stage::Revealing)).contains("01010101"));
    }
}
