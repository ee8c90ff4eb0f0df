//! The whole market on one machine: a node, a publisher, two verifiers and five workers. One of the workers returns
//! corrupted results, and one commits and never reveals. Two tasks are published: the first is computed, judged, paid
//! and proven; nobody accepts the second, and it is refunded.
//!
//! Everything shown is read from the chain. The process ends with an error if anything differs from what should be.

mod accounts;
mod error;
mod report;
mod show;
mod stage;
mod story;

use error::DemoError;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let ended = tokio::select! {
        ended = stage::run() => ended,
        _ = tokio::signal::ctrl_c() => Err(DemoError::Interrupted),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demonstration failed: {error}");
            ExitCode::FAILURE
        }
    }
}
