//! What a task earns and costs a worker, and what it has lost lately.

use agora_chain::{
    Balance,
    views::{TaskView, TermsView},
};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// A whole, in parts per million.
const WHOLE: Balance = 1_000_000;
/// What a call is taken to cost before one was paid for: a hundredth of a unit, several times what it costs on an idle
/// chain.
const FIRST_FEE: Balance = 10_000_000_000;
/// What is left on the account at least: below it, an account ceases to exist.
const KEPT: Balance = 1_000_000_000;
/// Fees may rise by this factor between accepting and revealing.
const FEES_MAY_RISE: Balance = 3;

/// What power costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Power {
    /// Plancks per kilowatt-hour.
    pub price_per_kwh: Balance,
    /// What a device takes while it computes, in watts.
    pub watts: u32,
}

impl Power {
    /// It costs nothing.
    pub const FREE: Self = Self {
        price_per_kwh: 0,
        watts: 0,
    };

    /// What computing for so long costs, in plancks, rounded up.
    pub(super) fn costs(&self, computing: Duration) -> Balance {
        // Watts × milliseconds in a kilowatt-hour.
        const KWH: Balance = 1000 * 3_600_000;
        let used = Balance::from(self.watts).saturating_mul(computing.as_millis());
        self.price_per_kwh.saturating_mul(used).div_ceil(KWH)
    }
}

/// The least that a right result brings, in plancks: the share of an answer that is right and not the best, where as many
/// others are right as there can be. A job whose inputs are unusable is paid from the stake.
pub(super) fn least_share(terms: &TermsView, task: &TaskView, is_usable: Usable) -> Balance {
    let pot = match is_usable {
        Usable::Yes => task.reward,
        Usable::No => task.stake,
    };
    let workers = part(pot, terms.worker);
    // The right answers of earlier rounds are paid too.
    let most = match task.round {
        0 => task.wanted,
        _ => terms.max_replicas.max(task.wanted),
    };
    match Balance::from(most).checked_sub(1) {
        None | Some(0) => workers,
        Some(others) => part(workers, WHOLE.saturating_sub(terms.best_share.into()) as u32) / others,
    }
}

fn part(whole: Balance, per_million: u32) -> Balance {
    whole.saturating_mul(per_million.into()) / WHOLE
}

/// Whether a job can be computed from its inputs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Usable {
    /// It has an output.
    Yes,
    /// It has none, and that is its result.
    No,
}

/// What calls cost, as last paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fees {
    pub accept: Balance,
    pub commit: Balance,
    pub reveal: Balance,
}

impl Default for Fees {
    fn default() -> Self {
        Self {
            accept: FIRST_FEE,
            commit: FIRST_FEE,
            reveal: FIRST_FEE,
        }
    }
}

impl Fees {
    /// Of all three calls.
    pub fn of_a_task(&self) -> Balance {
        self.accept.saturating_add(self.of_the_rest())
    }

    /// Of committing and revealing.
    fn of_the_rest(&self) -> Balance {
        self.commit.saturating_add(self.reveal)
    }

    /// Whether `free` pays for a new task's `bond`, and afterwards still for committing and revealing it and the
    /// `unrevealed` tasks before it.
    pub fn are_affordable(&self, free: Balance, bond: Balance, unrevealed: usize) -> bool {
        let tasks = Balance::try_from(unrevealed).unwrap_or(Balance::MAX).saturating_add(1);
        let later = self.of_the_rest().saturating_mul(tasks).saturating_mul(FEES_MAY_RISE);
        let needed = bond
            .saturating_add(self.accept)
            .saturating_add(later)
            .saturating_add(KEPT);
        free >= needed
    }
}

/// What was lost, and when.
#[derive(Default)]
pub(super) struct Losses(VecDeque<(Instant, Balance)>);

impl Losses {
    /// Something was lost.
    pub fn add(&mut self, now: Instant, amount: Balance) {
        if amount > 0 {
            self.0.push_back((now, amount));
        }
    }

    /// What was lost in the last `period`. What is older is forgotten.
    pub fn within(&mut self, now: Instant, period: Duration) -> Balance {
        while self
            .0
            .front()
            .is_some_and(|(at, _)| now.saturating_duration_since(*at) > period)
        {
            self.0.pop_front();
        }
        self.0.iter().fold(0, |sum, (_, amount)| sum.saturating_add(*amount))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::policy::tests::task;

    const BURN: TermsView = TermsView {
        worker: 250_000,
        best_share: 700_000,
        max_replicas: 9,
    };

    #[test]
    fn a_worker_counts_on_the_share_of_an_answer_that_is_not_the_best() {
        let task = TaskView {
            reward: 10_000,
            stake: 5_000,
            wanted: 5,
            ..task(1)
        };
        // 25 % to workers; 30 % of that to four others.
        assert_eq!(least_share(&BURN, &task, Usable::Yes), 187);
        assert_eq!(least_share(&BURN, &task, Usable::No), 93);
        let alone = TaskView {
            wanted: 1,
            ..task.clone()
        };
        assert_eq!(least_share(&BURN, &alone, Usable::Yes), 2500);
        let later = TaskView {
            round: 1,
            wanted: 1,
            ..task
        };
        assert_eq!(least_share(&BURN, &later, Usable::Yes), 93, "eight others may be right");
    }

    #[test]
    fn the_least_share_is_never_more_than_what_the_chain_pays() {
        // Restates the division of `pallet_agora_rewards::plan` for answers that are not the best.
        for wanted in 1..20u32 {
            for reward in [1u128, 999, 123_456_789] {
                let task = TaskView {
                    reward,
                    wanted,
                    ..task(1)
                };
                let workers = reward * 25 / 100;
                for right in 1..=u128::from(wanted) {
                    let paid = match right - 1 {
                        0 => workers,
                        n => workers * 300_000 / (700_000 * n + 300_000 * n),
                    };
                    let expected = least_share(&BURN, &task, Usable::Yes);
                    assert!(
                        expected <= paid,
                        "{expected} > {paid} with {right} of {wanted}, {reward}"
                    );
                }
            }
        }
    }

    #[test]
    fn power_costs_what_the_meter_says() {
        let power = Power {
            price_per_kwh: 300,
            watts: 500,
        };
        assert_eq!(power.costs(Duration::from_secs(7200)), 300);
        assert_eq!(power.costs(Duration::from_millis(1)), 1, "rounded up");
        assert_eq!(power.costs(Duration::ZERO), 0);
        assert_eq!(Power::FREE.costs(Duration::from_secs(7200)), 0);
    }

    #[test]
    fn a_task_is_affordable_if_it_and_those_before_it_can_be_ended() {
        let fees = Fees {
            accept: 1,
            commit: 10,
            reveal: 100,
        };
        let needed = |unrevealed: Balance| 5000 + 1 + 110 * 3 * (unrevealed + 1) + KEPT;
        for unrevealed in [0, 1, 7] {
            let needed = needed(unrevealed);
            assert!(fees.are_affordable(needed, 5000, unrevealed as usize));
            assert!(!fees.are_affordable(needed - 1, 5000, unrevealed as usize));
        }
        assert!(!fees.are_affordable(Balance::MAX - 1, Balance::MAX, usize::MAX));
    }

    #[test]
    fn losses_count_for_a_while() {
        let mut losses = Losses::default();
        let (now, day) = (Instant::now(), Duration::from_secs(86_400));
        losses.add(now, 5);
        losses.add(now + day / 2, 7);
        assert_eq!(losses.within(now + day / 2, day), 12);
        assert_eq!(losses.within(now + day * 5 / 4, day), 7);
    }
}
