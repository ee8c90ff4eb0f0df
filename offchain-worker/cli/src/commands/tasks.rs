//! `agora tasks` and `agora task`

use crate::{
    args::{ShowArgs, TasksArgs},
    context::Context,
    exit::CliError,
    jobs,
    output::{answer, answers, note},
    units::{Amount, Factor, Reference, Uuid, name_of},
};
use agora_chain::{
    ChainError, Client,
    views::{DepositView, TaskView},
};
use agora_primitives::{
    TaskId,
    job::JobSource,
    judging::JudgeRule,
    money::{Purpose, Scope},
    task::Phase,
};
use futures::{StreamExt, stream};
use std::fmt::Write;

pub async fn list(context: &Context, args: TasksArgs) -> Result<(), CliError> {
    let named = |account: &Option<String>| account.as_deref().map(|text| context.account(Some(text))).transpose();
    let (publisher, worker) = (named(&args.publisher)?, named(&args.worker)?);
    let client = context.client().await?;
    let at = client.best().await?;
    let limit = args.limit.map_or(usize::MAX, |limit| limit as usize);
    let passes = |task: &TaskView| {
        publisher.as_ref().is_none_or(|publisher| task.publisher == *publisher) && passes(&args, task)
    };
    let is_later = |task: &TaskId| args.after.is_none_or(|after| task.0 > after);
    let mut tasks = match (&worker, args.limit) {
        // Whoever wants all of them reads whole pages.
        (None, None) => {
            let mut tasks = at.tasks().await?;
            tasks.retain(passes);
            tasks.sort_by_key(|task| task.id);
            tasks
        }
        (None, Some(_)) => {
            let mut numbers = client.task_numbers(&at).await?;
            numbers.retain(is_later);
            first(&numbers, limit, |task| at.task(task), passes).await?
        }
        (Some(worker), _) => {
            let mut numbers = worked_on(&at.deposits(worker).await?);
            numbers.retain(is_later);
            first(&numbers, limit, |task| at.task(task), passes).await?
        }
    };
    let more = tasks.len() > limit;
    tasks.truncate(limit);
    let header = format!(
        "{:>8}  {:<14} {:<16} {:>14} {:>8} {:>7}",
        "task", "status", "kind", "reward", "deadline", "workers"
    );
    answers(context, &tasks, &header, row);
    if let (true, Some(last)) = (more, tasks.last()) {
        note(&format!(
            "There are more: add --after {} to see the next ones.",
            last.id
        ));
    }
    Ok(())
}

/// The tasks for which a worker's bond is held, by number.
fn worked_on(deposits: &[DepositView]) -> Vec<TaskId> {
    let bonds = deposits
        .iter()
        .filter_map(|deposit| match (deposit.purpose, deposit.scope) {
            (Purpose::TaskBond, Scope::Task(task)) => Some(task),
            _ => None,
        });
    let mut tasks: Vec<_> = bonds.collect();
    tasks.sort_unstable();
    tasks.dedup();
    tasks
}

/// How many tasks are asked for at the same time.
const ASKED_AT_ONCE: usize = 16;

/// Those of `numbers` that pass, in their order, until there is one more than `limit`. Not many are asked for in vain.
async fn first<F: Future<Output = Result<Option<TaskView>, ChainError>>>(
    numbers: &[TaskId],
    limit: usize,
    ask: impl Fn(TaskId) -> F,
    passes: impl Fn(&TaskView) -> bool,
) -> Result<Vec<TaskView>, ChainError> {
    let mut answers = stream::iter(numbers.iter().copied().map(ask)).buffered(ASKED_AT_ONCE);
    let mut found = Vec::new();
    while found.len() <= limit
        && let Some(task) = answers.next().await
    {
        // One that has been forgotten meanwhile is left out.
        found.extend(task?.filter(&passes));
    }
    Ok(found)
}

/// Whether what the task itself says passes the filters.
fn passes(args: &TasksArgs, task: &TaskView) -> bool {
    !(args.open && task.phase.is_finished())
        && args.class.is_none_or(|class| task.class.0 == class)
        && args.after.is_none_or(|after| task.id.0 > after)
        && (args.phase.is_empty() || args.phase.iter().any(|phase| Phase::from(*phase) == task.phase))
        && (args.kind.is_empty() || args.kind.contains(&task.specialisation))
}

fn row(task: &TaskView) -> String {
    format!(
        "{:>8}  {:<14} {:<16} {:>14} {:>8} {:>3}/{:<3}",
        task.id.0,
        task.phase,
        name_of(&task.specialisation),
        Amount(task.reward).to_string(),
        task.deadline,
        task.accepted,
        task.wanted
    )
}

/// The number of the task that the arguments name.
async fn named(context: &Context, client: &Client, args: &ShowArgs) -> Result<TaskId, CliError> {
    let Some(Reference(reference)) = args.reference.reference else {
        let number = args
            .task
            .ok_or_else(|| CliError::Usage("give a task's number, or --reference".to_owned()))?;
        return Ok(TaskId(number));
    };
    let publisher = context.account(args.reference.publisher.as_deref())?;
    let task = client.best().await?.task_of(&publisher, reference).await?;
    task.ok_or_else(|| {
        CliError::NotFound(format!(
            "{publisher} has no task with the reference {}; ended tasks are forgotten in time, and --publisher names \
             another account",
            Uuid(reference)
        ))
    })
}

pub async fn show(context: &Context, args: ShowArgs) -> Result<(), CliError> {
    let client = context.client().await?;
    let id = named(context, &client, &args).await?;
    let unknown = || {
        CliError::NotFound(format!(
            "the chain does not know task {id}; ended tasks are forgotten in time"
        ))
    };
    let mut task = client.best().await?.task(id).await?.ok_or_else(unknown)?;
    answer(context, &task, describe);
    if !args.watch {
        return Ok(());
    }
    let mut blocks = client.follow_best();
    while !task.phase.is_finished() {
        let block = blocks.next().await?.block;
        let now = client.at(block.hash).await?.task(id).await?.ok_or_else(unknown)?;
        if now != task {
            answer(context, &now, |now| {
                format!(
                    "block {}: {} · round {} · {} accepted, {} committed, {} revealed of {}",
                    block.number, now.phase, now.round, now.accepted, now.committed, now.revealed, now.wanted
                )
            });
            task = now;
        }
    }
    Ok(())
}

/// Who says what the result is.
const fn judged_by(rule: JudgeRule) -> &'static str {
    match rule {
        JudgeRule::Replication { .. } => "workers that agree, attesters, and the court if it is asked",
        JudgeRule::Exact => "the chain, which computes it in the block of the reveal",
    }
}

fn describe_job(job: &JobSource) -> String {
    match job {
        JobSource::Inline(spec) => jobs::describe(spec),
        JobSource::Stored(stored) => format!(
            "{}, {} bytes in the blob store, hash {:#x}",
            name_of(&stored.specialisation),
            stored.spec.size,
            stored.spec.hash
        ),
    }
}

fn describe(task: &TaskView) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<14}{value}");
    };
    line("task", task.id.to_string());
    line("status", task.phase.to_string());
    line("publisher", task.publisher.to_string());
    line("reference", Uuid(task.reference).to_string());
    line("class", task.class.to_string());
    line("job", describe_job(&task.job));
    line("judged by", judged_by(task.judge).to_owned());
    line("difficulty", format!("×{}", Factor(task.difficulty.0)));
    line("reward", Amount(task.reward).to_string());
    line("stake", Amount(task.stake).to_string());
    line("fee", Amount(task.fee).to_string());
    line("bond", format!("{} per worker", Amount(task.bond)));
    line("deadline", format!("block {}", task.deadline));
    match task.phase {
        Phase::Open | Phase::Working => line("work until", format!("block {}", task.until)),
        Phase::Revealing => line("reveal until", format!("block {}", task.until)),
        Phase::Appealable => {
            if let Some(until) = task.appeal_until {
                line("appeal until", format!("block {until}"));
            }
            if task.appeal_until.is_none_or(|until| until < task.until) {
                line("in court until", format!("block {}, or earlier", task.until));
            }
        }
        Phase::Judging | Phase::Settled | Phase::Cancelled | Phase::Expired | Phase::Failed => {}
    }
    line(
        "workers",
        format!(
            "{} of {} in round {}: {} committed, {} revealed",
            task.accepted, task.wanted, task.round, task.committed, task.revealed
        ),
    );
    if let Some(chosen) = &task.chosen {
        line("result", chosen.claim.to_string());
        line("best worker", chosen.best.to_string());
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::args::PhaseArg;
    use agora_chain::AccountId;
    use agora_primitives::{
        ClassId,
        job::{BlobRef, Claim, StoredJob},
        participants::Specialisation,
        task::{Chosen, Difficulty, Invitation},
    };

    /// A task with all that a task can have.
    pub fn example() -> TaskView {
        let account = AccountId([1; 32]);
        TaskView {
            id: TaskId(7),
            publisher: account,
            reference: [0x12; 16],
            class: ClassId(3),
            specialisation: Specialisation::Synthetic,
            judge: JudgeRule::Replication { trust: 3 },
            job: JobSource::Stored(StoredJob {
                spec: BlobRef::to(b"job"),
                specialisation: Specialisation::Synthetic,
            }),
            difficulty: Difficulty::ONE,
            reward: 5,
            stake: 2,
            fee: 1,
            bond: 3,
            published_at: 10,
            deadline: 110,
            min_thinking: 1,
            commit_window: 60,
            phase: Phase::Working,
            until: 110,
            appeal_until: Some(140),
            round: 0,
            wanted: 3,
            accepted: 2,
            committed: 1,
            revealed: 0,
            slots_kept_until: Some(50),
            invited: Some(Invitation {
                workers: vec![account],
                until: 20,
            }),
            chosen: Some(Chosen {
                claim: Claim::Unusable,
                best: account,
            }),
        }
    }

    fn all() -> TasksArgs {
        TasksArgs {
            publisher: None,
            worker: None,
            open: false,
            class: None,
            phase: Vec::new(),
            kind: Vec::new(),
            limit: None,
            after: None,
        }
    }

    #[test]
    fn each_filter_lets_through_what_it_names_and_nothing_else() {
        let task = example();
        assert!(passes(&all(), &task));
        let cases: [(TasksArgs, bool); 9] = [
            (
                TasksArgs {
                    class: Some(3),
                    ..all()
                },
                true,
            ),
            (
                TasksArgs {
                    class: Some(4),
                    ..all()
                },
                false,
            ),
            (
                TasksArgs {
                    after: Some(6),
                    ..all()
                },
                true,
            ),
            (
                TasksArgs {
                    after: Some(7),
                    ..all()
                },
                false,
            ),
            (
                TasksArgs {
                    phase: vec![PhaseArg::Open, PhaseArg::Working],
                    ..all()
                },
                true,
            ),
            (
                TasksArgs {
                    phase: vec![PhaseArg::Settled],
                    ..all()
                },
                false,
            ),
            (
                TasksArgs {
                    kind: vec![Specialisation::Synthetic],
                    ..all()
                },
                true,
            ),
            (
                TasksArgs {
                    kind: vec![Specialisation::Rendering],
                    ..all()
                },
                false,
            ),
            (TasksArgs { open: true, ..all() }, true),
        ];
        for (number, (args, expected)) in cases.iter().enumerate() {
            assert_eq!(passes(args, &task), *expected, "case {number}");
        }
        let ended = TaskView {
            phase: Phase::Failed,
            ..task
        };
        assert!(!passes(&TasksArgs { open: true, ..all() }, &ended));
    }

    #[tokio::test]
    async fn a_page_is_in_order_and_asks_for_little_more_than_it_has() {
        let numbers: Vec<_> = (1..=10_000).map(TaskId).collect();
        let asked = std::cell::Cell::new(0);
        let ask = |id: TaskId| {
            asked.set(asked.get() + 1);
            // Every tenth is gone; of the others, every second is of another kind.
            let specialisation = match id.0 % 2 {
                0 => Specialisation::Rendering,
                _ => Specialisation::Synthetic,
            };
            let task = TaskView {
                id,
                specialisation,
                ..example()
            };
            std::future::ready(Ok((id.0 % 10 != 3).then_some(task)))
        };
        let wanted = |task: &TaskView| task.specialisation == Specialisation::Synthetic;
        let found = first(&numbers, 5, ask, wanted).await.expect("it answers");
        let ids: Vec<_> = found.iter().map(|task| task.id.0).collect();
        assert_eq!(ids, [1, 5, 7, 9, 11, 15], "one more, which tells that there are more");
        assert!(asked.get() <= 15 + ASKED_AT_ONCE, "{}", asked.get());
        let all = first(&numbers, usize::MAX, ask, wanted).await.expect("it answers");
        assert_eq!(all.len(), 4000);
        let lost = |_| std::future::ready(Err(ChainError::Disconnected(String::new())));
        assert!(first(&numbers, 5, lost, wanted).await.is_err());
    }

    #[test]
    fn a_workers_tasks_are_those_that_hold_its_bond() {
        let deposit = |purpose, scope| DepositView {
            purpose,
            scope,
            amount: 1,
        };
        let deposits = [
            deposit(Purpose::TaskBond, Scope::Task(TaskId(9))),
            deposit(Purpose::TaskBond, Scope::Task(TaskId(2))),
            deposit(Purpose::AppealBond, Scope::Task(TaskId(3))),
            deposit(Purpose::Addresses, Scope::Account),
        ];
        assert_eq!(worked_on(&deposits), [TaskId(2), TaskId(9)]);
    }

    #[test]
    fn a_task_is_described_without_debug_output() {
        let text = describe(&example());
        assert!(
            text.contains("hash 0x") && !text.contains("Some(") && !text.contains("TaskId("),
            "{text}"
        );
    }
}
