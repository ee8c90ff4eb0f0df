//! The whole market on one machine: a node, a publisher, two verifiers and five workers. One of the workers returns
//! corrupted results, and one commits and never reveals. Two tasks are published: the first is computed, judged, paid
//! and proven; nobody accepts the second, and it is refunded. Then a dispute: four of five workers agree on what is wrong, the fifth
//! accuses them, and the chain executes the instructions of which they say something else.
//!
//! Everything shown is read from the chain. The process ends with an error if anything differs from what should be.

mod accounts;
mod court;
mod dispute;
mod error;
mod report;
mod show;
mod stage;
mod story;

use error::DemoError;
use std::{io::Write, process::ExitCode};

/// What `--help` prints.
const HELP: &str = "\
Runs a whole market on this machine, with a node, a publisher, workers and verifiers, shows what happens and checks it. It takes
about three minutes and leaves nothing behind. It uses the program `agora` and the node that are built beside it.

Usage: agora-demo [--help]

Exit codes: 0 everything is as it should be · 1 something is not · 2 wrong usage";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => {}
        [help] if help == "--help" || help == "-h" => {
            show::say(HELP);
            return ExitCode::SUCCESS;
        }
        [wrong, ..] => {
            say(&format!("agora-demo: it takes no {wrong:?}; see agora-demo --help"));
            return ExitCode::from(2);
        }
    }
    let ended = tokio::select! {
        ended = stage::run() => ended,
        _ = tokio::signal::ctrl_c() => Err(DemoError::Interrupted),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("\nThe demonstration failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints to standard error, if anybody reads it.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
