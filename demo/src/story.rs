//! What happens to the tasks, as the events of the chain say.

use crate::{accounts::Names, show};
use agora_chain::{
    AccountId, Balance, BlockEvents, BlockNumber,
    api::{
        Event,
        api::{judging, reputation, tasks},
    },
    views::PaymentView,
};
use agora_primitives::{
    TaskId,
    job::Claim,
    judging::Attestation,
    money::{Payee, Purpose, Scope},
    reputation::{Outcome, Side},
};

/// What has happened to the tasks so far.
pub struct Story {
    /// The task that is computed.
    pub task: TaskId,
    /// The task that nobody accepts.
    pub lonely: Option<TaskId>,
    pub accepted: Vec<AccountId>,
    pub outcomes: Vec<(AccountId, Outcome)>,
    pub attesters: Vec<AccountId>,
    pub settled: Option<(BlockNumber, Claim, AccountId)>,
    expired: Option<BlockNumber>,
    pub payments: Vec<PaymentView>,
    pub reputations: Vec<String>,
}

impl Story {
    pub fn new(task: TaskId) -> Self {
        Self {
            task,
            lonely: None,
            accepted: Vec::new(),
            outcomes: Vec::new(),
            attesters: Vec::new(),
            settled: None,
            expired: None,
            payments: Vec::new(),
            reputations: Vec::new(),
        }
    }

    /// Whether both tasks have ended.
    pub fn is_over(&self) -> bool {
        self.settled.is_some() && self.expired.is_some()
    }

    /// Remembers what a block means for the tasks, and prints it.
    pub fn tell(&mut self, block: &BlockEvents, names: &Names) {
        self.payments.extend(block.payments());
        for event in &block.events {
            match event {
                Event::Tasks(event) => self.task_event(block.block.number, event, names),
                Event::Judging(event) => self.judging_event(block.block.number, event, names),
                Event::Reputation(event) => self.reputation_event(event, names),
                _ => {}
            }
        }
    }

    fn task_event(&mut self, block: BlockNumber, event: &tasks::Event, names: &Names) {
        use tasks::Event as E;
        match event {
            E::Accepted { task, worker } if task.0 == self.task => self.accepted.push(*worker),
            E::WorkerJudged { task, worker, outcome } if task.0 == self.task => {
                self.outcomes.push((*worker, outcome.0));
            }
            E::Settled { task, claim, best } if task.0 == self.task => self.settled = Some((block, claim.0, *best)),
            E::Expired { task } if Some(task.0) == self.lonely => self.expired = Some(block),
            _ => {}
        }
        show::line(block, &task_text(event, names));
    }

    fn judging_event(&mut self, block: BlockNumber, event: &judging::Event, names: &Names) {
        if let judging::Event::Attested {
            task,
            verifier,
            attestation,
        } = event
        {
            self.attesters.push(*verifier);
            let said = match attestation.0 {
                Attestation::Valid => "right",
                Attestation::Invalid => "wrong",
            };
            show::line(
                block,
                &format!("task {}: {} attests that it is {said}", task.0, names.name(verifier)),
            );
        }
    }

    fn reputation_event(&mut self, event: &reputation::Event, names: &Names) {
        let reputation::Event::OutcomeRecorded {
            who,
            side,
            outcome,
            level,
            confidence,
        } = event
        else {
            return;
        };
        let side = match side.0 {
            Side::Worker(kind) => format!("worker in {kind:?}"),
            Side::Verifier(kind) => format!("verifier in {kind:?}"),
            Side::Publisher => "publisher".to_owned(),
        };
        self.reputations.push(format!(
            "{:<20} as {side:<24} level {:?}, confidence {confidence}: {}",
            names.name(who),
            level.0,
            describe(outcome.0)
        ));
    }

    /// What was paid out of the hold of `task` for `purpose`.
    pub fn paid(&self, task: TaskId, purpose: Purpose) -> impl Iterator<Item = &PaymentView> {
        self.payments
            .iter()
            .filter(move |payment| payment.scope == Scope::Task(task) && payment.purpose == purpose)
    }

    pub fn burned(&self) -> Balance {
        let burned = self.payments.iter().filter(|payment| payment.payee == Payee::Burn);
        burned.map(|payment| payment.amount).sum()
    }
}

/// An event of a task, for people.
fn task_text(event: &tasks::Event, names: &Names) -> String {
    use tasks::Event as E;
    let name = |account: &AccountId| names.name(account);
    match event {
        E::Published {
            task,
            publisher,
            reward,
            deadline,
            ..
        } => format!(
            "task {}: published by {} for {}, deadline {deadline}",
            task.0,
            name(publisher),
            show::amount(*reward)
        ),
        E::Accepted { task, worker } => format!("task {}: accepted by {}", task.0, name(worker)),
        E::WorkerReplaced { task, worker, by } => format!(
            "task {}: {} was silent for too long, and {} takes over",
            task.0,
            name(worker),
            name(by)
        ),
        E::Committed { task, worker, .. } => format!("task {}: {} commits to a result", task.0, name(worker)),
        E::RevealStarted { task, until } => format!("task {}: results may be revealed until block {until}", task.0),
        E::Revealed { task, worker, claim } => format!("task {}: {} reveals {}", task.0, name(worker), claim.0),
        E::ResultChosen {
            task,
            claim,
            best,
            appeal_until,
            ..
        } => format!(
            "task {}: enough agreement on {}, best {}; may be appealed until block {appeal_until}",
            task.0,
            claim.0,
            name(best)
        ),
        E::ResultFell { task, claim, accusers } => format!(
            "task {}: {} falls, shown to be wrong; accused by {}",
            task.0,
            claim.0,
            accusers.0.iter().map(&name).collect::<Vec<_>>().join(", ")
        ),
        E::ResultReplaced {
            task,
            claim,
            best,
            until,
        } => format!(
            "task {}: {} by {} takes its place; may be accused until block {until}",
            task.0,
            claim.0,
            name(best)
        ),
        E::WorkerJudged { task, worker, outcome } => {
            format!("task {}: {} was {}", task.0, name(worker), describe(outcome.0))
        }
        E::Settled { task, claim, .. } => format!("task {}: settled with {}", task.0, claim.0),
        E::Expired { task } => format!("task {}: expired, nobody was there", task.0),
        other => format!("{other:?}"),
    }
}

/// An outcome, for people.
pub fn describe(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Right { confirmed: true } => "right, confirmed by others",
        Outcome::Right { confirmed: false } => "right",
        Outcome::Wrong => "wrong (another result, or committed and never revealed)",
        Outcome::Late => "late",
    }
}
