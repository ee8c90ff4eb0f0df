//! The Agora worker, and the verifier beside it.
//!
//! A [`Worker`] takes tasks that suit its [`Policy`], computes them, commits to the result, reveals it and collects its
//! pay. A [`Verifier`] checks winning results while they can be appealed, and attests for or against them. Both follow
//! the same rules:
//!
//! - **The chain's state decides**, not the events: each step looks at the task as it is now, and does what is due. A
//!   missed event, a re-org or a restart of the node changes nothing. What is *given up* follows from finalised state alone.
//! - **Journal before send**: what a later step needs (above all the salt) is on disk before a transaction is sent. A
//!   crash at any point does not make the worker commit twice, lose a salt, or miss a reveal that is still possible.
//! - **One transaction per task at a time**, many tasks side by side.
//!
//! - **Nothing that may pass ends a process**: it is said once, and tried again.
//!
//! A worker of one's own is built from [`Worker`] with other [`Offers`] or on another [`Chain`]: see `examples/own_worker.rs`.
//!
//! Nothing here prints or reads the environment; the command line does that.

#![deny(missing_docs)]

mod chain;
mod check;
mod court;
mod driver;
mod error;
#[cfg(feature = "fault-injection")]
mod fault;
mod garbage;
mod health;
mod job;
mod journal;
mod journal_file;
mod late;
mod ledger;
#[cfg(test)]
mod logged;
mod metrics;
mod publishers;
mod sources;
mod told;
mod turns;
mod verifier;
mod worker;

pub use chain::{Attested, Blocks, Call, Chain, Due, News, Receipt, State};
pub use check::check_claim;
pub use court::{Court, CourtConfig, Finding};
pub use error::WorkerError;
#[cfg(feature = "fault-injection")]
pub use fault::{Fault, Pause};
pub use garbage::{Housekeeper, Housekeeping, LEAST_AGE, Owner as BlobOwner, needed};
pub use health::Health;
pub use job::{load_job, load_output, load_spec};
pub use journal::{
    AccusationRecord, AttestRecord, CameTo, Journal, JournalError, Judged, Loaded, Loss, SeenChain, Stage, TaskRecord,
};
pub use journal_file::{JournalEntry, JournalFile, Owner};
pub use ledger::StopLoss;
pub use metrics::{Metrics, serve_metrics};
pub use publishers::Publishers;
pub use sources::{with_sources, with_verifiers};
pub use verifier::{Recompute, Verifier, VerifierConfig};
pub use worker::{ChainOffers, Hours, Offers, Openings, Policy, Power, Unsuitable, Worker, WorkerConfig};
