//! What happens in court, move by move, as the events and the state of the chain say.

use crate::{accounts::Names, error::DemoError, show};
use agora_chain::{
    AccountId, BlockEvents, Client,
    api::{Event, api::computation},
};
use agora_disputes::{Aim, BranchPhase, Descent, Expected, Game, List, Match, Phase, Point, Tree, Turn, Verdict};
use agora_machine::SEGMENT_GAS;
use std::collections::{BTreeMap, BTreeSet};

/// A trial that was followed.
pub struct Trial {
    /// Who accuses.
    pub accuser: AccountId,
    /// How it ended. `None`: it has not.
    pub verdict: Option<Verdict>,
    /// How many segments were executed.
    pub executed: u32,
    game: Option<Game<AccountId>>,
    place: String,
}

/// Everything in court so far.
#[derive(Default)]
pub struct Court {
    /// The trials, by their numbers.
    pub trials: BTreeMap<u64, Trial>,
}

impl Court {
    /// Remembers and prints what happened in court in a block.
    pub async fn tell(&mut self, client: &Client, block: &BlockEvents, names: &Names) -> Result<(), DemoError> {
        let number = block.block.number;
        let mut moved = BTreeSet::new();
        for event in &block.events {
            let Event::Computation(event) = event else { continue };
            if let computation::Event::TrialOpened { trial, accuser, .. } = event {
                let opened = Trial {
                    accuser: *accuser,
                    verdict: None,
                    executed: 0,
                    game: None,
                    place: String::new(),
                };
                self.trials.insert(*trial, opened);
            }
            moved.extend(trial_of(event));
        }
        // Where the trials that have moved are now.
        let at = client.at(block.block.hash).await?;
        let mut games = BTreeMap::new();
        for &trial in &moved {
            games.insert(trial, at.trial(trial).await?.map(|view| view.game));
        }
        for event in &block.events {
            let Event::Computation(event) = event else { continue };
            if let Some(text) = self.text(event, &games, names) {
                show::line(number, &text);
            }
        }
        for (trial, game) in games {
            let Some(known) = self.trials.get_mut(&trial) else {
                continue;
            };
            if let Some(game) = game.filter(|game| game.verdict().is_none()) {
                let place = place(&game);
                if place != known.place {
                    show::note(&format!("  trial {trial} is about {place}"));
                    known.place = place;
                }
                known.game = Some(game);
            }
        }
        Ok(())
    }

    /// What an event says. `None`: nothing of interest.
    fn text(
        &mut self,
        event: &computation::Event,
        games: &BTreeMap<u64, Option<Game<AccountId>>>,
        names: &Names,
    ) -> Option<String> {
        use computation::Event as E;
        let name = |account: &AccountId| names.name(account);
        Some(match event {
            E::AccusationCommitted { accuser, .. } => {
                format!("{} commits to an accusation, and puts up a bond", name(accuser))
            }
            E::TrialOpened { task, trial, accuser } => format!(
                "{} reveals it: what task {} has come to is wrong; trial {trial}",
                name(accuser),
                task.0
            ),
            E::Moved { trial, by } => {
                let before = self.trials.get(trial)?.game.as_ref();
                let after = games.get(trial)?.as_ref();
                format!("{} {}", name(by), made(before, after))
            }
            E::Defended { by, .. } => format!(
                "{} defends it with the lists of what it computed on the way, and puts up a bond",
                name(by)
            ),
            E::RunAdded { by, root, .. } => {
                format!("{} says how the unit runs: root {root:?}, and puts up a bond", name(by))
            }
            E::SegmentExecuted { trial, by, refuted, .. } => {
                self.trials.get_mut(trial)?.executed += 1;
                let roots = refuted.0.iter().map(|root| format!("{root:?}")).collect::<Vec<_>>();
                format!(
                    "{} shows the segment, and the chain executes it: run {} is refuted",
                    name(by),
                    roots.join(" and ")
                )
            }
            E::TrialEnded { trial, verdict, .. } => {
                let ended = self.trials.get_mut(trial)?;
                ended.verdict = Some(verdict.0);
                let what = match verdict.0 {
                    Verdict::Falls(_) => "the claim is wrong, and falls",
                    Verdict::Stands => "the claim stands",
                    Verdict::Nothing => "nothing, because a run was left that fails",
                };
                format!("verdict of trial {trial}: {what}")
            }
            E::BondLost {
                who, amount, winner, ..
            } => format!(
                "{} loses a bond of {}; half of it goes to {}",
                name(who),
                show::amount(*amount),
                winner.as_ref().map_or_else(|| "nobody".to_owned(), name)
            ),
            E::BondReleased { who, amount, .. } => {
                format!("{} has a bond of {} back", name(who), show::amount(*amount))
            }
            E::AccusationJoined { accuser, .. } => {
                format!("{} reveals an accusation of what has fallen already", name(accuser))
            }
            E::CaseOpened { .. }
            | E::CaseClosed { .. }
            | E::TermsSet { .. }
            | E::ImageSuspended { .. }
            | E::SuspensionLifted { .. } => return None,
        })
    }
}

/// The trial that an event moves.
const fn trial_of(event: &computation::Event) -> Option<u64> {
    use computation::Event as E;
    match event {
        E::TrialOpened { trial, .. }
        | E::Moved { trial, .. }
        | E::Defended { trial, .. }
        | E::RunAdded { trial, .. }
        | E::SegmentExecuted { trial, .. }
        | E::TrialEnded { trial, .. } => Some(*trial),
        _ => None,
    }
}

/// What a move was, by where the trial was before it and is after it.
fn made(before: Option<&Game<AccountId>>, after: Option<&Game<AccountId>>) -> &'static str {
    const ENDS: &str = "says that time has ended something";
    let Some(before) = before else { return ENDS };
    let descends = |descent: &Descent| match descent.turn {
        Turn::Show => "shows what is below it",
        Turn::Name(_) | Turn::Entry(_) => "names the first that is wrong",
    };
    match &before.dispute.phase {
        Phase::States(descent) | Phase::Chunks { descent, .. } => return descends(descent),
        Phase::Defences { .. } | Phase::Over(_) => {}
    }
    for (at, (branch, runs)) in before.branches.iter().enumerate() {
        let later = after.and_then(|game| game.branches.get(at));
        match &branch.phase {
            BranchPhase::Choose => return "says of which list an entry is wrong, or that none is",
            BranchPhase::Entry { descent, .. } => return descends(descent),
            BranchPhase::Bound { .. } => return "shows that the claim has the state",
            BranchPhase::Runs(_) if later.is_some_and(|(_, later)| later.matches.len() > runs.matches.len()) => {
                return "begins a match between two runs that end differently";
            }
            BranchPhase::Runs(_) if runs.matches.iter().any(|(_, game)| game.is_some()) => {
                return "opens a node of a run";
            }
            BranchPhase::Runs(_) | BranchPhase::Over(_) => {}
        }
    }
    ENDS
}

/// What a trial has narrowed to.
fn place(game: &Game<AccountId>) -> String {
    match &game.dispute.phase {
        Phase::States(descent) => below("state", descent),
        Phase::Chunks { state, descent } => format!("state {state}, {}", below("byte", descent)),
        Phase::Defences { aim, .. } => {
            let open = game
                .branches
                .iter()
                .filter(|(branch, _)| !matches!(branch.phase, BranchPhase::Over(_)));
            let open: Vec<_> = open.collect();
            match open.first() {
                None => format!("{}, and who defends it", aimed(aim)),
                Some((branch, runs)) => match &branch.phase {
                    BranchPhase::Entry { list, descent } => {
                        format!("the list of {}, {}", listed(*list), below("byte", descent))
                    }
                    BranchPhase::Bound { state, .. } => {
                        format!("whether the claim has a state {state} like that of the list")
                    }
                    BranchPhase::Runs(bench) => {
                        let games = runs.matches.iter().filter_map(|(_, game)| game.as_ref());
                        let matches: Vec<_> = games.map(segments).collect();
                        match matches.is_empty() {
                            true => format!("{}, and how it runs", unit(&bench.point)),
                            false => format!("{}, {}", unit(&bench.point), matches.join(" and ")),
                        }
                    }
                    BranchPhase::Choose | BranchPhase::Over(_) => format!("{}, and the lists behind it", aimed(aim)),
                },
            }
        }
        Phase::Over(_) => String::new(),
    }
}

/// What is below a node: numbers of states, or bytes.
fn below(what: &str, descent: &Descent) -> String {
    let node = &descent.node;
    let last = node.first.saturating_add(node.len).saturating_sub(1);
    let chosen = match (node.tree, &descent.turn) {
        (Tree::Blob, Turn::Show) if node.is_leaf() => ", which is a chunk",
        (_, Turn::Show) => "",
        (_, Turn::Name(_) | Turn::Entry(_)) => ", of which everything below is shown",
    };
    format!("{what}s {} to {last}{chosen}", node.first)
}

fn aimed(aim: &Aim) -> String {
    match aim {
        Aim::Chunk { state, chunk, .. } => format!("chunk {chunk} of state {state}"),
        Aim::Usable => "whether the inputs are usable".to_owned(),
        Aim::Unusable => "whether the inputs are unusable".to_owned(),
    }
}

const fn listed(list: List) -> &'static str {
    match list {
        List::States => "states",
        List::Scans => "what scanning the inputs kept",
        List::Kept => "what earlier units kept",
    }
}

fn unit(point: &Point) -> String {
    let of = point
        .state
        .map_or_else(|| "the inputs".to_owned(), |state| format!("state {state}"));
    let what = match point.expected {
        Expected::Chunk { index, .. } => format!(" (chunk {index} of its output)"),
        Expected::Output(_) | Expected::Unusable => String::new(),
    };
    format!("unit {} of {of}{what}", point.unit)
}

/// What is left of two runs that are matched. A segment has as many instructions as `SEGMENT_GAS`, unless it touches very many pages.
fn segments(game: &Match) -> String {
    let (height, number) = game.position();
    let count = 16u64.saturating_pow(height);
    let first = number.saturating_mul(count);
    let last = first.saturating_add(count).saturating_sub(1);
    let gas = u64::from(SEGMENT_GAS);
    match height {
        0 => format!(
            "segment {first} of its run: instructions {} to {} at the latest",
            first.saturating_mul(gas),
            first.saturating_add(1).saturating_mul(gas).saturating_sub(1)
        ),
        _ => format!("level {height} of its run: segments {first} to {last}, if it has so many"),
    }
}
