//! The whole market on one machine: a node, a publisher, two verifiers and five workers, one of which returns corrupted
//! results and one of which commits and never reveals. Two tasks are published; one is computed, judged, paid and
//! proven, the other finds nobody and is refunded.
//!
//! Everything shown is read from the chain. The process ends with an error if anything is not as it should be.

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
