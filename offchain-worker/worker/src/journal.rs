//! What must survive a crash: an embedded store that is synced to disk at each write.

mod keeping;
mod transactions;

pub use keeping::{Loaded, SeenChain};

use agora_chain::{Balance, BlockNumber};
use agora_primitives::{TaskId, job::Claim, reputation::Outcome};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

/// A worker's tasks.
const TASKS: TableDefinition<u64, &[u8]> = TableDefinition::new("tasks");
/// A verifier's attestations.
const ATTESTATIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("attestations");
/// What was signed and is not final, or was final lately, by name.
const TRANSACTIONS: TableDefinition<&str, &[u8]> = TableDefinition::new("transactions");
/// Which chain and account the journal belongs to, and how far the chain was seen to be final.
const OWNER: TableDefinition<&str, &[u8]> = TableDefinition::new("owner");
/// The key in [`OWNER`] of the newest block that was seen to be final.
const FINALISED: &str = "finalised";

/// What a worker has to know to finish a task.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// How far it has come.
    pub stage: Stage,
    /// The task's round in which it was, or was to be, accepted.
    pub round: u32,
    /// Secret of the commitment. Without it the result cannot be revealed, and the bond is lost.
    #[serde(with = "agora_chain::hex_text")]
    pub salt: [u8; 32],
    /// What the result is claimed to be, once it is computed.
    pub claim: Option<Claim>,
    /// The number of the best block when this was written: a state before it says nothing about this task.
    #[serde(default)]
    pub seen_at: BlockNumber,
    /// The bond, in plancks.
    #[serde(default)]
    pub bond: Balance,
    /// What came of it, once it has ended.
    #[serde(default)]
    pub came_to: Option<CameTo>,
}

/// What came of a task for its worker, by finalised blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CameTo {
    /// What was paid to the worker, in plancks.
    pub earned: Balance,
    /// What was taken of the worker's bond, in plancks.
    pub lost: Balance,
    /// How its work was judged; `None`: it was not, or that was not seen.
    pub judged: Option<Judged>,
}

/// How a worker's work was judged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judged {
    /// Right.
    Right,
    /// Wrong, or not revealed.
    Wrong,
    /// Not committed in time.
    Late,
}

impl From<Outcome> for Judged {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Right { .. } => Self::Right,
            Outcome::Wrong => Self::Wrong,
            Outcome::Late => Self::Late,
        }
    }
}

impl TaskRecord {
    /// Of a task that is about to be accepted in `round`, at best block `seen_at`.
    pub fn new(round: u32, salt: [u8; 32], bond: Balance, seen_at: BlockNumber) -> Self {
        Self {
            stage: Stage::Accepting,
            round,
            salt,
            claim: None,
            seen_at,
            bond,
            came_to: None,
        }
    }
}

impl std::fmt::Debug for TaskRecord {
    /// Leaves out the salt.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskRecord")
            .field("stage", &self.stage)
            .field("claim", &self.claim)
            .finish()
    }
}

/// How far a worker has come with a task. It is written before the transaction is sent, so the chain is never further
/// than this stage allows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// About to accept, or accepted and not yet computed. The salt is drawn; the claim is not known.
    Accepting,
    /// Computed, and the result kept on this machine: about to commit, or committed.
    Committing,
    /// About to reveal, or revealed.
    Revealing,
    /// Revealed, and the result is where others find it.
    Served,
    /// The task has ended.
    Ended,
}

/// What a verifier has done about a result.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttestRecord {
    /// The claim that was checked.
    pub claim: Claim,
    /// Whether it was right.
    pub valid: bool,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be opened, read or written.
    #[error("the journal {} failed: {reason}", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Box<redb::Error>,
    },
    /// A record cannot be read.
    #[error("the journal {} holds a record of task {task} that cannot be read: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The task.
        task: u64,
        /// Why.
        reason: serde_json::Error,
    },
    /// The record of a transaction cannot be read.
    #[error("the journal {} holds a record of the transaction {name:?} that cannot be read: {reason}", path.display())]
    DamagedTransaction {
        /// The file.
        path: PathBuf,
        /// What the transaction is for.
        name: String,
        /// Why.
        reason: codec::Error,
    },
    /// It belongs to another account or another chain.
    #[error("the journal {} belongs to another account or chain; give each its own --data folder", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
}

/// The journal of one account on one chain. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Journal {
    /// `None` after a fault, until it is opened again.
    database: Arc<RwLock<Option<Database>>>,
    path: PathBuf,
}

impl Journal {
    /// Opens the journal at `path`, or begins one.
    ///
    /// Errors: it is in use by another process, damaged, or belongs to another `account` or `genesis`.
    pub fn open(path: &Path, genesis: [u8; 32], account: [u8; 32]) -> Result<Self, JournalError> {
        let storage = |reason: redb::Error| JournalError::Storage {
            path: path.to_owned(),
            reason: Box::new(reason),
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| storage(redb::Error::Io(error)))?;
        }
        let database = Database::create(path).map_err(|error| storage(error.into()))?;
        let journal = Self {
            database: Arc::new(RwLock::new(Some(database))),
            path: path.to_owned(),
        };
        let owner = [genesis, account].concat();
        let known = journal.write(|transaction| {
            transaction.open_table(TASKS)?;
            transaction.open_table(ATTESTATIONS)?;
            transaction.open_table(TRANSACTIONS)?;
            let mut table = transaction.open_table(OWNER)?;
            let known = table.get("owner")?.map(|value| value.value().to_vec());
            if known.is_none() {
                table.insert("owner", owner.as_slice())?;
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

    /// Forgets ended tasks and attestations but the newest `keep` of each.
    pub fn prune(&self, keep: usize) -> Result<(), JournalError> {
        self.write(|transaction| {
            remove_old(transaction, TASKS, keep, |bytes| {
                serde_json::from_slice::<TaskRecord>(bytes).is_ok_and(|record| record.stage == Stage::Ended)
            })?;
            remove_old(transaction, ATTESTATIONS, keep, |_| true)
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

    fn put_row(
        &self,
        definition: TableDefinition<'static, u64, &'static [u8]>,
        task: TaskId,
        record: &impl Serialize,
    ) -> Result<(), JournalError> {
        let bytes = serde_json::to_vec(record).map_err(|reason| self.damaged(task, reason))?;
        self.write(|transaction| {
            transaction.open_table(definition)?.insert(task.0, bytes.as_slice())?;
            Ok(())
        })
    }

    fn get<Record: serde::de::DeserializeOwned>(
        &self,
        definition: TableDefinition<'static, u64, &'static [u8]>,
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
        self.with(|database| {
            let transaction = database.begin_write()?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }
}

/// Removes the rows that may go, but the newest `keep` rows.
fn remove_old(
    transaction: &redb::WriteTransaction,
    definition: TableDefinition<'static, u64, &'static [u8]>,
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
    use agora_primitives::job::BlobRef;

    fn record(stage: Stage) -> TaskRecord {
        TaskRecord {
            stage,
            claim: Some(Claim::Output {
                output: BlobRef::to(b"output"),
                states_root: [3; 32].into(),
            }),
            ..TaskRecord::new(0, [1; 32], 5, 7)
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
