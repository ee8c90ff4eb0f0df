//! What happened how often.

use sp_runtime::{DispatchError, ModuleError};
use std::{collections::BTreeMap, fmt};

#[derive(Default)]
pub struct Report {
    calls: BTreeMap<String, BTreeMap<String, u64>>,
    events: BTreeMap<&'static str, u64>,
}

/// How a task can end.
const TERMINAL: [&str; 4] = ["Settled", "Cancelled", "Expired", "Failed"];

/// What else happens often.
const COMMON: [&str; 13] = [
    "WorkersInvited",
    "RevealStarted",
    "ReplicasWanted",
    "ResultChosen",
    "Reopened",
    "Attested",
    "AttesterPaid",
    "Upheld",
    "Burned",
    "ExitRequested",
    "Purged",
    "CapabilityProven",
    "CapabilityExpired",
];

/// What happens a few times in ten thousand steps, so that some runs of that length have none of it.
const RARE: [&str; 4] = ["AttesterSlashed", "Overturned", "Undecided", "CapabilityRefuted"];

impl Report {
    pub fn count(&mut self, call: String, outcome: Result<(), DispatchError>) {
        let outcome = match outcome {
            Ok(()) => "ok".into(),
            Err(DispatchError::Module(ModuleError {
                message: Some(name), ..
            })) => name.to_string(),
            Err(other) => format!("{other:?}"),
        };
        *self.calls.entry(call).or_default().entry(outcome).or_default() += 1;
    }

    pub fn count_event(&mut self, name: &'static str) {
        *self.events.entry(name).or_default() += 1;
    }

    /// Fails unless tasks ended in every way and all common calls happened.
    pub fn assert_the_common(&self) {
        self.assert_happened(TERMINAL.iter().chain(&COMMON));
    }

    /// Fails unless all rare calls happened too, and every call succeeded at least once.
    pub fn assert_the_rare(&self) {
        self.assert_happened(&RARE);
        for (call, outcomes) in &self.calls {
            assert!(outcomes.contains_key("ok"), "{call} never succeeded\n{self}");
        }
    }

    fn assert_happened<'a>(&self, names: impl IntoIterator<Item = &'a &'a str>) {
        for name in names {
            assert!(self.events.contains_key(name), "{name} never happened\n{self}");
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
