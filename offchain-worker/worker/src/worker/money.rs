//! What a task earns and costs a worker.

use agora_chain::{
    Balance, BlockNumber,
    views::{TaskView, TermsView},
};
use agora_primitives::{job::JobSource, judging::JudgeRule};
use std::time::Duration;

/// A whole, in parts per million.
const WHOLE: Balance = 1_000_000;
/// What a call is taken to cost before one was paid for: a hundredth of a unit, several times what it costs on an idle
/// chain.
const FIRST_FEE: Balance = 10_000_000_000;
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
/// others are right as there can be: in all rounds before a result is chosen, and in a fresh one after an appeal. A job
/// whose inputs are unusable is paid from the stake.
pub(super) fn least_share(terms: &TermsView, task: &TaskView, is_usable: Usable) -> Balance {
    let pot = match is_usable {
        Usable::Yes => task.reward,
        Usable::No => task.stake,
    };
    let workers = part(pot, terms.worker);
    // A later round may want half as many as the first one.
    let first_round = match task.round {
        0 => task.wanted,
        _ => task.wanted.saturating_mul(2).min(terms.max_replicas).max(task.wanted),
    };
    let most = terms.max_replicas.max(first_round).saturating_add(first_round);
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

/// What calls cost, as the node said lately or as last paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fees {
    pub accept: Balance,
    pub commit: Balance,
    pub reveal: Balance,
    /// Of a reveal with evidence, without the evidence.
    pub exact: Balance,
    /// Of each KiB of evidence.
    pub kib: Balance,
    pub heartbeat: Balance,
}

/// What an account must pay for until the tasks in hand and one more have ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Outlay {
    /// Bonds that are not taken yet, in plancks.
    pub bonds: Balance,
    /// How many tasks have to be committed to and revealed.
    pub tasks: usize,
    /// What revealing the dearest of them costs, in plancks.
    pub reveal: Balance,
    /// How many heartbeats come meanwhile.
    pub heartbeats: BlockNumber,
    /// What must stay on the account, in plancks.
    pub kept: Balance,
}

impl Default for Fees {
    fn default() -> Self {
        Self {
            accept: FIRST_FEE,
            commit: FIRST_FEE,
            reveal: FIRST_FEE,
            exact: FIRST_FEE,
            kib: FIRST_FEE,
            heartbeat: FIRST_FEE,
        }
    }
}

impl Fees {
    /// Of all three calls.
    pub fn of_a_task(&self, task: &TaskView) -> Balance {
        self.accept
            .saturating_add(self.commit)
            .saturating_add(self.of_revealing(task))
    }

    /// Of revealing: what the chain computes itself is revealed with the inputs of the job, in a call that weighs more.
    pub fn of_revealing(&self, task: &TaskView) -> Balance {
        match (task.judge, &task.job) {
            (JudgeRule::Exact, JobSource::Inline(spec)) => {
                let evidence = Balance::from(spec.input_bytes().div_ceil(1024));
                self.exact.saturating_add(self.kib.saturating_mul(evidence))
            }
            // The chain computes nothing that is stored elsewhere.
            (JudgeRule::Exact, JobSource::Stored(_)) | (JudgeRule::Replication { .. }, _) => self.reveal,
        }
    }

    /// What must be free for all that, in plancks.
    pub fn needed(&self, outlay: Outlay) -> Balance {
        let tasks = Balance::try_from(outlay.tasks).unwrap_or(Balance::MAX);
        let heartbeats = self.heartbeat.saturating_mul(outlay.heartbeats.into());
        let of_the_rest = self.commit.saturating_add(outlay.reveal);
        let later = of_the_rest.saturating_mul(tasks).saturating_add(heartbeats);
        outlay
            .bonds
            .saturating_add(self.accept)
            .saturating_add(later.saturating_mul(FEES_MAY_RISE))
            .saturating_add(outlay.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::policy::tests::task;
    use agora_primitives::job::{BlobRef, JobKind, JobSpec, MatmulJob};

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
        // 25 % to workers; 30 % of that to 9 + 5 − 1 others.
        assert_eq!(least_share(&BURN, &task, Usable::Yes), 750 / 13);
        assert_eq!(least_share(&BURN, &task, Usable::No), 375 / 13);
        let later = TaskView {
            round: 1,
            wanted: 3,
            ..task.clone()
        };
        assert_eq!(
            least_share(&BURN, &later, Usable::Yes),
            750 / 14,
            "the first round may have been one of six"
        );
        let alone = TermsView {
            max_replicas: 1,
            ..BURN
        };
        let one = TaskView { wanted: 1, ..task };
        assert_eq!(
            least_share(&alone, &one, Usable::Yes),
            750,
            "an appeal draws another one"
        );
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
                // All before the appeal, and a fresh round after it.
                for right in 1..=u128::from(BURN.max_replicas.max(wanted) + wanted) {
                    let paid = match right - 1 {
                        0 => workers,
                        n => workers * 300_000 / (700_000 * n + 300_000 * n),
                    };
                    let expected = least_share(&BURN, &task, Usable::Yes);
                    assert!(
                        expected <= paid,
                        "{expected} > {paid} with {right}, {wanted} wanted, {reward}"
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
    fn what_is_needed_pays_for_the_bonds_all_calls_to_come_and_the_life_of_the_account() {
        let outlay = Outlay {
            bonds: 5000,
            tasks: 3,
            reveal: 100,
            heartbeats: 4,
            kept: 77,
        };
        assert_eq!(FEES.needed(outlay), 5000 + 1 + (110 * 3 + 4000) * 3 + 77);
        let endless = Outlay {
            bonds: Balance::MAX,
            tasks: usize::MAX,
            ..outlay
        };
        assert_eq!(FEES.needed(endless), Balance::MAX);
    }

    const FEES: Fees = Fees {
        accept: 1,
        commit: 10,
        reveal: 100,
        exact: 10_000,
        kib: 100_000,
        heartbeat: 1000,
    };

    #[test]
    fn what_the_chain_computes_costs_its_evidence_too() {
        let ordinary = task(1);
        assert_eq!(FEES.of_a_task(&ordinary), 111);
        let exact = |job| TaskView {
            judge: JudgeRule::Exact,
            job,
            ..task(1)
        };
        assert_eq!(FEES.of_a_task(&exact(ordinary.job.clone())), 10_011, "it has no inputs");
        let blob = |size| BlobRef {
            size,
            ..BlobRef::to(&[])
        };
        let job = MatmulJob {
            matrix: blob(1024),
            columns: 1,
            first_row: 0,
            rows: 1,
            input: blob(1),
            vectors: 1,
        };
        let job = JobSource::Inline(JobSpec::V2(JobKind::Matmul(job)));
        assert_eq!(FEES.of_a_task(&exact(job.clone())), 210_011, "2 KiB, rounded up");
        assert_eq!(FEES.of_a_task(&TaskView { job, ..ordinary }), 111);
    }
}
