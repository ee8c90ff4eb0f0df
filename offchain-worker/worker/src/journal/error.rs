//! Why a journal cannot be used.

use std::path::PathBuf;

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
