//! The outcome of the tasks: printed, and checked.

use crate::{
    accounts::{Books, Names, PUBLISHER, VERIFIERS, WORKERS},
    error::{DemoError, check},
    show,
    story::{Story, describe},
};
use agora_chain::{Balance, Client, verify_result, views::treasury_account};
use agora_localnet::Agora;
use agora_primitives::{
    money::{Payee, Purpose, Scope},
    reputation::Outcome,
};

/// The end of the demonstration.
pub struct Report<'a> {
    pub client: &'a Client,
    pub publisher: &'a Agora,
    pub names: &'a Names,
    pub before: &'a Books,
    pub story: &'a Story,
}

impl Report<'_> {
    /// Prints everything and checks it.
    pub async fn print(&self) -> Result<(), DemoError> {
        self.verdict()?;
        self.money().await?;
        self.refund()?;
        show::heading("Reputation");
        for line in &self.story.reputations {
            show::note(line);
        }
        self.proof().await?;
        self.conservation().await
    }

    fn verdict(&self) -> Result<(), DemoError> {
        show::heading("Who won, who lost, and why");
        for (worker, outcome) in &self.story.outcomes {
            show::note(&format!("{:<20} {}", self.names.name(worker), describe(*outcome)));
        }
        for (index, participant) in WORKERS.iter().enumerate() {
            let account = participant.account()?;
            let outcome = self
                .story
                .outcomes
                .iter()
                .find(|(worker, _)| *worker == account)
                .map(|(_, outcome)| *outcome);
            let right = matches!(outcome, Some(Outcome::Right { confirmed: true }));
            check(right == participant.fault.is_none(), || {
                format!("worker {} ended as {outcome:?}", index + 1)
            })?;
        }
        check(self.story.attesters.len() == VERIFIERS.len(), || {
            "not every verifier attested".to_owned()
        })
    }

    async fn money(&self) -> Result<(), DemoError> {
        show::heading("Money");
        let after = Books::read(&self.client.finalised().await?).await?;
        let mut rows = vec![(PUBLISHER.name, PUBLISHER.account()?)];
        for participant in WORKERS.iter().chain(&VERIFIERS) {
            rows.push((participant.name, participant.account()?));
        }
        rows.push(("treasury", treasury_account()));
        show::note(&format!(
            "{:<20} {:>16} {:>16} {:>14}",
            "account", "before", "after", "change"
        ));
        for (name, account) in &rows {
            let (before, after) = (self.before.of(account), after.of(account));
            show::note(&format!(
                "{name:<20} {:>16} {:>16} {:>14}",
                show::amount(before),
                show::amount(after),
                show::change(before, after)
            ));
        }
        for payment in self.story.paid(self.story.task, Purpose::TaskReward) {
            let to = match &payment.payee {
                Payee::Account(account) => self.names.name(account),
                Payee::Treasury => "treasury".to_owned(),
                Payee::Burn => "burned".to_owned(),
            };
            show::note(&format!("of the reward: {:>14} {to}", show::amount(payment.amount)));
        }
        let bonds: Vec<_> = self.story.paid(self.story.task, Purpose::TaskBond).collect();
        for payment in &bonds {
            show::note(&format!(
                "bond cut:      {:>14} of {}",
                show::amount(payment.amount),
                self.names.name(&payment.from)
            ));
        }
        check(bonds.len() == 2, || format!("{} bonds were cut, not 2", bonds.len()))?;
        for participant in VERIFIERS {
            let account = participant.account()?;
            let paid = self.story.paid(self.story.task, Purpose::TaskReward);
            let paid: Balance = paid
                .filter(|one| matches!(&one.payee, Payee::Account(to) if *to == account))
                .map(|one| one.amount)
                .sum();
            check(paid > 0, || format!("{} was not paid", participant.name))?;
        }
        Ok(())
    }

    fn refund(&self) -> Result<(), DemoError> {
        show::heading("The task that nobody took");
        let task = self
            .story
            .lonely
            .ok_or_else(|| DemoError::Check("it was not published".to_owned()))?;
        let lost = self
            .story
            .payments
            .iter()
            .filter(|payment| payment.scope == Scope::Task(task))
            .count();
        check(lost == 0, || {
            format!("{lost} payments were made from what task {task} held")
        })?;
        show::note(&format!(
            "task {task}: reward, stake and fee went back to the publisher in full"
        ));
        Ok(())
    }

    async fn proof(&self) -> Result<(), DemoError> {
        show::heading("Proof");
        let (settled_in, claim, _) = self
            .story
            .settled
            .ok_or_else(|| DemoError::Check("the task was not settled".to_owned()))?;
        // The root of a block's results is in the headers after it.
        let mut blocks = self.client.follow_finalised(Some(settled_in + 1));
        let header = self.client.header(blocks.next().await?.block.hash).await?;
        let proof = self.client.result_proof(self.story.task, header.block.hash).await?;
        let verified =
            verify_result(&header, self.story.task, &proof).map_err(|error| DemoError::Check(error.to_string()))?;
        check(verified.leaf.claim == claim, || {
            "the proof is of another result".to_owned()
        })?;
        show::note(&format!(
            "header {} carries compute_root {:?}",
            header.block.number, verified.compute_root
        ));
        show::note(&format!(
            "{} hashes lead from the result to it: verified with that header alone",
            proof.items.len() + proof.siblings.len()
        ));
        let mut forged = proof;
        forged.leaf.job.0[0] ^= 1;
        check(verify_result(&header, self.story.task, &forged).is_err(), || {
            "a forged proof was accepted".to_owned()
        })?;
        show::note("the same proof with one bit of the job changed is refused");
        let task = self.story.task.to_string();
        show::say(indent(&self.publisher.text(&["verify", &task, "--check"]).await?).trim_end());
        show::say(indent(&self.publisher.text(&["result", &task]).await?).trim_end());
        Ok(())
    }

    async fn conservation(&self) -> Result<(), DemoError> {
        show::heading("Conservation");
        let after = Books::read(&self.client.finalised().await?).await?;
        let burned = self.story.burned();
        show::note(&format!(
            "all balances {} + burned {} = {} = issuance at start {}",
            show::amount(after.sum()),
            show::amount(burned),
            show::amount(after.sum() + burned),
            show::amount(self.before.issuance)
        ));
        check(after.sum() + burned == self.before.issuance, || {
            "money was made or lost".to_owned()
        })?;
        check(after.sum() == after.issuance, || {
            "the accounts do not add up to the issuance".to_owned()
        })?;
        check(burned > 0, || "nothing was burned".to_owned())
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("              {line}\n")).collect()
}
