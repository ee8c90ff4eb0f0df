//! What happened how often.

use sp_runtime::{DispatchError, ModuleError};
use std::{collections::BTreeMap, fmt};

#[derive(Default)]
pub struct Report {
    calls: BTreeMap<String, BTreeMap<String, u64>>,
    events: BTreeMap<&'static str, u64>,
}

/// How a task can end.
pub const TERMINAL: [&str; 4] = ["Settled", "Cancelled", "Expired", "Failed"];

/// Everything else that a long enough run is to have seen.
const EXPECTED: [&str; 14] = [
    "WorkersInvited",
    "RevealStarted",
    "ReplicasWanted",
    "ResultChosen",
    "Reopened",
    "Attested",
    "AttesterPaid",
    "AttesterSlashed",
    "Upheld",
    "Overturned",
    "Undecided",
    "Burned",
    "ExitRequested",
    "Purged",
];

impl Report {
    pub fn count(&mut self, call: String, outcome: Result<(), DispatchError>) {
        let outcome = match outcome {
            Ok(()) => "ok".into(),
            Err(DispatchError::Module(ModuleError {
                message: Some(name),
                ..
            })) => name.to_string(),
            Err(other) => format!("{other:?}"),
        };
        *self
            .calls
            .entry(call)
            .or_default()
            .entry(outcome)
            .or_default() += 1;
    }

    pub fn count_event(&mut self, name: &'static str) {
        *self.events.entry(name).or_default() += 1;
    }

    /// Fails unless tasks ended in every way, every call succeeded at some time, and all that is rare happened too.
    pub fn assert_everything_happened(&self) {
        for name in TERMINAL.iter().chain(&EXPECTED) {
            assert!(
                self.events.contains_key(name),
                "{name} never happened\n{self}"
            );
        }
        for (call, outcomes) in &self.calls {
            assert!(
                outcomes.contains_key("ok"),
                "{call} never succeeded\n{self}"
            );
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (call, outcomes) in &self.calls {
            let total: u64 = outcomes.values().sum();
            writeln!(f, "{call}: {total}")?;
            let mut outcomes: Vec<_> = outcomes.iter().collect();
            outcomes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            for (outcome, count) in outcomes {
                writeln!(f, "{count:>10} {outcome}")?;
            }
        }
        writeln!(f, "events:")?;
        for (event, count) in &self.events {
            writeln!(f, "{count:>10} {event}")?;
        }
        Ok(())
    }
}
