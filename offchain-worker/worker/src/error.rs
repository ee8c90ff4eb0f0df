//! What can end a worker or a verifier.

use crate::JournalError;
use agora_primitives::participants::Role;

/// Why a step, or the whole loop, failed.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Those who have a blob serve it too slowly.
    #[error("it was not here after {seconds} s; what has arrived is kept")]
    TooSlow {
        /// How long it was waited for.
        seconds: u64,
    },
    /// Those who have a result give it so slowly that most of the time in which it can be judged would pass.
    #[error("it is given too slowly for the window that it is judged in; what has arrived is kept")]
    Withheld,
    /// The chain.
    #[error(transparent)]
    Chain(#[from] agora_chain::ChainError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The blob store.
    #[error(transparent)]
    Blobs(#[from] agora_blobs::BlobError),
    /// A device.
    #[error(transparent)]
    Engine(#[from] agora_compute::EngineError),
    /// The account does not have the role.
    #[error("account {account} is not registered as a {0}; run `agora register --role {0}` first", name_of(*role))]
    NotRegistered {
        /// The account.
        account: String,
        /// The role it lacks.
        role: Role,
    },
    /// The metrics endpoint.
    #[error("cannot serve metrics at {address}: {reason}")]
    Metrics {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        reason: std::io::Error,
    },
    /// A job specification that is not what its task says.
    #[error("the job of the task cannot be used: {0}")]
    Job(String),
    /// A computation was interrupted.
    #[error("the computation did not end: {0}")]
    Interrupted(String),
}

/// A role as the command line spells it.
fn name_of(role: Role) -> &'static str {
    match role {
        Role::Worker => "worker",
        Role::Verifier => "verifier",
        Role::Orchestrator => "orchestrator",
        Role::Expert => "expert",
    }
}

impl WorkerError {
    /// Whether trying again later may help.
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::Chain(error) => error.is_recoverable(),
            Self::Blobs(error) => error.is_recoverable(),
            Self::Engine(error) => error.is_recoverable(),
            Self::Interrupted(_) | Self::TooSlow { .. } | Self::Withheld => true,
            Self::Journal(_) | Self::NotRegistered { .. } | Self::Metrics { .. } | Self::Job(_) => false,
        }
    }
}
