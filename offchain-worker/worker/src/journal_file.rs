//! A journal as a file, looked at from outside: for the operator, while its worker is not running.
//!
//! It reads the tables as they are, without the types of the records: what a newer or older program wrote can be listed
//! and copied too, and a record that cannot be read does not hide the others.

use crate::{
    JournalError,
    journal::tables::{DAMAGED, OWNED_BY, OWNER, RECORDS, Records},
};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The field that must stay secret.
const SECRET: &str = "salt";

/// A record, as it is written.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct JournalEntry {
    /// The table that it is in.
    pub table: String,
    /// The task that it is about.
    pub task: u64,
    /// What it says; `None`: it cannot be read.
    pub record: Option<Value>,
    /// The bytes of one that cannot be read, in hexadecimal; empty if they are left out.
    pub bytes: Option<String>,
}

impl JournalEntry {
    /// The entry without its secret. The bytes of a record that cannot be read may hold one, and go too.
    pub fn without_secret(mut self) -> Self {
        if let Some(Value::Object(fields)) = &mut self.record {
            fields.remove(SECRET);
        }
        self.bytes = self.bytes.map(|_| String::new());
        self
    }
}

/// The file of a journal that no worker has open.
pub struct JournalFile {
    database: Database,
    path: PathBuf,
}

/// The hash of a chain's first block, and an account.
pub type Owner = ([u8; 32], [u8; 32]);

impl JournalFile {
    /// Opens the journal at `path`; unlike [`Journal::open`](crate::Journal::open) it makes none.
    ///
    /// Errors: it does not exist, a worker has it open, or it is damaged beyond reading.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let opened = Database::open(path).map_err(|error| storage(path, error.into()))?;
        Ok(Self {
            database: opened,
            path: path.to_owned(),
        })
    }

    /// The hash of the first block of its chain, and its account; `None`: it is not a journal of this program.
    pub fn owner(&self) -> Result<Option<Owner>, JournalError> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let transaction = self.database.begin_read()?;
            match transaction.open_table(OWNER) {
                Ok(table) => Ok(table.get(OWNED_BY)?.map(|value| value.value().to_vec())),
                Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(error.into()),
            }
        };
        let owner = read().map_err(|error| storage(&self.path, error))?;
        Ok(owner.and_then(|bytes| {
            let (genesis, account) = bytes.split_first_chunk()?;
            Some((*genesis, account.try_into().ok()?))
        }))
    }

    /// All records, by table and task, secrets included.
    pub fn entries(&self) -> Result<Vec<JournalEntry>, JournalError> {
        let read = || -> Result<Vec<JournalEntry>, redb::Error> {
            let transaction = self.database.begin_read()?;
            let known: Vec<String> = transaction
                .list_tables()?
                .map(|table| table.name().to_owned())
                .collect();
            let mut entries = Vec::new();
            for records in RECORDS
                .iter()
                .filter(|records| known.iter().any(|known| known == records.name()))
            {
                let table = transaction.open_table(*records)?;
                for row in table.iter()? {
                    let (task, bytes) = row?;
                    entries.push(entry(records.name(), task.value(), bytes.value()));
                }
            }
            Ok(entries)
        };
        read().map_err(|error| storage(&self.path, error))
    }

    /// Checks the file's structure and mends it if need be, and sets aside the records that cannot be read: they stop
    /// nothing any more, and `entries` still has them. Returns whether the structure was sound, and what was set aside.
    pub fn repair(&mut self) -> Result<(bool, Vec<JournalEntry>), JournalError> {
        let path = self.path.clone();
        let sound = self
            .database
            .check_integrity()
            .map_err(|error| storage(&path, error.into()))?;
        let unreadable: Vec<_> = self
            .entries()?
            .into_iter()
            .filter(|entry| entry.record.is_none() && entry.table != DAMAGED.name())
            .collect();
        let set_aside = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            for entry in &unreadable {
                let bytes = {
                    let mut table = transaction.open_table(records(&entry.table))?;
                    let removed = table.remove(entry.task)?;
                    removed.map(|bytes| bytes.value().to_vec())
                };
                let bytes = bytes.unwrap_or_default();
                transaction.open_table(DAMAGED)?.insert(entry.task, bytes.as_slice())?;
            }
            transaction.commit()?;
            Ok(())
        };
        set_aside().map_err(|error| storage(&path, error))?;
        Ok((sound, unreadable))
    }
}

fn storage(path: &Path, reason: redb::Error) -> JournalError {
    JournalError::Storage {
        path: path.to_owned(),
        reason: Box::new(reason),
    }
}

fn records(table: &str) -> Records<'_> {
    TableDefinition::new(table)
}

fn entry(table: &str, task: u64, bytes: &[u8]) -> JournalEntry {
    // A record is a map of named fields; anything else was not written by a worker.
    let record = serde_json::from_slice(bytes).ok().filter(Value::is_object);
    JournalEntry {
        table: table.to_owned(),
        task,
        bytes: record
            .is_none()
            .then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        record,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Journal;

    fn journal() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.journal");
        drop(Journal::open(&path, [1; 32], [2; 32]).expect("it is new"));
        (folder, path)
    }

    fn put(path: &Path, table: &str, task: u64, bytes: &[u8]) {
        let database = Database::open(path).expect("it is there");
        let transaction = database.begin_write().expect("nobody writes");
        transaction
            .open_table(records(table))
            .expect("it opens")
            .insert(task, bytes)
            .expect("it is put");
        transaction.commit().expect("it is written");
    }

    #[test]
    fn records_are_read_whoever_wrote_them_and_their_secret_can_be_left_out() {
        let (_folder, path) = journal();
        put(&path, "tasks", 7, br#"{"stage":"committing","salt":"0xabcd","new":1}"#);
        let file = JournalFile::open(&path).expect("no worker runs");
        assert_eq!(file.owner().expect("it is read"), Some(([1; 32], [2; 32])));
        let entries = file.entries().expect("they are read");
        assert_eq!(
            (entries.len(), entries[0].task, entries[0].table.as_str()),
            (1, 7, "tasks")
        );
        assert!(serde_json::to_string(&entries[0]).expect("plain").contains("abcd"));
        let bare = entries[0].clone().without_secret();
        let text = serde_json::to_string(&bare).expect("plain data");
        assert!(
            text.contains("committing") && !text.contains("abcd") && !text.contains("salt"),
            "{text}"
        );
    }

    #[test]
    fn repairing_sets_aside_what_cannot_be_read_and_loses_nothing() {
        let (_folder, path) = journal();
        put(&path, "tasks", 7, br#"{"stage":"ended"}"#);
        put(&path, "tasks", 8, b"{\"salt\":\"0xab");
        let mut file = JournalFile::open(&path).expect("no worker runs");
        let (sound, aside) = file.repair().expect("it is repaired");
        assert!(sound, "only a record was damaged");
        assert_eq!(aside.iter().map(|entry| entry.task).collect::<Vec<_>>(), [8]);
        let entries = file.entries().expect("they are read");
        let places: Vec<_> = entries.iter().map(|entry| (entry.table.as_str(), entry.task)).collect();
        assert_eq!(places, [("tasks", 7), ("damaged", 8)]);
        assert!(entries[1].bytes.as_ref().is_some_and(|bytes| bytes.starts_with("7b22")));
        let bare = entries[1].clone().without_secret();
        assert_eq!(bare.bytes.as_deref(), Some(""), "half a record may hold the secret");
        assert!(file.repair().expect("it is sound").1.is_empty());
    }

    #[test]
    fn no_journal_is_made_and_one_in_use_is_refused() {
        let (folder, path) = journal();
        assert!(JournalFile::open(&folder.path().join("absent")).is_err());
        assert!(!folder.path().join("absent").exists());
        let _running = Journal::open(&path, [1; 32], [2; 32]).expect("it is ours");
        assert!(JournalFile::open(&path).is_err());
    }
}
