//! What keeps a journal usable for a year: one record that cannot be read stops nothing, a disk that was full for an hour
//! closes nothing for good.

use super::{
    Journal, JournalError, Loss, Stage, TaskRecord, open_private,
    tables::{DAMAGED, DECOY_SECRET, LOSSES, OWNER, SEEN, SETTLED, TASKS, VOTE_SECRET},
};
use agora_chain::BlockNumber;
use agora_primitives::{TaskId, job::Claim};
use codec::{DecodeAll, Encode};
use redb::{Database, ReadableTable};
use std::sync::PoisonError;

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
            let database = open_private(&self.path).map_err(|error| self.failed(error))?;
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

    /// What this account has claimed, or come to itself, about a task.
    pub fn claims(&self, task: TaskId) -> Result<Vec<Claim>, JournalError> {
        let worked = self.task(task)?.and_then(|record| record.claim);
        let checked = self.attestation(task)?;
        let attested = checked.as_ref().map(|record| record.claim);
        let recomputed = checked.and_then(|record| record.own);
        let accused = self.accusation(task)?.and_then(|record| record.own);
        Ok([worked, attested, recomputed, accused].into_iter().flatten().collect())
    }

    /// How far the chain was seen.
    pub fn seen(&self) -> Result<SeenChain, JournalError> {
        let (best, finalised) = self.noted(SEEN)?.unwrap_or_default();
        Ok(SeenChain { best, finalised })
    }

    /// Remembers how far the chain was seen.
    pub fn put_seen(&self, seen: SeenChain) -> Result<(), JournalError> {
        let bytes = (seen.best, seen.finalised).encode();
        self.write(|transaction| {
            transaction.open_table(OWNER)?.insert(SEEN, bytes.as_slice())?;
            Ok(())
        })
    }

    /// The finalised block whose events were taken note of last.
    pub fn settled(&self) -> Result<Option<BlockNumber>, JournalError> {
        self.noted(SETTLED)
    }

    /// What the salts of this account's attestations, and of its votes on responses to hardware challenges, are made from. It is
    /// drawn when it is asked for first, and on disk when this returns: what is committed to with a salt that is lost cannot be
    /// revealed, and costs a bond, or a part of it.
    pub fn vote_secret(&self) -> Result<[u8; 32], JournalError> {
        self.secret(VOTE_SECRET)
    }

    /// What this account's decoys among its responses to hardware challenges are made from; the same holds.
    pub fn decoy_secret(&self) -> Result<[u8; 32], JournalError> {
        self.secret(DECOY_SECRET)
    }

    fn secret(&self, name: &str) -> Result<[u8; 32], JournalError> {
        if let Some(secret) = self.noted(name)? {
            return Ok(secret);
        }
        let drawn: [u8; 32] = rand::random();
        self.write(|transaction| {
            let mut notes = transaction.open_table(OWNER)?;
            // Somebody else may have asked in the meantime.
            if notes.get(name)?.is_none() {
                notes.insert(name, drawn.as_slice())?;
            }
            Ok(())
        })?;
        Ok(self.noted(name)?.unwrap_or(drawn))
    }

    /// What was lost lately.
    pub fn losses(&self) -> Result<Vec<Loss>, JournalError> {
        Ok(self.noted(LOSSES)?.unwrap_or_default())
    }

    /// Writes records, what was lost, and the finalised block up to which all that is counted, at once: after a crash
    /// nothing is counted twice or not at all.
    pub fn settle(
        &self,
        records: &[(TaskId, TaskRecord)],
        settled: Option<BlockNumber>,
        losses: &[Loss],
    ) -> Result<(), JournalError> {
        let encode = |(task, record): &(TaskId, TaskRecord)| {
            let bytes = serde_json::to_vec(record).map_err(|reason| self.damaged(*task, reason))?;
            Ok((task.0, bytes))
        };
        let rows = records.iter().map(encode).collect::<Result<Vec<_>, JournalError>>()?;
        self.write(|transaction| {
            let mut tasks = transaction.open_table(TASKS)?;
            for (task, bytes) in &rows {
                tasks.insert(task, bytes.as_slice())?;
            }
            let mut notes = transaction.open_table(OWNER)?;
            if let Some(settled) = settled {
                notes.insert(SETTLED, settled.encode().as_slice())?;
            }
            notes.insert(LOSSES, losses.encode().as_slice())?;
            Ok(())
        })
    }

    /// What is noted under `name`; `None`: nothing, or nothing that can be read.
    fn noted<T: DecodeAll>(&self, name: &str) -> Result<Option<T>, JournalError> {
        let bytes = self.read(|transaction| {
            let row = transaction.open_table(OWNER)?.get(name)?;
            Ok(row.map(|value| value.value().to_vec()))
        })?;
        Ok(bytes.and_then(|bytes| T::decode_all(&mut bytes.as_slice()).ok()))
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
    use crate::worker::sample_task as task;

    fn journal() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(&folder.path().join("journal"), [0; 32], [9; 32]).expect("it is new");
        (folder, journal)
    }

    #[test]
    fn a_record_that_cannot_be_read_is_set_aside_and_the_others_go_on() {
        let (_folder, journal) = journal();
        let record = TaskRecord::new(&task(1), [1; 32], 5);
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

    #[test]
    fn the_secret_of_votes_is_drawn_once_and_remembered() {
        let (folder, journal) = journal();
        let secret = journal.vote_secret().expect("drawn");
        assert_eq!(journal.vote_secret().expect("read"), secret);
        drop(journal);
        let path = folder.path().join("journal");
        let again = Journal::open(&path, [0; 32], [9; 32]).expect("it is there");
        assert_eq!(again.vote_secret().expect("read"), secret);
        let other = Journal::open(&folder.path().join("other"), [0; 32], [9; 32]).expect("it is new");
        assert_ne!(other.vote_secret().expect("drawn"), secret);
    }

    #[test]
    fn what_was_lost_and_earned_is_remembered_with_the_block_up_to_which_it_is_counted() {
        let (folder, journal) = journal();
        assert_eq!(
            (journal.settled().expect("read"), journal.losses().expect("read")),
            (None, vec![])
        );
        let mut record = TaskRecord::new(&task(1), [1; 32], 5);
        record.came_to.lost = 7;
        let losses = [Loss {
            at_s: 1_000_000,
            amount: 7,
        }];
        let records = [(TaskId(1), record)];
        journal.settle(&records, Some(99), &losses).expect("put");
        drop(journal);
        let journal = Journal::open(&folder.path().join("journal"), [0; 32], [9; 32]).expect("it is there");
        assert_eq!(journal.settled().expect("read"), Some(99));
        assert_eq!(journal.losses().expect("read"), losses);
        assert_eq!(journal.load().expect("read").0, records);
    }
}
