//! `agora balance` and `agora transfer`

use crate::{
    args::{BalanceArgs, TransferArgs},
    context::Context,
    exit::CliError,
    output::{answer, not_final},
    units::{Amount, name_of},
};
use agora_chain::{BlockNumber, ChainError, calls, views::DepositView};
use agora_primitives::{
    TaskId,
    money::{Purpose, Scope},
    participants::Role,
};
use serde::Serialize;
use std::fmt::Write;

/// An account's money, in plancks.
#[derive(Serialize)]
pub struct Money {
    account: String,
    free: String,
    held: String,
    deposits: Vec<Held>,
}

/// Money that is set aside, in plancks.
#[derive(Serialize)]
pub struct Held {
    purpose: &'static str,
    /// What it belongs to, if that is a role.
    role: Option<Role>,
    /// What it belongs to, if that is a task.
    task: Option<TaskId>,
    amount: String,
}

impl From<&DepositView> for Held {
    fn from(deposit: &DepositView) -> Self {
        let (role, task) = match deposit.scope {
            Scope::Account => (None, None),
            Scope::Role(role) => (Some(role), None),
            Scope::Task(task) => (None, Some(task)),
        };
        Self {
            purpose: purpose_name(deposit.purpose),
            role,
            task,
            amount: deposit.amount.to_string(),
        }
    }
}

/// Money that was sent.
#[derive(Serialize)]
pub struct Sent {
    to: String,
    amount: String,
    block: BlockNumber,
    is_final: bool,
}

pub async fn run(context: &Context, args: BalanceArgs) -> Result<(), CliError> {
    let account = context.account(args.account.as_deref())?;
    let at = context.client().await?.best().await?;
    let balance = at.balance(&account).await?;
    let deposits = at.deposits(&account).await?;
    let money = Money {
        account: account.to_string(),
        free: balance.free.to_string(),
        held: balance.held.to_string(),
        deposits: deposits.iter().map(Held::from).collect(),
    };
    answer(context, &money, |money| {
        let mut text = format!(
            "{}\n  free  {}\n  held  {}",
            money.account,
            Amount(balance.free),
            Amount(balance.held)
        );
        for deposit in &deposits {
            // Writing to a string does not fail.
            let _ = write!(
                text,
                "\n    {} {}: {}",
                purpose(deposit.purpose),
                scope(deposit.scope),
                Amount(deposit.amount)
            );
        }
        text
    });
    Ok(())
}

/// The name of a purpose in documents.
pub const fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::TaskReward => "task-reward",
        Purpose::PublisherStake => "publisher-stake",
        Purpose::PublicationFee => "publication-fee",
        Purpose::RoleBond => "role-bond",
        Purpose::TaskBond => "task-bond",
        Purpose::AppealBond => "appeal-bond",
        Purpose::Prepaid => "prepaid",
        Purpose::Addresses => "addresses",
        Purpose::CourtBond => "court-bond",
        Purpose::ChallengeFee => "challenge-fee",
    }
}

pub fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::TaskReward => "reward",
        Purpose::PublisherStake => "publisher's stake",
        Purpose::PublicationFee => "publication fee",
        Purpose::RoleBond => "bond",
        Purpose::TaskBond => "worker's bond",
        Purpose::AppealBond => "attester's bond",
        Purpose::Prepaid => "prepaid",
        Purpose::Addresses => "addresses",
        Purpose::CourtBond => "bond in court",
        Purpose::ChallengeFee => "fee for a challenge",
    }
}

fn scope(scope: Scope) -> String {
    match scope {
        Scope::Account => "of the account".to_owned(),
        Scope::Role(role) => format!("as {}", name_of(&role)),
        Scope::Task(task) => format!("for task {task}"),
    }
}

pub async fn transfer(context: &Context, args: TransferArgs) -> Result<(), CliError> {
    let to = context.account(Some(&args.to))?;
    let submitter = context.submitter().await?;
    let call = calls::transfer(to, args.amount.0);
    // Asked first, because the runtime would refuse it without saying what is missing, and take the fee.
    let needed = args.amount.0.saturating_add(submitter.estimate(&call).await?);
    let spare = submitter.spare().await?;
    if needed > spare {
        let account = submitter.account().to_string();
        return Err(ChainError::CannotAfford { account, needed, spare }.into());
    }
    let included = submitter.submit_settled(&call).await?;
    let sent = Sent {
        to: to.to_string(),
        amount: args.amount.0.to_string(),
        block: included.block.number,
        is_final: included.is_final,
    };
    answer(context, &sent, |one| {
        let not_final = not_final(one.is_final);
        format!("Sent {} to {} in block {}{not_final}.", args.amount, one.to, one.block)
    });
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn examples() -> [serde_json::Value; 2] {
        let text = || "1".to_owned();
        let deposit = |scope| DepositView {
            purpose: Purpose::TaskBond,
            scope,
            amount: 1,
        };
        let scopes = [Scope::Account, Scope::Role(Role::Worker), Scope::Task(TaskId(7))];
        let money = Money {
            account: text(),
            free: text(),
            held: text(),
            deposits: scopes.map(|scope| Held::from(&deposit(scope))).into(),
        };
        let sent = Sent {
            to: text(),
            amount: text(),
            block: 1,
            is_final: true,
        };
        [serde_json::json!(money), serde_json::json!(sent)]
    }

    #[test]
    fn a_deposit_says_what_it_belongs_to_in_plain_words() {
        let [money, _] = examples();
        let deposits = money["deposits"].as_array().expect("they are a list");
        assert_eq!(deposits[1]["role"], "worker");
        assert_eq!(deposits[2]["task"], 7);
        assert_eq!(deposits[2]["purpose"], "task-bond");
    }
}
