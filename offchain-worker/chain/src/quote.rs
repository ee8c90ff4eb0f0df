//! What publishing a task costs, before it is done.

use crate::{AccountId, AtBlock, Balance, ChainError, api::api};
use agora_primitives::{ClassId, Reference, TaskId, task::Difficulty};
use subxt::utils::Static;

/// One, in the unit of the rates of a class.
const MILLION: Balance = 1_000_000;

/// What is held of a publisher for a task, and the bond of each of its workers. In plancks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quote {
    /// What those who do it right divide.
    pub reward: Balance,
    /// The publisher's stake, which is given back unless the input is unusable.
    pub stake: Balance,
    /// The publication fee.
    pub fee: Balance,
    /// Each worker's bond.
    pub bond: Balance,
}

impl Quote {
    /// All that is held of the publisher; `None` if it overflows.
    pub fn held(&self) -> Option<Balance> {
        self.reward.checked_add(self.stake)?.checked_add(self.fee)
    }
}

/// `rate` millionths of `amount`, rounded down, as the runtime does it.
fn part(amount: Balance, rate: u32) -> Balance {
    let rate = Balance::from(rate).min(MILLION);
    // Neither product overflows: the first is at most `amount`, the second below a million squared.
    (amount / MILLION) * rate + (amount % MILLION) * rate / MILLION
}

impl AtBlock {
    /// What a task of `class` costs with this `reward` and `difficulty`.
    ///
    /// Errors: `NotFound`: there is no such class, or an amount overflows.
    pub async fn quote(&self, class: ClassId, reward: Balance, difficulty: Difficulty) -> Result<Quote, ChainError> {
        let address = api::storage().tasks().classes();
        let entry = self.at.storage().try_fetch(address, (Static(class),)).await?;
        let entry = entry.ok_or_else(|| ChainError::NotFound(format!("the chain has no task class {class}")))?;
        let class = entry.decode()?;
        let fee = difficulty.scale(&class.publication_fee).ok_or_else(|| {
            ChainError::NotFound("the fee is larger than an amount can be; give a smaller difficulty".to_owned())
        })?;
        Ok(Quote {
            reward,
            stake: part(reward, class.stake_rate.0),
            fee,
            bond: part(reward, class.bond_rate.0),
        })
    }

    /// The task that `publisher` calls `reference`; `None`: the chain knows none (any more).
    pub async fn task_of(&self, publisher: &AccountId, reference: Reference) -> Result<Option<TaskId>, ChainError> {
        let address = api::storage().tasks().references();
        let entry = self.at.storage().try_fetch(address, (*publisher, reference)).await?;
        let task = entry.map(|entry| entry.decode()).transpose()?;
        Ok(task.map(|Static(task)| task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_rounded_down_and_never_overflow() {
        assert_eq!(part(999_999, 500_000), 499_999);
        assert_eq!(part(1, 999_999), 0);
        assert_eq!(part(3_000_001, 1_000_000), 3_000_001);
        assert_eq!(part(u128::MAX, 1_000_000), u128::MAX);
        assert_eq!(part(7, u32::MAX), 7, "no rate is above one");
    }

    #[test]
    fn what_is_held_is_all_three_or_nothing() {
        let quote = |reward| Quote {
            reward,
            stake: 2,
            fee: 3,
            bond: 50,
        };
        assert_eq!(quote(1).held(), Some(6));
        assert_eq!(quote(u128::MAX).held(), None);
    }
}
