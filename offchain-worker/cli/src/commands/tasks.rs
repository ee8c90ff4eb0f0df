//! `agora tasks` and `agora task`

use crate::{
    args::{ShowArgs, TasksArgs},
    context::Context,
    exit::CliError,
    jobs,
    output::answer,
    units::{Amount, Factor, Uuid, name_of},
};
use agora_chain::views::TaskView;
use agora_primitives::{TaskId, job::JobSource, task::Phase};
use std::fmt::Write;

pub async fn list(context: &Context, args: TasksArgs) -> Result<(), CliError> {
    let publisher = args
        .publisher
        .as_deref()
        .map(|text| context.account(Some(text)))
        .transpose()?;
    let client = context.client().await?;
    let mut tasks = client.best().await?.tasks().await?;
    tasks.retain(|task| {
        publisher.as_ref().is_none_or(|publisher| task.publisher == *publisher)
            && !(args.open && task.phase.is_finished())
    });
    tasks.sort_by_key(|task| task.id);
    if context.json() {
        for task in &tasks {
            answer(context, task, |_| String::new());
        }
        return Ok(());
    }
    println!(
        "{:>8}  {:<14} {:<16} {:>14} {:>8} {:>7}",
        "task", "status", "kind", "reward", "deadline", "workers"
    );
    for task in &tasks {
        println!(
            "{:>8}  {:<14} {:<16} {:>14} {:>8} {:>3}/{:<3}",
            task.id.0,
            task.phase,
            name_of(&task.specialisation),
            Amount(task.reward).to_string(),
            task.deadline,
            task.accepted,
            task.wanted
        );
    }
    Ok(())
}

pub async fn show(context: &Context, args: ShowArgs) -> Result<(), CliError> {
    let client = context.client().await?;
    let id = TaskId(args.task);
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

fn describe_job(job: &JobSource) -> String {
    match job {
        JobSource::Inline(spec) => jobs::describe(spec),
        JobSource::Stored(stored) => format!(
            "{}, {} bytes in the blob store, hash {:?}",
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
    line("difficulty", format!("×{}", Factor(task.difficulty.0)));
    line("reward", Amount(task.reward).to_string());
    line("stake", Amount(task.stake).to_string());
    line("fee", Amount(task.fee).to_string());
    line("bond", format!("{} per worker", Amount(task.bond)));
    line("deadline", format!("block {}", task.deadline));
    match task.phase {
        Phase::Open | Phase::Working => line("work until", format!("block {}", task.until)),
        Phase::Revealing => line("reveal until", format!("block {}", task.until)),
        Phase::Appealable => line("appeal until", format!("block {}", task.until)),
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
