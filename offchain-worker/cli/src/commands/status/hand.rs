//! The tasks that an account has in hand, and what is due.

use crate::exit::CliError;
use agora_chain::{
    AccountId, AtBlock, BlockNumber,
    views::{ContributionState, DepositView, TaskView},
};
use agora_primitives::{
    TaskId,
    money::{Purpose, Scope},
    task::Phase,
};
use serde::Serialize;
use std::fmt;

/// Nothing is to be done now.
const WAIT: &str = "wait";

/// A task in which money of the account is held.
#[derive(Serialize)]
pub struct InHand {
    task: TaskId,
    /// As what the account is in it: `worker`, `verifier` or `publisher`.
    part: &'static str,
    status: Phase,
    /// What is to be done next: `compute`, `commit`, `reveal`, or `wait`.
    due: &'static str,
    /// The last block for it.
    until: BlockNumber,
    /// How many blocks are left.
    blocks_left: BlockNumber,
}

impl fmt::Display for InHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            task,
            part,
            status,
            due,
            until,
            blocks_left,
        } = self;
        write!(f, "{task} as {part}, {status}: ")?;
        if *due == WAIT {
            return write!(
                f,
                "nothing to do; the phase ends by block {until}, in {blocks_left} blocks"
            );
        }
        write!(f, "{due} by block {until}, {blocks_left} blocks left")
    }
}

/// The tasks in hand, the most urgent first.
pub async fn tasks(at: &AtBlock, account: &AccountId, deposits: &[DepositView]) -> Result<Vec<InHand>, CliError> {
    let mut found = Vec::new();
    for deposit in deposits {
        let (Scope::Task(id), Some(part)) = (deposit.scope, part(deposit.purpose)) else {
            continue;
        };
        let Some(task) = at.task(id).await? else { continue };
        let contribution = match part {
            "worker" => at.contribution(id, account).await?,
            _ => None,
        };
        let state = contribution.map(|contribution| contribution.state);
        let until = until(&task, state, at.block.number);
        found.push(InHand {
            task: id,
            part,
            status: task.phase,
            due: due(&task, state, at.block.number),
            until,
            blocks_left: until.saturating_sub(at.block.number),
        });
    }
    found.sort_by_key(|task| (task.due == WAIT, task.until, task.task));
    Ok(found)
}

/// As what an account is in a task for which money of it is held for this purpose. One purpose for each part.
const fn part(purpose: Purpose) -> Option<&'static str> {
    match purpose {
        Purpose::TaskBond => Some("worker"),
        Purpose::AppealBond => Some("verifier"),
        Purpose::TaskReward => Some("publisher"),
        _ => None,
    }
}

/// What a worker has to do next in the block after `now`.
fn due(task: &TaskView, state: Option<ContributionState>, now: BlockNumber) -> &'static str {
    match (state, task.phase) {
        (Some(ContributionState::Accepted { commit_from, .. }), Phase::Open | Phase::Working) if now < commit_from => {
            "compute"
        }
        (Some(ContributionState::Accepted { .. }), Phase::Open | Phase::Working) => "commit",
        (Some(ContributionState::Committed { .. }), Phase::Revealing) => "reveal",
        _ => WAIT,
    }
}

/// The last block for it: while its slot is a worker's own, that in which it ceases to be.
fn until(task: &TaskView, state: Option<ContributionState>, now: BlockNumber) -> BlockNumber {
    match state {
        Some(ContributionState::Accepted { commit_by, .. }) if now < commit_by => commit_by.min(task.until),
        _ => task.until,
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::commands::tasks::tests::example as task;

    pub fn example() -> InHand {
        InHand {
            task: TaskId(7),
            part: "worker",
            status: Phase::Working,
            due: "commit",
            until: 110,
            blocks_left: 10,
        }
    }

    #[test]
    fn what_is_due_follows_from_how_far_worker_and_task_are() {
        let accepted = || {
            Some(ContributionState::Accepted {
                commit_from: 20,
                commit_by: 60,
            })
        };
        let committed = || {
            Some(ContributionState::Committed {
                commitment: [1; 32].into(),
                at: 30,
            })
        };
        let in_phase = |phase| TaskView { phase, ..task() };
        assert_eq!(due(&in_phase(Phase::Working), accepted(), 19), "compute");
        assert_eq!(due(&in_phase(Phase::Working), accepted(), 20), "commit");
        assert_eq!(due(&in_phase(Phase::Working), committed(), 40), "wait");
        assert_eq!(due(&in_phase(Phase::Revealing), committed(), 40), "reveal");
        assert_eq!(due(&in_phase(Phase::Revealing), accepted(), 40), "wait");
        assert_eq!(due(&in_phase(Phase::Appealable), None, 40), "wait");
        let replaced = Some(ContributionState::Replaced);
        assert_eq!(due(&in_phase(Phase::Working), replaced, 40), "wait");
        assert_eq!(until(&task(), accepted(), 59), 60, "then others may take the slot");
        assert_eq!(until(&task(), accepted(), 60), 110, "nobody has taken it");
        assert_eq!(until(&task(), committed(), 30), 110);
    }

    #[test]
    fn the_line_says_what_and_by_when() {
        assert_eq!(
            example().to_string(),
            "7 as worker, working: commit by block 110, 10 blocks left"
        );
    }
}
