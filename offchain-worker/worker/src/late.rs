//! Taking steps of tasks that the chain is late with, for which it pays: its agenda had no room or no time for them.

use crate::{Call, Chain, Due, WorkerError, told::Told};
use agora_chain::{AccountId, Balance, BlockNumber, BlockRef, ChainError, views::TaskView};
use agora_primitives::{TaskId, task::LATE_STEP_PARTS};

/// Only the first who takes a late step is paid, so those who could take turns over so many blocks.
const TURNS: BlockNumber = 16;

/// Takes the step of a task that the chain is late with at block `at`, if it is this account's turn and the pay is worth the
/// fee. It is tried once.
pub(crate) async fn take_step<C: Chain>(
    chain: &C,
    told: &Told,
    task: &TaskView,
    at: BlockRef,
) -> Result<(), WorkerError> {
    let our_turn = our_turn(task.late_from(), task.id, &chain.account());
    if our_turn.is_none_or(|ours| at.number < ours) || !told.is_new(matter(task.id), task.until) {
        return Ok(());
    }
    let call = Call::Advance(task.id);
    if chain.fee(call.clone()).await? > task.fee / Balance::from(LATE_STEP_PARTS) {
        return Ok(());
    }
    let due = Due {
        round: task.until,
        until: at.number.saturating_add(TURNS),
        decided_at: Some(at),
    };
    match chain.send(call, due).await {
        Ok(receipt) => {
            tracing::info!(task = %task.id, block = receipt.block.number, "Took a step that the chain was late with.");
        }
        Err(error @ (ChainError::Refused { .. } | ChainError::Failed(_))) => {
            tracing::debug!(task = %task.id, %error, "Somebody else took the step that the chain was late with.");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Forgets which steps of `task` were tried.
pub(crate) fn forget(told: &Told, task: TaskId) {
    told.is_over(matter(task));
}

fn matter(task: TaskId) -> String {
    format!("late step {task}")
}

/// The first block after which `account` takes the step of `task`, which is late from a block on.
fn our_turn(late_from: Option<BlockNumber>, task: TaskId, account: &AccountId) -> Option<BlockNumber> {
    late_from.map(|late_from| late_from.saturating_add(turn(task, account)))
}

/// How many blocks after it is late `account` takes a step of `task`: other accounts, and other tasks, have other turns.
fn turn(task: TaskId, account: &AccountId) -> BlockNumber {
    let mixed = account.0.iter().fold(task.0, |mixed, byte| {
        mixed
            .rotate_left(5)
            .wrapping_add(u64::from(*byte))
            .wrapping_mul(0x9e37_79b9)
    });
    (mixed >> 32) as BlockNumber % TURNS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn accounts_take_turns_and_not_the_same_one_first_each_time() {
        let turns = |task| (0..64u8).map(move |n| turn(TaskId(task), &AccountId([n; 32])));
        let (one, other): (Vec<_>, Vec<_>) = (turns(1).collect(), turns(2).collect());
        assert!(one.iter().all(|turn| *turn < TURNS));
        let different: BTreeSet<_> = one.iter().collect();
        assert!(different.len() > TURNS as usize / 2, "{one:?}");
        assert_ne!(one, other);
    }

    #[test]
    fn nobody_comes_before_a_step_is_late_or_when_the_task_is_over() {
        let (task, account) = (TaskId(1), AccountId([7; 32]));
        let ours = our_turn(Some(100), task, &account);
        assert_eq!(ours, Some(100 + turn(task, &account)));
        assert_eq!(our_turn(None, task, &account), None);
    }
}
