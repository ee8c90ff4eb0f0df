//! The dispute: four of five workers say the same wrong thing, and defend it; the fifth accuses them.

use crate::{
    accounts::{Books, CARTEL, Names, PUBLISHER, Participant, WORKERS},
    court::{Court, Trial},
    error::{DemoError, check},
    show,
    stage::{PATIENCE, next, publish, register_all},
    story::Story,
};
use agora_chain::{AtBlock, Balance, Blocks, views::treasury_account};
use agora_disputes::Verdict;
use agora_localnet::{Agora, Node};
use agora_primitives::{
    money::{Payee, Purpose, Scope},
    reputation::Outcome,
};
use std::path::Path;

/// Who is right.
const HONEST: Participant = WORKERS[0];
/// Who speaks in court for those who are wrong.
const SPEAKER: Participant = WORKERS[3];
/// The job: an output of several chunks, and a run of several segments that takes a moment.
const MATRIX_SIZE: &str = "96";
const ITERATIONS: &str = "4";

/// Everybody who works on the task.
fn everybody() -> impl Iterator<Item = Participant> {
    [HONEST, SPEAKER].into_iter().chain(CARTEL)
}

/// Publishes a task, follows the dispute about it to the end and to the last bond, and checks who was found right.
pub async fn run(
    node: &Node,
    folder: &Path,
    publisher: &Agora,
    blocks: &mut Blocks,
    names: &Names,
) -> Result<(), DemoError> {
    show::heading("A dispute");
    show::note("four of five workers have agreed on what is wrong, and nobody else looks");
    let client = node.client().await?;
    register_all(node, folder, "1".to_owned(), CARTEL.iter().map(|one| (one, "worker"))).await?;
    let mut processes = Vec::new();
    for participant in everybody() {
        let mut arguments = vec!["mine", "--device", "cpu"];
        arguments.extend(participant.fault.into_iter().flat_map(|fault| ["--fault", fault]));
        if CARTEL.contains(&participant) {
            // One of them is enough.
            arguments.push("--no-court");
        }
        // Some have worked before, and have said so in the same log.
        let log = folder.join(format!("{}.log", participant.key.trim_start_matches('/')));
        let said = std::fs::metadata(log).map_or(0, |log| log.len() as usize);
        let process = Agora::new(&node.url(), participant.key, folder).spawn(&arguments)?;
        processes.push((process, said));
    }
    for (process, said) in &mut processes {
        process.printed("Ctrl-C stops", *said, PATIENCE).await?;
    }

    // What happens from here on is counted.
    let start = next(blocks).await?.block;
    let before = Books::read(&client.at(start.hash).await?).await?;
    let mut story = Story::new(publish(publisher, MATRIX_SIZE, ITERATIONS, "60").await?);
    let mut court = Court::default();
    let mut last = start;
    while story.settled.is_none() || bonds_are_held(&client.at(last.hash).await?, &story).await? {
        let block = next(blocks).await?;
        story.tell(&block, names);
        court.tell(&client, &block, names).await?;
        last = block.block;
        for (process, _) in &mut processes {
            process.ensure_running()?;
        }
    }
    for (process, _) in processes {
        process.stop().await?;
    }
    verdicts(&court, &story, names)?;
    let after = Books::read(&client.at(last.hash).await?).await?;
    money(&before, &after, &story, names)
}

/// Whether somebody has a bond in court.
async fn bonds_are_held(at: &AtBlock, story: &Story) -> Result<bool, DemoError> {
    for participant in everybody() {
        let deposits = at.deposits(&participant.account()?).await?;
        let scope = Scope::Task(story.task);
        if deposits
            .iter()
            .any(|one| one.purpose == Purpose::CourtBond && one.scope == scope)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn verdicts(court: &Court, story: &Story, names: &Names) -> Result<(), DemoError> {
    show::heading("What the court has found");
    for (number, trial) in &court.trials {
        let how = match trial.verdict {
            Some(Verdict::Falls(_)) => "it was right",
            Some(Verdict::Stands) => "it was wrong",
            Some(Verdict::Nothing) | None => "nobody knows",
        };
        show::note(&format!(
            "trial {number}: {} accused, and {how}; the chain executed {} of at most 4,294,967,296 segments",
            names.name(&trial.accuser),
            trial.executed
        ));
    }
    let honest = HONEST.account()?;
    let is_first = |trial: &&Trial| trial.accuser == honest;
    let won = court.trials.values().find(is_first);
    let won = won.ok_or_else(|| DemoError::Check("nobody has accused the wrong result".to_owned()))?;
    check(matches!(won.verdict, Some(Verdict::Falls(_))), || {
        format!("the wrong result did not fall: {:?}", won.verdict)
    })?;
    check(won.executed > 0, || "the chain has executed nothing".to_owned())?;
    let lost = court.trials.values().filter(|trial| trial.accuser != honest);
    for trial in lost {
        check(trial.verdict == Some(Verdict::Stands), || {
            format!("an accusation of what is right ended as {:?}", trial.verdict)
        })?;
    }
    for participant in everybody() {
        let account = participant.account()?;
        let found = story.outcomes.iter().find(|(worker, _)| *worker == account);
        let outcome = found.map(|(_, outcome)| *outcome);
        let is_as_it_should = match participant == HONEST {
            true => matches!(outcome, Some(Outcome::Right { .. })),
            false => outcome == Some(Outcome::Wrong),
        };
        check(is_as_it_should, || format!("{} ended as {outcome:?}", participant.name))?;
    }
    Ok(())
}

fn money(before: &Books, after: &Books, story: &Story, names: &Names) -> Result<(), DemoError> {
    show::heading("Who lost, and who was paid");
    for payment in &story.payments {
        if payment.scope != Scope::Task(story.task) {
            continue;
        }
        let what = match payment.purpose {
            Purpose::TaskBond => "bond of a worker",
            Purpose::CourtBond => "bond in court",
            Purpose::TaskReward => "reward",
            _ => continue,
        };
        let to = match &payment.payee {
            Payee::Account(account) => names.name(account),
            Payee::Treasury => "treasury".to_owned(),
            Payee::Burn => "burned".to_owned(),
        };
        show::note(&format!(
            "{what:<17} of {:<20} {:>12} → {to}",
            names.name(&payment.from),
            show::amount(payment.amount)
        ));
    }
    show::note("");
    for participant in everybody().chain([PUBLISHER]) {
        let account = participant.account()?;
        let (before, after) = (before.of(&account), after.of(&account));
        show::note(&format!("{:<20} {:>14}", participant.name, show::change(before, after)));
        let has_won = after > before;
        check(has_won == (participant == HONEST), || {
            format!(
                "{} has {} more or less than before",
                participant.name,
                show::change(before, after)
            )
        })?;
    }
    let treasury = treasury_account();
    show::note(&format!(
        "{:<20} {:>14}",
        "treasury",
        show::change(before.of(&treasury), after.of(&treasury))
    ));
    let paid = |purpose| {
        let of_purpose = story.paid(story.task, purpose);
        let honest = HONEST.account();
        let to_honest = of_purpose.filter(move |one| match (&one.payee, &honest) {
            (Payee::Account(to), Ok(honest)) => to == honest,
            _ => false,
        });
        to_honest.map(|one| one.amount).sum::<Balance>()
    };
    for purpose in [Purpose::TaskBond, Purpose::CourtBond, Purpose::TaskReward] {
        check(paid(purpose) > 0, || {
            format!("whoever was right was paid nothing of {purpose:?}")
        })?;
    }
    check(after.sum() + story.burned() == before.sum(), || {
        "money was made or lost in the dispute".to_owned()
    })
}
