//! Where records survive.

use crate::{BlockId, IntentId, Record};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// A log could not be read or written.
pub type LogError = Box<dyn std::error::Error + Send + Sync>;

/// Where records survive a crash. What was put is on disk when the call returns.
pub trait TransactionLog: Send + Sync {
    /// Writes a record in place of that with the same name.
    fn put(&self, record: &Record) -> Result<(), LogError>;
    /// All records.
    fn all(&self) -> Result<Vec<Record>, LogError>;
    /// Removes the record of this name, if there is one.
    fn remove(&self, id: &IntentId) -> Result<(), LogError>;
    /// Writes the newest finalised block that was seen.
    fn put_finalised(&self, block: BlockId) -> Result<(), LogError>;
    /// The newest finalised block that was seen.
    fn finalised(&self) -> Result<Option<BlockId>, LogError>;
}

/// A log for programs that do one thing and end: it survives nothing.
#[derive(Debug, Default)]
pub struct MemoryLog {
    kept: Mutex<(BTreeMap<IntentId, Record>, Option<BlockId>)>,
}

impl MemoryLog {
    fn with<T>(&self, work: impl FnOnce(&mut (BTreeMap<IntentId, Record>, Option<BlockId>)) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TransactionLog for MemoryLog {
    fn put(&self, record: &Record) -> Result<(), LogError> {
        self.with(|(records, _)| records.insert(record.intent.id.clone(), record.clone()));
        Ok(())
    }

    fn all(&self) -> Result<Vec<Record>, LogError> {
        Ok(self.with(|(records, _)| records.values().cloned().collect()))
    }

    fn remove(&self, id: &IntentId) -> Result<(), LogError> {
        self.with(|(records, _)| records.remove(id));
        Ok(())
    }

    fn put_finalised(&self, block: BlockId) -> Result<(), LogError> {
        self.with(|(_, finalised)| *finalised = Some(block));
        Ok(())
    }

    fn finalised(&self) -> Result<Option<BlockId>, LogError> {
        Ok(self.with(|(_, finalised)| *finalised))
    }
}
