//! `agora publish --dry-run`

use crate::{context::Context, exit::CliError, output::answer, units::Amount};
use agora_chain::{AtBlock, Balance, Payload, Quote, Submitter};
use agora_primitives::{ClassId, task::Difficulty};
use serde::Serialize;

/// What publishing would hold and cost, in plancks.
#[derive(Serialize)]
pub struct Quoted {
    account: String,
    class: ClassId,
    reward: String,
    stake: String,
    fee: String,
    /// Reward, stake and fee: what is held until the task ends.
    held: String,
    /// The fee of the transaction, which is gone whatever becomes of the task.
    transaction_fee: String,
    /// The least that an account must keep.
    existential_deposit: String,
    /// What the account has at its disposal.
    free: String,
    suffices: bool,
    /// What is missing; zero if it suffices.
    missing: String,
    /// What is probably not meant.
    warnings: Vec<String>,
}

/// Shows what `call`, a publication with these terms and `warnings`, would hold and cost.
///
/// Errors: the balance does not suffice.
pub async fn show(
    context: &Context,
    submitter: &Submitter,
    (at, class, difficulty, reward): (&AtBlock, ClassId, Difficulty, Balance),
    call: &impl Payload,
    warnings: Vec<String>,
) -> Result<(), CliError> {
    let quote = at.quote(class, reward, difficulty).await?;
    let fee = submitter.estimate(call).await?;
    let free = at.balance(submitter.account()).await?.free;
    let missing = missing(&quote, fee, at.existential_deposit()?, free)?;
    let quoted = Quoted {
        account: submitter.account().to_string(),
        class,
        reward: quote.reward.to_string(),
        stake: quote.stake.to_string(),
        fee: quote.fee.to_string(),
        held: quote.held().unwrap_or(Balance::MAX).to_string(),
        transaction_fee: fee.to_string(),
        existential_deposit: at.existential_deposit()?.to_string(),
        free: free.to_string(),
        suffices: missing == 0,
        missing: missing.to_string(),
        warnings,
    };
    answer(context, &quoted, |_| {
        format!(
            "Publishing would hold, until the task has ended:\n  reward           {}\n  stake            {} (returned)\n  \
             fee              {}\nand cost:\n  transaction fee  {}\nThe account has {}{}.",
            Amount(quote.reward),
            Amount(quote.stake),
            Amount(quote.fee),
            Amount(fee),
            Amount(free),
            if missing == 0 {
                ", which suffices"
            } else {
                ", which does not suffice"
            }
        )
    });
    match missing {
        0 => Ok(()),
        missing => Err(CliError::WouldBeRefused(format!(
            "{} more is needed, or a smaller --reward or --difficulty",
            Amount(missing)
        ))),
    }
}

/// What an account lacks for a publication.
fn missing(quote: &Quote, fee: Balance, deposit: Balance, free: Balance) -> Result<Balance, CliError> {
    let needed = quote
        .held()
        .and_then(|held| held.checked_add(fee)?.checked_add(deposit));
    let needed = needed.ok_or_else(|| CliError::Usage("the reward is larger than an amount can be".to_owned()))?;
    Ok(needed.saturating_sub(free))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn example() -> Quoted {
        let text = || "1".to_owned();
        Quoted {
            account: text(),
            class: ClassId(1),
            reward: text(),
            stake: text(),
            fee: text(),
            held: text(),
            transaction_fee: text(),
            existential_deposit: text(),
            free: text(),
            suffices: true,
            missing: text(),
            warnings: vec![text()],
        }
    }

    #[test]
    fn what_is_missing_counts_all_that_is_held_the_fee_and_what_an_account_keeps() {
        let quote = Quote {
            reward: 100,
            stake: 50,
            fee: 5,
            bond: 20,
        };
        let missing = |free| missing(&quote, 3, 2, free).expect("it fits");
        assert_eq!((missing(160), missing(159), missing(0), missing(1000)), (0, 1, 160, 0));
        let huge = Quote {
            reward: Balance::MAX,
            ..quote
        };
        assert!(super::missing(&huge, 0, 0, 0).is_err());
    }
}
