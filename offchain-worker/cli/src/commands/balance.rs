//! `agora balance` and `agora transfer`

use crate::{
    args::{BalanceArgs, TransferArgs},
    context::Context,
    exit::CliError,
    output::answer,
    units::{Amount, name_of},
};
use agora_chain::calls;
use agora_primitives::money::{Purpose, Scope};
use serde::Serialize;
use std::fmt::Write;

#[derive(Serialize)]
struct Money {
    account: String,
    free: String,
    held: String,
    deposits: Vec<Held>,
}

#[derive(Serialize)]
struct Held {
    purpose: String,
    scope: String,
    amount: String,
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
        deposits: deposits
            .iter()
            .map(|deposit| Held {
                purpose: format!("{:?}", deposit.purpose),
                scope: format!("{:?}", deposit.scope),
                amount: deposit.amount.to_string(),
            })
            .collect(),
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

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::TaskReward => "reward",
        Purpose::PublisherStake => "publisher's stake",
        Purpose::PublicationFee => "publication fee",
        Purpose::RoleBond => "bond",
        Purpose::TaskBond => "worker's bond",
        Purpose::AppealBond => "attester's bond",
        Purpose::Prepaid => "prepaid",
        Purpose::Addresses => "addresses",
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
    let included = submitter.submit_finalised(&calls::transfer(to, args.amount.0)).await?;
    answer(
        context,
        &serde_json::json!({ "to": to.to_string(), "amount": args.amount.0.to_string(), "block": included.block.number }),
        |_| format!("Sent {} to {to} in block {}.", args.amount, included.block.number),
    );
    Ok(())
}
