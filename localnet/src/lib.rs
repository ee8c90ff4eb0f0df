//! A network of real processes on this machine: nodes, workers, verifiers. For the demonstration, the end-to-end tests
//! and the benchmarks.
//!
//! Every process is killed when its handle is dropped, and writes to a log file. Every wait has a deadline; the error
//! of a missed one names what was waited for and the log.

#![deny(missing_docs)]

mod agora;
mod chain_spec;
mod node;
mod process;

pub use agora::{Agora, CommandFailed};
pub use chain_spec::write_chain_spec;
pub use node::{Node, NodeOptions};
pub use process::Process;

use std::path::{Path, PathBuf};

/// What can go wrong with a process.
#[derive(Debug, thiserror::Error)]
pub enum LocalnetError {
    /// A program has not been built.
    #[error("there is no {program} in {}; run `make build` first", folder.display())]
    NotBuilt {
        /// The program.
        program: &'static str,
        /// Where it should be.
        folder: PathBuf,
    },
    /// The operating system refused something.
    #[error("{what}: {reason}")]
    System {
        /// What was tried.
        what: String,
        /// Why not.
        reason: std::io::Error,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {seconds} s; the last lines of {}:\n{tail}", log.display())]
    Overdue {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
        /// Where the process writes to.
        log: PathBuf,
        /// Its end.
        tail: String,
    },
    /// A process ended by itself.
    #[error("{name} ended ({status}); the last lines of {}:\n{tail}", log.display())]
    Ended {
        /// Its name.
        name: String,
        /// How.
        status: std::process::ExitStatus,
        /// Where it wrote to.
        log: PathBuf,
        /// Its end.
        tail: String,
    },
    /// The node's chain specification cannot be used.
    #[error("the development chain's specification: {reason}")]
    ChainSpec {
        /// Why not.
        reason: String,
    },
    /// The chain.
    #[error(transparent)]
    Chain(#[from] agora_chain::ChainError),
    /// A run of `agora`.
    #[error(transparent)]
    Command(#[from] CommandFailed),
}

impl LocalnetError {
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |reason| Self::System { what, reason }
    }
}

/// Finds a program of this workspace beside the running one: tests run in `deps`, one folder further down.
pub fn program(name: &'static str) -> Result<PathBuf, LocalnetError> {
    let running = std::env::current_exe().map_err(LocalnetError::system("cannot tell where this program is"))?;
    let folder = running.parent().unwrap_or(Path::new("."));
    let candidates = [Some(folder), folder.parent()];
    candidates
        .into_iter()
        .flatten()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| LocalnetError::NotBuilt {
            program: name,
            folder: folder.to_owned(),
        })
}

/// A port that nobody listened on just now.
pub fn free_port() -> Result<u16, LocalnetError> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0");
    listener
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(LocalnetError::system("cannot find a free port"))
}
