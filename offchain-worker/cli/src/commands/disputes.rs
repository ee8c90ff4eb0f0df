//! `agora disputes` and `agora dispute`

use crate::{
    args::{DisputeArgs, DisputesArgs},
    context::Context,
    exit::CliError,
    output::{answer, answers},
    units::Amount,
};
use agora_chain::{
    AtBlock, ChainError,
    views::{ClockView, DefenceView, DisputeView, DisputedView, TrialView},
};
use agora_primitives::TaskId;
use std::fmt::Write;

pub async fn list(context: &Context, args: DisputesArgs) -> Result<(), CliError> {
    let at = context.client().await?.best().await?;
    let is_asked_for = |task: TaskId| args.task.is_none_or(|number| task == TaskId(number));
    let (cases, numbers, now) = tokio::try_join!(at.cases(), at.trials(), at.moment())?;
    let cases: Vec<_> = cases.into_iter().filter(|case| is_asked_for(case.task)).collect();
    let mut trials: Vec<(u64, TrialView)> = Vec::new();
    for (number, _) in numbers.into_iter().filter(|(_, task)| is_asked_for(*task)) {
        // Its last bond may have been settled meanwhile.
        trials.extend(at.trial(number).await?.map(|trial| (number, trial)));
    }
    let all = DisputedView::all(&cases, &trials, now);
    let header = format!("{:>8} {:>6}  {:<28} {}", "task", "case", "accusations", "trials");
    answers(context, &all, &header, row);
    Ok(())
}

fn row(case: &DisputedView) -> String {
    let accusations = match (case.until, case.reveal_until) {
        _ if case.decided => "decided: the claim is wrong".to_owned(),
        (Some(until), Some(reveal)) => format!("{} hidden, until {until}, {reveal}", case.hidden),
        _ => "closed".to_owned(),
    };
    let trials: Vec<_> = case
        .trials
        .iter()
        .map(|trial| format!("{} ({})", trial.trial, stage(trial)))
        .collect();
    format!(
        "{:>8} {:>6}  {accusations:<28} {}",
        case.task.0,
        case.case,
        trials.join(", ")
    )
}

/// Where a trial is, in a few words.
fn stage(trial: &DisputeView) -> String {
    match (trial.verdict, &trial.clock) {
        (Some(verdict), _) => format!("the claim {}", said(verdict)),
        (None, Some(clock)) => format!("{}, {}", trial.phase, time(clock)),
        (None, None) => trial.phase.to_owned(),
    }
}

fn said(verdict: &str) -> &str {
    match verdict {
        "nothing" => "is not decided: a run was left that fails",
        verdict => verdict,
    }
}

fn time(clock: &ClockView) -> String {
    format!("{} blocks (about {} s) for {}", clock.blocks, clock.seconds, clock.turn)
}

pub async fn show(context: &Context, args: DisputeArgs) -> Result<(), CliError> {
    let client = context.client().await?;
    let unknown = || {
        CliError::NotFound(format!(
            "there is no trial {} in court; when its bonds are settled it is forgotten",
            args.trial
        ))
    };
    let mut shown = look(&client.best().await?, args.trial).await?.ok_or_else(unknown)?;
    answer(context, &shown, describe);
    if !args.follow {
        return Ok(());
    }
    let mut blocks = client.follow_best();
    while shown.verdict.is_none() {
        let block = blocks.next().await?.block;
        let Some(now) = look(&client.at(block.hash).await?, args.trial).await? else {
            return Err(CliError::NeverWillBe(format!(
                "trial {} was over and its bonds were settled before its end could be seen",
                args.trial
            )));
        };
        if now.without_clocks() != shown.without_clocks() {
            answer(context, &now, |now| {
                format!("block {}: {}\n", block.number, describe(now))
            });
            shown = now;
        }
    }
    Ok(())
}

/// A trial after a block. `None`: there is no such trial.
async fn look(at: &AtBlock, trial: u64) -> Result<Option<DisputeView>, ChainError> {
    let (view, now) = tokio::try_join!(at.trial(trial), at.moment())?;
    Ok(view.map(|view| DisputeView::of(trial, &view, now)))
}

fn describe(trial: &DisputeView) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<14}{value}");
    };
    line(
        "trial",
        format!("{} of task {}, case {}", trial.trial, trial.task, trial.case),
    );
    line("accuser", trial.accuser.to_string());
    line("accused", trial.claim.to_string());
    let state = trial.state.map(|state| format!(" (state {state})")).unwrap_or_default();
    line("phase", format!("{}{state}", stage(trial)));
    line(
        "bonds",
        format!("{} each, {} at stake", Amount(trial.bond), Amount(trial.at_stake)),
    );
    if let Some(defender) = &trial.defender {
        line("defender", defender.to_string());
    }
    for defence in &trial.defences {
        line("defence", in_words(defence));
        for run in &defence.runs {
            let lost = run.lost.map(|how| format!(", lost: {how}")).unwrap_or_default();
            line("  run", format!("{:#x}, {}, by {}{lost}", run.root, run.shows, run.by));
        }
        for game in &defence.matches {
            let [one, other] = game.runs;
            let place = match (game.levels, game.segment) {
                (Some(levels), Some(segment)) => format!("{levels} levels above segment {segment}"),
                _ => "over".to_owned(),
            };
            line("  match", format!("{one:#x} against {other:#x}: {place}"));
        }
    }
    text.trim_end().to_owned()
}

fn in_words(defence: &DefenceView) -> String {
    let list = defence.list.map(|list| format!(" {list}")).unwrap_or_default();
    let unit = defence.unit.map(|unit| format!(" of unit {unit}")).unwrap_or_default();
    let clock = defence
        .clock
        .as_ref()
        .map(|clock| format!(", {}", time(clock)))
        .unwrap_or_default();
    format!("{}{list}{unit}{clock}, by {}", defence.phase, defence.by)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use agora_chain::{
        AccountId, H256,
        views::{MatchView, RunView},
    };
    use agora_primitives::job::Claim;

    /// A case with a trial that has all that a trial can have.
    pub fn example() -> DisputedView {
        let account = AccountId([1; 32]);
        let clock = Some(ClockView {
            turn: "defence",
            blocks: 30,
            seconds: 180,
        });
        let root = |byte| H256([byte; 32]);
        let trial = DisputeView {
            trial: 4,
            task: TaskId(7),
            case: 3,
            accuser: account,
            claim: Claim::Unusable,
            verdict: None,
            phase: "defences",
            state: Some(2),
            clock,
            bond: 10,
            at_stake: 30,
            defender: Some(account),
            defences: vec![DefenceView {
                id: root(2),
                by: account,
                phase: "runs",
                list: Some("kept"),
                unit: Some(5),
                clock,
                runs: vec![RunView {
                    root: root(3),
                    by: account,
                    shows: "for",
                    lost: Some("clock"),
                }],
                matches: vec![MatchView {
                    runs: [root(3), root(4)],
                    levels: Some(3),
                    segment: Some(4096),
                    blocks: [Some(30), None],
                }],
            }],
        };
        DisputedView {
            task: TaskId(7),
            case: 3,
            claim: Claim::Unusable,
            until: Some(90),
            reveal_until: Some(120),
            hidden: 1,
            decided: false,
            trials: vec![trial],
        }
    }

    #[test]
    fn a_trial_is_described_without_debug_output() {
        let case = example();
        let trial = describe(&case.trials[0]);
        assert!(trial.contains("30 blocks (about 180 s) for defence"), "{trial}");
        assert!(trial.contains("3 levels above segment 4096"), "{trial}");
        for text in [trial, row(&case)] {
            assert!(!text.contains("Some(") && !text.contains("TaskId("), "{text}");
        }
        let ended = DisputeView {
            verdict: Some("falls"),
            ..case.trials[0].clone()
        };
        assert!(describe(&ended).contains("the claim falls"));
    }
}
