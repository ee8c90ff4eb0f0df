//! What happened how often.

use crate::checks::market_pallets;
use agora_runtime::RuntimeCall;
use frame_support::traits::GetCallMetadata;
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
const COMMON: [&str; 18] = [
    "Computed",
    "SettledAsUnusable",
    "WorkersInvited",
    "WorkerReplaced",
    "RevealStarted",
    "ReplicasWanted",
    "ResultChosen",
    "Reopened",
    "Attested",
    "AttesterUpheld",
    "Upheld",
    "Burned",
    "ExitRequested",
    "Purged",
    "CapabilityProven",
    "CapabilityExpired",
    "ResponseUndecided",
    "VoterSlashed",
];

/// What happens a few times in ten thousand steps, so that some runs of that length have none of it.
const RARE: [&str; 12] = [
    "AttesterSilent",
    "AttesterSlashed",
    "Overturned",
    "Undecided",
    "Disagreed",
    "CapabilityRefuted",
    "DecoyShown",
    "TrialEnded",
    "ResultFell",
    "ResultReplaced",
    "ClaimEntered",
    "OffenceReported",
];

/// What is always refused: records fade in a longer time than an episode has, and what nobody has computed cannot be shown.
const REFUSED: [&str; 7] = [
    "Reputation.forget",
    "Computation.show",
    "Computation.name_child",
    "Computation.add_run",
    "Computation.challenge",
    "Computation.open_node",
    "Computation.execute",
];

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

    /// Fails unless tasks ended in every way, all common events happened, and every pallet of the market was called.
    pub fn assert_the_common(&self) {
        self.assert_happened(TERMINAL.iter().chain(&COMMON));
        for calls in calls_of_the_market() {
            let called = calls.iter().any(|call| self.calls.contains_key(call));
            assert!(called, "`CALLS` has none of {calls:?}\n{self}");
        }
    }

    /// Fails unless all rare events happened too, every call was made, and each that can succeed did so at least once.
    pub fn assert_the_rare(&self) {
        self.assert_happened(&RARE);
        for call in calls_of_the_market().concat() {
            assert!(self.calls.contains_key(&call), "`CALLS` has no {call}\n{self}");
        }
        for (call, outcomes) in &self.calls {
            let possible = !REFUSED.contains(&call.as_str());
            let succeeded = outcomes.contains_key("ok");
            assert_eq!(succeeded, possible, "{call}: only what is possible succeeds\n{self}");
        }
    }

    fn assert_happened<'a>(&self, names: impl IntoIterator<Item = &'a &'a str>) {
        for name in names {
            assert!(self.events.contains_key(name), "{name} never happened\n{self}");
        }
    }
}

/// The calls of each pallet of the market that has some.
fn calls_of_the_market() -> Vec<Vec<String>> {
    let market = market_pallets();
    let pallets = RuntimeCall::get_module_names().iter();
    let calls = |pallet: &&'static str| {
        let names = RuntimeCall::get_call_names(pallet).iter();
        names.map(|call| format!("{pallet}.{call}")).collect()
    };
    pallets.filter(|pallet| market.contains(*pallet)).map(calls).collect()
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
