//! What keeps a journal usable for a year: one record that cannot be read stops nothing, a disk that was full for an hour
//! closes nothing for good.

use super::{Journal, JournalError, OWNER, Stage, TASKS, TaskRecord};
use agora_chain::BlockNumber;
use agora_primitives::TaskId;
use redb::{Database, ReadableTable, TableDefinition};
use std::sync::PoisonError;

/// Records that could not be read, as they were.
const DAMAGED: TableDefinition<u64, &[u8]> = TableDefinition::new("damaged");
/// Under this name is how far the chain was seen.
const SEEN: &str = "seen";

/// How far the chain was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SeenChain {
    /// The number of the best block.
    pub best: BlockNumber,
    /// The number of the finalised block.
    pub finalised: BlockNumber,
}

/// The records of tasks that have not ended, and what could not be read.
pub type Loaded = (Vec<(TaskId, TaskRecord)>, Vec<JournalError>);

impl Journal {
    /// All tasks that have not ended. A record that cannot be read is set aside, and returned as an error.
    ///
    /// Complexity: reads every record: for the start.
    pub fn load(&self) -> Result<Loaded, JournalError> {
        let rows = self.read(|transaction| {
            let table = transaction.open_table(TASKS)?;
            let rows = table
                .iter()?
                .map(|row| row.map(|(key, value)| (key.value(), value.value().to_vec())));
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })?;
        let (mut unfinished, mut damaged) = (Vec::new(), Vec::new());
        for (task, bytes) in rows {
            match serde_json::from_slice::<TaskRecord>(&bytes) {
                Ok(record) if record.stage == Stage::Ended => {}
                Ok(record) => unfinished.push((TaskId(task), record)),
                Err(reason) => {
                    self.set_aside(TaskId(task), &bytes)?;
                    damaged.push(self.damaged(TaskId(task), reason));
                }
            }
        }
        Ok((unfinished, damaged))
    }

    /// Does `work` on the open database. After a fault, such as a full disk, the database takes nothing more until it is
    /// opened again: that is done here, once for each call.
    pub(super) fn with<T>(&self, work: impl Fn(&Database) -> Result<T, redb::Error>) -> Result<T, JournalError> {
        let mut result = {
            let open = self.database.read().unwrap_or_else(PoisonError::into_inner);
            open.as_ref().map(&work)
        };
        if matches!(result, None | Some(Err(redb::Error::PreviousIo))) {
            let mut open = self.database.write().unwrap_or_else(PoisonError::into_inner);
            // Closed first: the file is locked.
            drop(open.take());
            let database = Database::create(&self.path).map_err(|error| self.failed(error.into()))?;
            result = Some(work(open.insert(database)));
        }
        match result {
            Some(done) => done.map_err(|error| self.failed(error)),
            None => Err(self.failed(redb::Error::PreviousIo)),
        }
    }

    fn failed(&self, reason: redb::Error) -> JournalError {
        JournalError::Storage {
            path: self.path.clone(),
            reason: Box::new(reason),
        }
    }

    fn set_aside(&self, task: TaskId, bytes: &[u8]) -> Result<(), JournalError> {
        self.write(|transaction| {
            transaction.open_table(DAMAGED)?.insert(task.0, bytes)?;
            transaction.open_table(TASKS)?.remove(task.0)?;
            Ok(())
        })
    }

    /// Forgets a task that was never accepted.
    pub fn remove_task(&self, task: TaskId) -> Result<(), JournalError> {
        self.write(|transaction| {
            transaction.open_table(TASKS)?.remove(task.0)?;
            Ok(())
        })
    }

    /// How far the chain was seen.
    pub fn seen(&self) -> Result<SeenChain, JournalError> {
        let bytes = self.read(|transaction| {
            let table = transaction.open_table(OWNER)?;
            let bytes = table.get(SEEN)?.map(|value| value.value().to_vec());
            Ok(bytes)
        })?;
        let Some((best, rest)) = bytes.as_deref().and_then(<[u8]>::split_first_chunk::<4>) else {
            return Ok(SeenChain::default());
        };
        Ok(SeenChain {
            best: BlockNumber::from_be_bytes(*best),
            finalised: rest.first_chunk().map_or(0, |bytes| BlockNumber::from_be_bytes(*bytes)),
        })
    }

    /// Remembers how far the chain was seen.
    pub fn put_seen(&self, seen: SeenChain) -> Result<(), JournalError> {
        let bytes = [seen.best.to_be_bytes(), seen.finalised.to_be_bytes()].concat();
        self.write(|transaction| {
            transaction.open_table(OWNER)?.insert(SEEN, bytes.as_slice())?;
            Ok(())
        })
    }

    #[cfg(test)]
    pub(crate) fn put_raw(&self, task: TaskId, bytes: &[u8]) {
        let written = self.write(|transaction| {
            transaction.open_table(TASKS)?.insert(task.0, bytes)?;
            Ok(())
        });
        written.expect("written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(&folder.path().join("journal"), [0; 32], [9; 32]).expect("it is new");
        (folder, journal)
    }

    #[test]
    fn a_record_that_cannot_be_read_is_set_aside_and_the_others_go_on() {
        let (_folder, journal) = journal();
        let record = TaskRecord::new(0, [1; 32], 7, 5);
        journal.put_task(TaskId(1), &record).expect("put");
        journal.put_raw(TaskId(2), b"{");
        journal.put_task(TaskId(3), &record).expect("put");
        let (unfinished, damaged) = journal.load().expect("read");
        assert_eq!(unfinished, [(TaskId(1), record.clone()), (TaskId(3), record.clone())]);
        assert!(
            matches!(damaged.as_slice(), [JournalError::Damaged { task: 2, .. }]),
            "{damaged:?}"
        );
        let (unfinished, damaged) = journal.load().expect("read");
        assert_eq!((unfinished.len(), damaged.len()), (2, 0), "it is told once");
        journal.remove_task(TaskId(3)).expect("removed");
        assert_eq!(journal.load().expect("read").0, [(TaskId(1), record)]);
    }

    #[test]
    fn how_far_the_chain_was_seen_is_remembered() {
        let (folder, journal) = journal();
        assert_eq!(journal.seen().expect("read"), SeenChain::default());
        let seen = SeenChain {
            best: 1000,
            finalised: 997,
        };
        journal.put_seen(seen).expect("put");
        drop(journal);
        let journal = Journal::open(&folder.path().join("journal"), [0; 32], [9; 32]).expect("it is there");
        assert_eq!(journal.seen().expect("read"), seen);
    }
}
