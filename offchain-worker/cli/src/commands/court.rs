//! `agora accuse` and `agora defend`: going to court by hand, about one task.

use crate::{
    args::GoToCourtArgs,
    context::{Context, shutdown},
    exit::CliError,
    output::{answer, note},
};
use agora_primitives::{TaskId, job::Claim};
use agora_worker::{Court, CourtConfig, Finding, Metrics};
use serde::Serialize;

/// Most memory for the one job: half a GiB is enough, unless it has millions of states.
const MEMORY_BYTES: u64 = 1 << 32;

/// What was found, and what came of it.
#[derive(Serialize)]
pub struct WentToCourt {
    task: TaskId,
    /// The number of the case.
    case: u64,
    /// The claim that was accused, or defended.
    claim: Claim,
    /// What the job comes to.
    own: Claim,
    /// The task's phase at the end.
    status: String,
    /// The claim that is chosen at the end.
    chosen: Option<Claim>,
}

/// Which side.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Against a claim that is wrong.
    Accuse,
    /// For one that is right.
    Defend,
}

pub async fn run(context: &Context, args: GoToCourtArgs, side: Side) -> Result<(), CliError> {
    let shutdown = shutdown();
    let task = TaskId(args.task);
    let Some((submitter, journal)) = context.lasting_submitter(&shutdown).await? else {
        return Ok(());
    };
    let client = submitter.client().clone();
    let config = CourtConfig {
        folder: context.court(submitter.account())?,
        disk_bytes: args.store_size.map(|size| size.saturating_mul(1 << 30)),
        memory_bytes: MEMORY_BYTES,
        tasks: context.tasks(submitter.account())?,
        // Somebody decides about this one case.
        stop_loss: None,
        #[cfg(feature = "fault-injection")]
        fault: args.fault,
    };
    let court = Court::new(
        submitter,
        journal,
        context.source(&args.peers)?,
        config,
        Metrics::default(),
    );
    let found = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        found = court.look_into(task) => found?,
    };
    let found = match found {
        // What it said itself has taken the place of what it has brought down: that is defended.
        Some(found) if side == Side::Accuse && found.is_right() && court.has_accused(task)? => {
            note("What was computed here is chosen for now. Defending it; Ctrl-C stops, and the same command goes on.");
            found
        }
        Some(found) => begin(task, found, side)?,
        None => {
            let left = court.unsettled(task).await?;
            let left = left.ok_or_else(|| {
                CliError::NotFound(format!(
                    "no claim about task {task} is before the court, or there is no room for what its job comes to"
                ))
            })?;
            note("It is decided. Having the bonds settled.");
            left
        }
    };
    court.run_about(task, shutdown).await;
    let view = client.best().await?.task(task).await?;
    let said = WentToCourt {
        task,
        case: found.case,
        claim: found.claim,
        own: found.own,
        status: view
            .as_ref()
            .map_or_else(|| "forgotten".to_owned(), |view| view.phase.to_string()),
        chosen: view.and_then(|view| view.chosen).map(|chosen| chosen.claim),
    };
    answer(context, &said, |said| {
        let chosen = match &said.chosen {
            Some(chosen) if *chosen == said.own => "what was computed here is chosen",
            Some(_) => "another result is chosen",
            None => "no result is chosen",
        };
        format!("Task {} is {}: {chosen}.", said.task, said.status)
    });
    Ok(())
}

/// Says what is done.
///
/// Errors: the result is not what `side` needs.
fn begin(task: TaskId, found: Finding, side: Side) -> Result<Finding, CliError> {
    match (side, found.is_right()) {
        (Side::Accuse, true) => Err(CliError::NeverWillBe(format!(
            "the result of task {task} is right: there is nothing to accuse"
        ))),
        (Side::Defend, false) => Err(CliError::NeverWillBe(format!(
            "the result of task {task} is wrong: nobody can defend it; `agora accuse {task}` brings it down"
        ))),
        (Side::Accuse, false) => {
            note("The result is wrong. Accusing it; Ctrl-C stops, and the same command goes on.");
            Ok(found)
        }
        (Side::Defend, true) => {
            note("The result is right. Defending it; Ctrl-C stops, and the same command goes on.");
            Ok(found)
        }
    }
}

#[cfg(test)]
pub fn example() -> WentToCourt {
    WentToCourt {
        task: TaskId(7),
        case: 3,
        claim: Claim::Unusable,
        own: Claim::Unusable,
        status: "settled".to_owned(),
        chosen: None,
    }
}
