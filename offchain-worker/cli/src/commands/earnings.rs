//! `agora earnings`

mod ledger;

use crate::{args::EarningsArgs, context::Context, exit::CliError, output::answer, progress, units::Amount};
use agora_chain::{AccountId, BlockEvents, BlockNumber, ChainError, Client};
use agora_primitives::TaskId;
use futures::{StreamExt, TryStreamExt, stream};
use ledger::{Ledger, TaskEntry};
use serde::Serialize;
use std::fmt::Write;

/// How many blocks are read at the same time.
const READ_AT_ONCE: usize = 16;

/// What an account's tasks came to, by finalised blocks. Amounts are in plancks.
#[derive(Serialize)]
pub struct Earnings {
    account: String,
    /// The first and the last block that was read.
    from: BlockNumber,
    to: BlockNumber,
    tasks: Vec<TaskEntry>,
    earned: String,
    lost: String,
    /// What was paid of what the account had published.
    spent: String,
    /// Transaction fees, which are not told by task.
    transaction_fees: String,
    /// What it all comes to; negative: a loss.
    net: String,
}

pub async fn run(context: &Context, args: EarningsArgs) -> Result<(), CliError> {
    let account = context.account(args.account.as_deref())?;
    let client = context.client().await?;
    let finalised = client.finalised().await?;
    let last = finalised.block.number;
    let only = args.task.map(TaskId);
    let published = match only {
        Some(id) => finalised.task(id).await?.map(|task| task.published_at),
        None => None,
    };
    let first = published
        .unwrap_or_else(|| (last + 1).saturating_sub(args.since))
        .max(1);
    let blocks = read(context, &client, first, last).await?;
    let mut ledger = Ledger::new(account);
    blocks.iter().for_each(|block| ledger.read(block));
    let earnings = summary(&account, (first, last), ledger, only);
    answer(context, &earnings, describe);
    Ok(())
}

/// The finalised blocks from `first` to `last`, in order.
async fn read(
    context: &Context,
    client: &Client,
    first: BlockNumber,
    last: BlockNumber,
) -> Result<Vec<BlockEvents>, CliError> {
    let count = u64::from(last.saturating_sub(first)) + 1;
    let bar = progress::bar(context, "reading finalised blocks", count);
    let bar = &bar;
    let one = |number: BlockNumber| async move {
        let at = client.at_number(number).await?;
        let events = at.block_events().await?;
        bar.step();
        Ok::<_, ChainError>(events)
    };
    let read = stream::iter(first..=last)
        .map(one)
        .buffered(READ_AT_ONCE)
        .try_collect()
        .await;
    Ok(read.map_err(|error| match error {
        ChainError::Node(reason) => ChainError::Node(format!(
            "{reason}; if it has dropped the state of old blocks, give a smaller --since or an archive node"
        )),
        other => other,
    })?)
}

fn summary(
    account: &AccountId,
    (from, to): (BlockNumber, BlockNumber),
    ledger: Ledger,
    only: Option<TaskId>,
) -> Earnings {
    let fees = ledger.fees;
    let tasks: Vec<_> = ledger
        .into_entries()
        .filter(|entry| only.is_none_or(|only| entry.task == only))
        .collect();
    let total = |of: fn(&TaskEntry) -> u128| tasks.iter().map(of).fold(0, u128::saturating_add);
    let (earned, lost, spent) = (
        total(TaskEntry::earned),
        total(TaskEntry::lost),
        total(TaskEntry::spent),
    );
    let out = lost.saturating_add(spent).saturating_add(fees);
    Earnings {
        account: account.to_string(),
        from,
        to,
        earned: earned.to_string(),
        lost: lost.to_string(),
        spent: spent.to_string(),
        transaction_fees: fees.to_string(),
        net: signed(earned, out),
        tasks,
    }
}

/// `more` less `less`, which may be negative.
fn signed(more: u128, less: u128) -> String {
    match more.checked_sub(less) {
        Some(gain) => gain.to_string(),
        None => format!("-{}", less - more),
    }
}

/// Plancks as text, in units.
fn units(plancks: &str) -> String {
    match plancks.strip_prefix('-') {
        Some(loss) => format!("-{}", Amount(loss.parse().unwrap_or_default())),
        None => Amount(plancks.parse().unwrap_or_default()).to_string(),
    }
}

fn describe(earnings: &Earnings) -> String {
    let mut text = format!(
        "{}, finalised blocks {} to {}\n{:>8}  {:<10} {:>16} {:>16} {:>16}  why",
        earnings.account, earnings.from, earnings.to, "task", "part", "earned", "lost", "spent"
    );
    for task in &earnings.tasks {
        // Writing to a string does not fail.
        let _ = write!(text, "\n{task}");
    }
    let totals = [
        ("earned", &earnings.earned),
        ("lost", &earnings.lost),
        ("spent", &earnings.spent),
        ("fees", &earnings.transaction_fees),
        ("net", &earnings.net),
    ];
    for (name, amount) in totals {
        let _ = write!(text, "\n{name:<8}{:>20}", units(amount));
    }
    text
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn example() -> Earnings {
        let text = || "1".to_owned();
        Earnings {
            account: text(),
            from: 1,
            to: 2,
            tasks: vec![ledger::tests::example()],
            earned: text(),
            lost: text(),
            spent: text(),
            transaction_fees: text(),
            net: "-1500000000000".to_owned(),
        }
    }

    #[test]
    fn a_loss_is_written_with_its_sign() {
        assert_eq!(
            (signed(3, 1), signed(1, 3), signed(2, 2)),
            ("2".to_owned(), "-2".to_owned(), "0".to_owned())
        );
        let text = describe(&example());
        assert!(text.contains("net") && text.contains("-1.5"), "{text}");
    }
}
