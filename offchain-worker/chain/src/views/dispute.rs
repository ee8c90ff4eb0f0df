//! Trials in court, as people and programs look at them.

use super::{CaseView, TrialView, as_text};
use crate::{AccountId, Balance, BlockNumber, H256};
use agora_disputes::{
    Branch, BranchPhase, Fault, Found, List, Match, Phase, Run, Running, Runs, Side, Stand, Time, Verdict,
};
use agora_primitives::{TaskId, courts::HowEnded, job::Claim};
use serde::Serialize;

/// A case, with its trials.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DisputedView {
    /// The task.
    pub task: TaskId,
    /// The number of the case.
    pub case: u64,
    /// The claim that may be accused.
    pub claim: Claim,
    /// The last block in which accusations may be committed to, and the last in which they may be revealed. `None`: the case is closed.
    pub until: Option<BlockNumber>,
    /// See `until`.
    pub reveal_until: Option<BlockNumber>,
    /// How many accusations are committed to and not revealed.
    pub hidden: u32,
    /// Whether it is decided against the claim.
    pub decided: bool,
    /// Its trials whose bonds are not all settled.
    pub trials: Vec<DisputeView>,
}

/// One accuser against one claim.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DisputeView {
    /// The number of the trial.
    pub trial: u64,
    /// The task.
    pub task: TaskId,
    /// The number of the case.
    pub case: u64,
    /// Who accuses.
    pub accuser: AccountId,
    /// The claim that is accused.
    pub claim: Claim,
    /// How it ended: `falls`, `stands`, or `nothing` if a run was left that fails. `None`: it has not.
    pub verdict: Option<&'static str>,
    /// What is shown now: `states` (which state differs), `state` (which chunk of it), `defences` (lists and runs), `over`.
    pub phase: &'static str,
    /// The state in dispute, once it is known and if it is not the inputs.
    pub state: Option<u64>,
    /// The clock that runs.
    pub clock: Option<ClockView>,
    /// What the accusation, and each defence and run, puts up, in plancks.
    #[serde(serialize_with = "as_text")]
    pub bond: Balance,
    /// All bonds that were put up and are not settled, in plancks.
    #[serde(serialize_with = "as_text")]
    pub at_stake: Balance,
    /// Who wins if the claim stands.
    pub defender: Option<AccountId>,
    /// The defences.
    pub defences: Vec<DefenceView>,
}

/// A clock that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ClockView {
    /// Whose turn it is: `accuser`, `defence`, or `anybody` who wants to add something.
    pub turn: &'static str,
    /// Blocks that are left, if no more of them are full.
    pub blocks: u64,
    /// About how many seconds that is.
    pub seconds: u64,
}

/// A defence in a trial.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DefenceView {
    /// What the chain knows it by.
    pub id: H256,
    /// Who has added it.
    pub by: AccountId,
    /// What is shown now: `choose` (which list is wrong), `list` (which entry of it), `bound` (that the claim has a state),
    /// `runs`, `right`, `wrong`, `nothing`.
    pub phase: &'static str,
    /// The list in dispute: `states`, `scans` or `kept`.
    pub list: Option<&'static str>,
    /// The unit that is run.
    pub unit: Option<u64>,
    /// The clock that runs.
    pub clock: Option<ClockView>,
    /// The runs.
    pub runs: Vec<RunView>,
    /// The matches between them.
    pub matches: Vec<MatchView>,
}

/// A run of the machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RunView {
    /// Its root.
    pub root: H256,
    /// Who has added it.
    pub by: AccountId,
    /// What it shows: `for` the claim, `against` it, or a `failure` of the machine.
    pub shows: &'static str,
    /// How it lost: `clock` or `refuted`. `None`: it stands.
    pub lost: Option<&'static str>,
}

/// A match between two runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MatchView {
    /// The roots of the two runs.
    pub runs: [H256; 2],
    /// How many levels are left before one segment of the run is; `None`: it is over.
    pub levels: Option<u32>,
    /// The first segment that may differ.
    pub segment: Option<u64>,
    /// Blocks that are left of each run's clock, if it runs.
    pub blocks: [Option<u64>; 2],
}

/// When somebody looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// The time in court.
    pub time: Time,
    /// How long a block takes, in milliseconds.
    pub block_ms: u64,
}

impl Moment {
    fn clock(&self, running: Running) -> ClockView {
        ClockView {
            turn: match running.side {
                Some(Side::Accuser) => "accuser",
                Some(Side::Defence) => "defence",
                None => "anybody",
            },
            blocks: running.left,
            seconds: running.left.saturating_mul(self.block_ms) / 1000,
        }
    }
}

impl DisputedView {
    /// The cases with their trials, by number; `trials` each with its number.
    pub fn all(cases: &[CaseView], trials: &[(u64, TrialView)], now: Moment) -> Vec<Self> {
        let mut all: Vec<_> = cases.iter().map(Self::open).collect();
        for (number, trial) in trials {
            let view = DisputeView::of(*number, trial, now);
            match all.iter_mut().find(|case| case.case == trial.case) {
                Some(case) => case.trials.push(view),
                None => all.push(Self::closed(view)),
            }
        }
        for case in &mut all {
            case.trials.sort_by_key(|trial| trial.trial);
        }
        all.sort_by_key(|case| case.case);
        all
    }

    fn open(case: &CaseView) -> Self {
        Self {
            task: case.task,
            case: case.number,
            claim: case.claim,
            until: Some(case.until),
            reveal_until: Some(case.reveal_until),
            hidden: case.hidden,
            decided: case.decided == Some(HowEnded::Fallen),
            trials: Vec::new(),
        }
    }

    /// The case of a trial whose bonds are left.
    fn closed(trial: DisputeView) -> Self {
        Self {
            task: trial.task,
            case: trial.case,
            claim: trial.claim,
            until: None,
            reveal_until: None,
            hidden: 0,
            decided: trial.verdict.is_some_and(|verdict| verdict != "stands"),
            trials: vec![trial],
        }
    }
}

impl DisputeView {
    /// Trial number `trial`, as it is `now`.
    pub fn of(trial: u64, view: &TrialView, now: Moment) -> Self {
        let dispute = &view.game.dispute;
        let branches = view.game.branches.iter();
        let defences: Vec<_> = branches
            .map(|(branch, runs)| DefenceView::of(branch, runs, now))
            .collect();
        // The accusation, and each of these.
        let parts = defences.iter().map(|defence| 1 + defence.runs.len()).sum::<usize>() + 1;
        let (phase, state) = match &dispute.phase {
            Phase::States(_) => ("states", None),
            Phase::Chunks { state, .. } => ("state", Some(*state)),
            Phase::Defences { aim, .. } => ("defences", aim.state()),
            Phase::Over(_) => ("over", None),
        };
        Self {
            trial,
            task: view.task,
            case: view.case,
            accuser: view.game.accuser,
            claim: dispute.accused,
            verdict: view.game.verdict().map(|verdict| match verdict {
                Verdict::Falls(_) => "falls",
                Verdict::Stands => "stands",
                Verdict::Nothing => "nothing",
            }),
            phase,
            state,
            clock: dispute.running(now.time).map(|running| now.clock(running)),
            bond: view.bond,
            at_stake: view.bond.saturating_mul(parts as Balance),
            defender: view.defender,
            defences,
        }
    }

    /// The same without what passes by itself: two looks between which nobody has moved are the same.
    pub fn without_clocks(&self) -> Self {
        let mut still = self.clone();
        still.clock = None;
        for defence in &mut still.defences {
            defence.clock = None;
            for game in &mut defence.matches {
                game.blocks = [None; 2];
            }
        }
        still
    }
}

impl DefenceView {
    fn of(branch: &Branch<AccountId>, all: &Runs<AccountId>, now: Moment) -> Self {
        let runs: Vec<_> = all.runs.iter().map(RunView::of).collect();
        let root = |at: u32| runs.get(at as usize).map(|run| run.root).unwrap_or_default();
        let matches = all.matches.iter();
        let matches = matches.map(|((one, other), game)| MatchView::of([root(*one), root(*other)], game.as_ref(), now));
        let matches = matches.collect();
        let named = |list: &List| match list {
            List::States => "states",
            List::Scans => "scans",
            List::Kept => "kept",
        };
        let (phase, list, unit) = match &branch.phase {
            BranchPhase::Choose => ("choose", None, None),
            BranchPhase::Entry { list, .. } => ("list", Some(named(list)), None),
            BranchPhase::Bound { .. } => ("bound", Some(named(&List::States)), None),
            BranchPhase::Runs(bench) => ("runs", None, Some(bench.point.unit)),
            BranchPhase::Over(Found::Right) => ("right", None, None),
            BranchPhase::Over(Found::Wrong) => ("wrong", None, None),
            BranchPhase::Over(Found::Nothing) => ("nothing", None, None),
        };
        Self {
            id: H256(branch.defence.id().0),
            by: branch.by,
            phase,
            list,
            unit,
            clock: branch.running(now.time).map(|running| now.clock(running)),
            runs,
            matches,
        }
    }
}

impl RunView {
    fn of(run: &Run<AccountId>) -> Self {
        Self {
            root: H256(run.root.0),
            by: run.by,
            shows: match run.stand {
                Stand::For => "for",
                Stand::Against => "against",
                Stand::Failure => "failure",
            },
            lost: run.lost.map(|fault| match fault {
                Fault::Wrong => "clock",
                Fault::Fraud => "refuted",
            }),
        }
    }
}

impl MatchView {
    fn of(runs: [H256; 2], game: Option<&Match>, now: Moment) -> Self {
        let position = game.map(Match::position);
        Self {
            runs,
            levels: position.map(|(levels, _)| levels),
            segment: position.and_then(|(levels, node)| node.checked_mul(16u64.checked_pow(levels)?)),
            blocks: game.map_or([None; 2], |game| game.left(now.time)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_disputes::{Accusation, Defence, Game, Move, Pinned, Rules, Shown, Target, Terms};
    use agora_primitives::job::{BlobRef, JobKind, JobSpec, SyntheticJob, states_root};

    const TERMS: Terms = Terms {
        commit: 5,
        reveal: 5,
        clock: 40,
        entry: 20,
        challenge: 10,
        stops: 3,
    };

    fn now(block: u64) -> Moment {
        let time = Time { block, full: 0 };
        Moment { time, block_ms: 6000 }
    }

    #[test]
    fn a_trial_is_shown_move_by_move_with_whose_turn_it_is_and_what_is_at_stake() {
        let spec = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [1; 32],
            matrix_size: 8,
            iterations: 1,
        }));
        let pinned = Pinned {
            image: BlobRef::to(b"image"),
            gas: 1,
        };
        let rules = Rules {
            law: agora_reference::of(&spec),
            job: BlobRef::to(b"job"),
            segments: &pinned,
            terms: &TERMS,
        };
        let output = [7; 64];
        let claim = Claim::Output {
            output: BlobRef::to(&output),
            states_root: states_root(&[]),
        };
        let accusation = Accusation {
            accused: claim,
            target: Target::Output,
            own: None,
        };
        let (accuser, defender) = (AccountId([1; 32]), AccountId([2; 32]));
        let game = Game::new(accuser, &accusation, &rules, now(100).time).expect("it fits");
        let mut view = TrialView {
            task: TaskId(7),
            case: 3,
            terms: TERMS,
            bond: 10,
            defender: None,
            game,
        };
        let shown = DisputeView::of(4, &view, now(110));
        let clock = |turn, blocks| {
            let seconds = blocks * 6;
            Some(ClockView { turn, blocks, seconds })
        };
        assert_eq!((shown.phase, shown.state, shown.at_stake), ("state", Some(1), 10));
        assert_eq!(shown.clock, clock("defence", 30));

        let chunk = Move::Show(Shown::Chunk(output.to_vec()));
        view.game
            .play(&defender, &chunk, &rules, now(112).time)
            .expect("it is the chunk");
        let empty = BlobRef::to(&[]).hash;
        let defence = Defence {
            states: empty,
            scans: empty,
            kept: empty,
            failing: 0,
        };
        view.game
            .play(&defender, &Move::Defend(defence), &rules, now(115).time)
            .expect("it fits");
        let later = DisputeView::of(4, &view, now(117));
        assert_eq!((later.phase, later.at_stake, later.verdict), ("defences", 20, None));
        assert_eq!(later.clock, clock("anybody", 15));
        assert_eq!((later.defences[0].phase, later.defences[0].by), ("choose", defender));
        assert_eq!(later.defences[0].clock, clock("accuser", 38));
        // Time alone is no move.
        let still = DisputeView::of(4, &view, now(118));
        assert_ne!(later, still);
        assert_eq!(later.without_clocks(), still.without_clocks());
        assert_ne!(shown.without_clocks(), later.without_clocks());

        let cases = DisputedView::all(&[], &[(4, view)], now(118));
        assert_eq!(
            (cases.len(), cases[0].case, cases[0].until),
            (1, 3, None),
            "its case is closed"
        );
        assert_eq!(cases[0].trials[0].trial, 4);
    }
}
