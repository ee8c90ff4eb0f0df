//! What finalised blocks say of one account's money and work, by task.

use crate::units::Amount;
use agora_chain::{
    AccountId, Balance, BlockEvents, BlockNumber,
    api::{
        Event,
        api::{judging, runtime_types::agora_primitives::courts::Offence, tasks, transaction_payment},
    },
    views::PaymentView,
};
use agora_primitives::{
    TaskId,
    money::{Payee, Purpose, Scope},
    reputation::Outcome,
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// What one task came to for the account.
#[derive(Serialize, Clone, Debug, Default)]
pub struct TaskEntry {
    pub task: TaskId,
    /// As what the account was in it: `worker`, `verifier`, `publisher`, and `court` for its bonds there; several are joined by `+`.
    part: String,
    /// What was paid to it, in plancks.
    #[serde(serialize_with = "as_text")]
    earned: Balance,
    /// What was taken of its bonds, in plancks.
    #[serde(serialize_with = "as_text")]
    lost: Balance,
    /// What was taken of its reward, stake and fee, in plancks.
    #[serde(serialize_with = "as_text")]
    spent: Balance,
    /// How its work was judged and how the task ended, in words.
    why: Vec<&'static str>,
    /// The last block with anything of it.
    block: BlockNumber,
}

fn as_text<S: serde::Serializer>(amount: &Balance, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

impl TaskEntry {
    pub const fn earned(&self) -> Balance {
        self.earned
    }

    pub const fn lost(&self) -> Balance {
        self.lost
    }

    pub const fn spent(&self) -> Balance {
        self.spent
    }

    fn takes_part(&mut self, part: &str) {
        if !self.part.split('+').any(|known| known == part) {
            if !self.part.is_empty() {
                self.part.push('+');
            }
            self.part.push_str(part);
        }
    }

    fn because(&mut self, why: &'static str) {
        if !self.why.contains(&why) {
            self.why.push(why);
        }
    }
}

impl fmt::Display for TaskEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = |amount| Amount(amount).to_string();
        write!(
            f,
            "{:>8}  {:<10} {:>16} {:>16} {:>16}  {}",
            self.task.0,
            self.part,
            amount(self.earned),
            amount(self.lost),
            amount(self.spent),
            self.why.join("; ")
        )
    }
}

/// Entries by task, as blocks are read.
pub struct Ledger {
    account: AccountId,
    entries: BTreeMap<TaskId, TaskEntry>,
    /// How each task ended, whether it is the account's or not: payments may come after it.
    ends: BTreeMap<TaskId, &'static str>,
    /// Transaction fees that were paid.
    pub fees: Balance,
}

impl Ledger {
    /// An empty one.
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            entries: BTreeMap::new(),
            ends: BTreeMap::new(),
            fees: 0,
        }
    }

    /// Reads a block.
    pub fn read(&mut self, block: &BlockEvents) {
        let number = block.block.number;
        for payment in block.payments() {
            self.payment(&payment, number);
        }
        for event in &block.events {
            self.event(event, number);
        }
    }

    /// The entries, by task, with how their tasks ended.
    pub fn into_entries(self) -> impl Iterator<Item = TaskEntry> {
        let ends = self.ends;
        self.entries.into_values().map(move |mut entry| {
            match ends.get(&entry.task) {
                Some(end) => entry.because(end),
                None => entry.because("the task has not ended in these blocks"),
            }
            entry
        })
    }

    fn entry(&mut self, task: TaskId, block: BlockNumber) -> &mut TaskEntry {
        let entry = self.entries.entry(task).or_insert_with(|| TaskEntry {
            task,
            ..TaskEntry::default()
        });
        entry.block = block;
        entry
    }

    fn payment(&mut self, paid: &PaymentView, block: BlockNumber) {
        let Scope::Task(task) = paid.scope else { return };
        let to_us = paid.payee == Payee::Account(self.account);
        let of_us = paid.from == self.account;
        if to_us == of_us {
            return;
        }
        let entry = self.entry(task, block);
        let (amount, part) = match (to_us, paid.purpose) {
            (true, Purpose::AppealBond) => (&mut entry.earned, "verifier"),
            (true, Purpose::CourtBond) => (&mut entry.earned, "court"),
            // A part of the reward is paid to workers and to verifiers; other events tell which.
            (true, _) => (&mut entry.earned, ""),
            (false, Purpose::TaskBond) => (&mut entry.lost, "worker"),
            (false, Purpose::AppealBond) => (&mut entry.lost, "verifier"),
            (false, Purpose::CourtBond) => (&mut entry.lost, "court"),
            (false, _) => (&mut entry.spent, "publisher"),
        };
        *amount = amount.saturating_add(paid.amount);
        if !part.is_empty() {
            entry.takes_part(part);
        }
    }

    fn event(&mut self, event: &Event, block: BlockNumber) {
        let us = self.account;
        match event {
            Event::Tasks(tasks::Event::WorkerJudged { task, worker, outcome }) if *worker == us => {
                let entry = self.entry(task.0, block);
                entry.takes_part("worker");
                entry.because(judged(outcome.0));
            }
            Event::Tasks(tasks::Event::Accepted { task, worker }) if *worker == us => {
                self.entry(task.0, block).takes_part("worker");
            }
            Event::Tasks(tasks::Event::Published { task, publisher, .. }) if *publisher == us => {
                self.entry(task.0, block).takes_part("publisher");
            }
            Event::Tasks(event) => {
                if let Some((task, end)) = end(event) {
                    self.ends.insert(task, end);
                }
            }
            Event::Judging(
                judging::Event::AttestationCommitted { task, verifier }
                | judging::Event::Attested { task, verifier, .. },
            ) if *verifier == us => {
                self.entry(task.0, block).takes_part("verifier");
            }
            Event::Judging(judging::Event::AttesterUpheld { task, verifier }) if *verifier == us => {
                let entry = self.entry(task.0, block);
                entry.takes_part("verifier");
                entry.because("the attestation was right");
            }
            Event::Judging(judging::Event::AttesterSlashed {
                task,
                verifier,
                offence,
                ..
            }) if *verifier == us => {
                let entry = self.entry(task.0, block);
                entry.takes_part("verifier");
                entry.because(match offence {
                    Offence::Silent => "the attestation was not revealed",
                    _ => "the attestation was not upheld",
                });
            }
            Event::TransactionPayment(transaction_payment::Event::TransactionFeePaid { who, actual_fee, tip })
                if *who == us =>
            {
                // The fee includes the tip.
                let _ = tip;
                self.fees = self.fees.saturating_add(*actual_fee);
            }
            _ => {}
        }
    }
}

const fn judged(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Right { confirmed: true } => "the work was right, and others agreed",
        Outcome::Right { confirmed: false } => "the work was right",
        Outcome::Wrong => "the work was wrong, or was not revealed",
        Outcome::Late => "nothing was committed in time",
    }
}

fn end(event: &tasks::Event) -> Option<(TaskId, &'static str)> {
    Some(match event {
        tasks::Event::Settled { task, .. } => (task.0, "the task was settled"),
        tasks::Event::Cancelled { task } => (task.0, "the task was taken back"),
        tasks::Event::Expired { task } => (task.0, "the task expired"),
        tasks::Event::Failed { task } => (task.0, "the task failed: no result was agreed on"),
        _ => return None,
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    const US: AccountId = AccountId([1; 32]);
    const OTHER: AccountId = AccountId([2; 32]);

    pub fn example() -> TaskEntry {
        TaskEntry {
            task: TaskId(7),
            part: "worker".to_owned(),
            earned: 1,
            lost: 0,
            spent: 0,
            why: vec!["the work was right"],
            block: 3,
        }
    }

    fn paid(purpose: Purpose, from: AccountId, payee: Payee<AccountId>, amount: Balance) -> PaymentView {
        PaymentView {
            purpose,
            scope: Scope::Task(TaskId(7)),
            from,
            payee,
            amount,
        }
    }

    #[test]
    fn payments_are_booked_by_whose_money_went_to_whom() {
        let mut ledger = Ledger::new(US);
        for payment in [
            paid(Purpose::TaskReward, OTHER, Payee::Account(US), 10),
            paid(Purpose::TaskBond, US, Payee::Treasury, 3),
            paid(Purpose::AppealBond, OTHER, Payee::Account(US), 2),
            // Of no concern to us, or from one pocket into the other.
            paid(Purpose::TaskReward, OTHER, Payee::Account(OTHER), 1000),
            paid(Purpose::TaskReward, US, Payee::Account(US), 500),
        ] {
            ledger.payment(&payment, 5);
        }
        let entries: Vec<_> = ledger.into_entries().collect();
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].earned, entries[0].lost, entries[0].spent), (12, 3, 0));
        assert_eq!((entries[0].part.as_str(), entries[0].block), ("worker+verifier", 5));
        assert_eq!(entries[0].why, ["the task has not ended in these blocks"]);
    }

    #[test]
    fn bonds_in_court_are_lost_and_won_and_not_spent() {
        let mut ledger = Ledger::new(US);
        ledger.payment(&paid(Purpose::CourtBond, US, Payee::Burn, 5), 1);
        ledger.payment(&paid(Purpose::CourtBond, OTHER, Payee::Account(US), 3), 2);
        let entry = ledger.into_entries().next().expect("there is one");
        assert_eq!(
            (entry.earned, entry.lost, entry.spent, entry.part.as_str()),
            (3, 5, 0, "court")
        );
    }

    #[test]
    fn what_a_publisher_pays_is_spent_and_not_lost() {
        let mut ledger = Ledger::new(US);
        ledger.payment(&paid(Purpose::TaskReward, US, Payee::Burn, 6), 1);
        ledger.payment(&paid(Purpose::PublicationFee, US, Payee::Treasury, 1), 2);
        let entry = ledger.into_entries().next().expect("there is one");
        assert_eq!((entry.spent, entry.lost, entry.part.as_str()), (7, 0, "publisher"));
    }
}
