//! What was signed, in the journal.

use super::{
    Journal, JournalError,
    tables::{DAMAGED_TRANSACTIONS, FINALISED, OWNER, TRANSACTIONS},
};
use agora_chain::{BlockId, IntentId, LogError, TransactionLog, TransactionRecord};
use codec::{DecodeAll, Encode};
use redb::ReadableTable;

impl Journal {
    fn transaction(&self, name: &str, mut bytes: &[u8]) -> Result<TransactionRecord, JournalError> {
        TransactionRecord::decode_all(&mut bytes).map_err(|reason| self.damaged_transaction(name, reason))
    }

    fn set_transaction_aside(&self, name: &str, bytes: &[u8]) -> Result<(), JournalError> {
        self.write(|transaction| {
            transaction.open_table(DAMAGED_TRANSACTIONS)?.insert(name, bytes)?;
            transaction.open_table(TRANSACTIONS)?.remove(name)?;
            Ok(())
        })
    }

    fn damaged_transaction(&self, name: &str, reason: codec::Error) -> JournalError {
        JournalError::DamagedTransaction {
            path: self.path.clone(),
            name: name.to_owned(),
            reason,
        }
    }
}

impl TransactionLog for Journal {
    fn put(&self, record: &TransactionRecord) -> Result<(), LogError> {
        let (name, bytes) = (record.intent.id.as_str(), record.encode());
        Ok(self.write(|transaction| {
            transaction.open_table(TRANSACTIONS)?.insert(name, bytes.as_slice())?;
            Ok(())
        })?)
    }

    fn all(&self) -> Result<Vec<TransactionRecord>, LogError> {
        let rows = self.read(|transaction| {
            let table = transaction.open_table(TRANSACTIONS)?;
            let rows = table
                .iter()?
                .map(|row| row.map(|(key, value)| (key.value().to_owned(), value.value().to_vec())));
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })?;
        let mut records = Vec::new();
        for (name, bytes) in &rows {
            match self.transaction(name, bytes) {
                Ok(record) => records.push(record),
                // What it was for is asked again by who wants it, and found on chain if it is there.
                Err(error) => {
                    tracing::error!(%error, "The record of a transaction is set aside.");
                    self.set_transaction_aside(name, bytes)?;
                }
            }
        }
        Ok(records)
    }

    fn remove(&self, id: &IntentId) -> Result<(), LogError> {
        Ok(self.write(|transaction| {
            transaction.open_table(TRANSACTIONS)?.remove(id.as_str())?;
            Ok(())
        })?)
    }

    fn put_finalised(&self, block: BlockId) -> Result<(), LogError> {
        let bytes = block.encode();
        Ok(self.write(|transaction| {
            transaction.open_table(OWNER)?.insert(FINALISED, bytes.as_slice())?;
            Ok(())
        })?)
    }

    fn finalised(&self) -> Result<Option<BlockId>, LogError> {
        let bytes = self.read(|transaction| {
            let row = transaction.open_table(OWNER)?.get(FINALISED)?;
            Ok(row.map(|value| value.value().to_vec()))
        })?;
        let block = bytes.map(|bytes| BlockId::decode_all(&mut bytes.as_slice()));
        let block = block.transpose();
        Ok(block.map_err(|reason| self.damaged_transaction(FINALISED, reason))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_chain::{Attempt, Intent, Repetition};

    #[test]
    fn transactions_are_there_after_reopening_until_they_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.redb");
        let opened = Journal::open(&path, [0; 32], [9; 32]).expect("it is new");
        assert_eq!(opened.finalised().expect("read"), None);
        let record = |name: &str| TransactionRecord {
            intent: Intent {
                id: name.into(),
                call: vec![1, 2],
                deadline: Some(7),
                origin: None,
                urgency: 1,
                repetition: Repetition::Harmless,
            },
            attempts: vec![Attempt {
                nonce: 3,
                anchor: BlockId::default(),
                life: 64,
                tip: 0,
                hash: [5; 32],
                bytes: vec![6],
            }],
            end: None,
            order: 1,
        };
        let block = BlockId {
            number: 8,
            hash: [8; 32],
        };
        for name in ["one", "two"] {
            opened.put(&record(name)).expect("put");
        }
        opened.put_finalised(block).expect("put");
        drop(opened);
        let opened = Journal::open(&path, [0; 32], [9; 32]).expect("it is there");
        assert_eq!(opened.all().expect("read"), [record("one"), record("two")]);
        assert_eq!(opened.finalised().expect("read"), Some(block));
        opened.remove(&"one".into()).expect("removed");
        assert_eq!(opened.all().expect("read"), [record("two")]);
        let garbage = opened.write(|transaction| {
            transaction
                .open_table(TRANSACTIONS)?
                .insert("three", [9u8].as_slice())?;
            Ok(())
        });
        garbage.expect("written");
        assert_eq!(opened.all().expect("one record stops nothing"), [record("two")]);
    }
}
