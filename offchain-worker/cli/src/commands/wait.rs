//! `agora wait`

use crate::{
    args::{WaitArgs, WaitFor},
    context::Context,
    exit::CliError,
    output::answer,
    progress,
};
use agora_chain::{BlockNumber, Client, views::TaskView};
use agora_primitives::{TaskId, task::Phase};
use serde::Serialize;
use std::time::Duration;

/// Where the task was when the waiting ended.
#[derive(Serialize)]
pub struct Reached {
    task: TaskId,
    status: Phase,
    /// The block after which it was there.
    block: BlockNumber,
}

pub async fn run(context: &Context, args: WaitArgs) -> Result<(), CliError> {
    let client = context.client().await?;
    let waiting = wait(context, &client, &args);
    let reached = match args.timeout {
        None => waiting.await?,
        Some(seconds) => tokio::time::timeout(Duration::from_secs(seconds), waiting)
            .await
            .unwrap_or_else(|_| {
                Err(CliError::NotInTime(format!(
                    "task {} did not come so far within {seconds} s; `agora task {}` shows where it is",
                    args.task, args.task
                )))
            })?,
    };
    answer(context, &reached, |one| {
        format!("Task {} is {} in block {}.", one.task, one.status, one.block)
    });
    Ok(())
}

async fn wait(context: &Context, client: &Client, args: &WaitArgs) -> Result<Reached, CliError> {
    let id = TaskId(args.task);
    let shown = progress::spinner(context, &format!("task {id}"));
    // What can be undone by a re-org is no end.
    let mut blocks = match args.until {
        WaitFor::Settled | WaitFor::Ended => client.follow_finalised(None),
        WaitFor::Accepted | WaitFor::Revealed => client.follow_best(),
    };
    let mut at = match args.until {
        WaitFor::Settled | WaitFor::Ended => client.finalised().await?,
        WaitFor::Accepted | WaitFor::Revealed => client.best().await?,
    };
    let mut published = false;
    loop {
        let task = at.task(id).await?;
        let known = match &task {
            Some(task) => Some(task),
            None if published => return Err(forgotten(id)),
            // It may be in a block that is not finalised yet.
            None => {
                if client.best().await?.task(id).await?.is_none() {
                    return Err(forgotten(id));
                }
                None
            }
        };
        if let Some(task) = known {
            published = true;
            shown.say(format!("task {id}: {}", task.phase));
            if has_come(args.until, task)? {
                return Ok(Reached {
                    task: id,
                    status: task.phase,
                    block: at.block.number,
                });
            }
        }
        at = client.at(blocks.next().await?.block.hash).await?;
    }
}

fn forgotten(id: TaskId) -> CliError {
    CliError::NotFound(format!(
        "the chain does not know task {id}; it was never published, or has ended so long ago that it is forgotten"
    ))
}

/// Whether `task` has come so far.
///
/// Errors: it never will.
fn has_come(until: WaitFor, task: &TaskView) -> Result<bool, CliError> {
    let phase = task.phase;
    let there = match until {
        WaitFor::Accepted => task.accepted >= task.wanted && task.wanted > 0 || is_past_working(phase),
        WaitFor::Revealed => matches!(phase, Phase::Judging | Phase::Appealable | Phase::Settled),
        WaitFor::Settled => phase == Phase::Settled,
        WaitFor::Ended => phase.is_finished(),
    };
    if !there && phase.is_finished() {
        return Err(CliError::NeverWillBe(format!(
            "task {} is {phase}: that is its end",
            task.id
        )));
    }
    Ok(there)
}

const fn is_past_working(phase: Phase) -> bool {
    matches!(
        phase,
        Phase::Revealing | Phase::Judging | Phase::Appealable | Phase::Settled
    )
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::commands::tasks::tests::example as task;

    pub fn example() -> Reached {
        Reached {
            task: TaskId(7),
            status: Phase::Settled,
            block: 12,
        }
    }

    fn outcome(until: WaitFor, phase: Phase, accepted: u32) -> Result<bool, u8> {
        let task = TaskView {
            phase,
            accepted,
            ..task()
        };
        has_come(until, &task).map_err(|error| error.code())
    }

    #[test]
    fn each_goal_is_reached_where_it_says_and_not_before() {
        assert_eq!(outcome(WaitFor::Accepted, Phase::Open, 0), Ok(false));
        assert_eq!(outcome(WaitFor::Accepted, Phase::Working, 2), Ok(false));
        assert_eq!(outcome(WaitFor::Accepted, Phase::Working, 3), Ok(true));
        assert_eq!(outcome(WaitFor::Accepted, Phase::Appealable, 2), Ok(true));
        assert_eq!(outcome(WaitFor::Revealed, Phase::Revealing, 3), Ok(false));
        assert_eq!(outcome(WaitFor::Revealed, Phase::Appealable, 3), Ok(true));
        assert_eq!(outcome(WaitFor::Settled, Phase::Appealable, 3), Ok(false));
        assert_eq!(outcome(WaitFor::Settled, Phase::Settled, 3), Ok(true));
    }

    #[test]
    fn what_can_never_be_is_told_apart_from_what_is_not_yet() {
        for phase in [Phase::Cancelled, Phase::Expired, Phase::Failed] {
            assert_eq!(outcome(WaitFor::Settled, phase, 0), Err(9), "{phase}");
            assert_eq!(outcome(WaitFor::Revealed, phase, 0), Err(9), "{phase}");
            assert_eq!(outcome(WaitFor::Ended, phase, 0), Ok(true), "{phase}");
        }
    }
}
