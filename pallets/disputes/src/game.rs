//! A whole dispute in one value, for those who follow it off the chain and for tests. A pallet stores its parts apart, so that
//! a call costs the same however many there are, and makes the same transitions.
//!
//! | phase | who moves | deadline | next |
//! | --- | --- | --- | --- |
//! | states, chunks: a node | anybody shows its children, or its chunk | defence's clock: the claim falls | named; after a chunk of a state: defences |
//! | states, chunks: named | the accuser names a child | accuser's clock: the claim stands | a node |
//! | defences | anybody adds one, with a bond | `entry` | a branch each; none is left: the claim falls; one was right: it stands |
//! | branch: choose | the accuser says which list is wrong, or none | accuser's clock: right | a node of the list; runs |
//! | branch: a node | anybody shows what is below | defence's clock: wrong | named |
//! | branch: named | the accuser names a child, or an entry | accuser's clock: right | a node; bound (a state); runs (what a unit kept) |
//! | branch: bound | anybody shows that the claim has the state | defence's clock: wrong | right |
//! | runs | anybody adds one, with a bond | `entry` | |
//! | | anybody begins a match between two that differ | `entry + challenge` | no two sides, and no match, are left: found |
//! | match: height 8 to 1 | anybody opens the node of a run | that run's clock: it loses | when both are open, one down |
//! | match: height 0 | anybody executes the segment | both clocks: a run whose clock is out loses | over |

use crate::{
    Accusation, Bench, Branch, BranchMove, Defence, Dispute, Error, Fault, Losses, Match, Player, Run, RunEnd, Segment,
    Segments, Shown, Side, Stand, Terms, Time, Verdict, branch::Phase as BranchPhase, dispute::Phase,
};
use agora_jobs::{BlobRef, H256};
use agora_machine::run_tree::Children;
use agora_reference::Reference;
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// What does not change while a game is played.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The kind of the job: how many states, units and bytes there are follows from it.
    pub law: &'a dyn Reference,
    /// The encoded job specification.
    pub job: BlobRef,
    /// The machine.
    pub segments: &'a dyn Segments,
    /// The lengths of the phases.
    pub terms: &'a Terms,
}

/// A move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Move {
    /// For the defence, before the branches: what is below a node.
    Show(Shown),
    /// The accuser's, before the branches: this child.
    Name(u32),
    /// For the defence: lists, with a bond.
    Defend(Defence),
    /// In a branch, before the runs.
    Branch(usize, BranchMove),
    /// In the runs of a branch.
    Run(usize, Box<RunMove>),
    /// Ends what time has ended.
    Advance,
}

/// A move among the runs of a branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunMove {
    /// A run, with a bond.
    Add(H256, RunEnd),
    /// Begins a match between two runs.
    Challenge(usize, usize),
    /// Opens the node of one of the two runs of a match.
    Open(usize, Player, Box<Children>),
    /// Executes the segment that is left.
    Execute(usize, Segment),
}

/// A part of a game that time has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Late {
    /// A match: the number of its branch, and its own.
    Match(usize, usize),
    /// A branch.
    Branch(usize),
    /// The dispute.
    Dispute,
}

/// What was shown of a list on the way to an entry: the children of each node, by where it begins and how many bytes are below it.
pub type Openings = BTreeMap<(u64, u64), Vec<H256>>;

/// What a branch has beside itself: what was shown of its list, its runs, and their matches.
#[derive(Encode, Decode, TypeInfo)]
#[derive(Clone, Debug)]
pub struct Runs<A> {
    /// Whoever runs a unit that reads the list proves its chunks with these.
    pub openings: Openings,
    /// The runs, in the order in which they were added.
    pub runs: Vec<Run<A>>,
    /// The matches, with the numbers of their runs. `None`: it is over.
    pub matches: Vec<((u32, u32), Option<Match>)>,
}

/// A dispute with all its parts.
#[derive(Encode, Decode, TypeInfo)]
#[derive(Clone, Debug)]
pub struct Game<A> {
    /// The accuser.
    pub accuser: A,
    /// The dispute.
    pub dispute: Dispute,
    /// The branches, each with its runs.
    pub branches: Vec<(Branch<A>, Runs<A>)>,
    /// How many moves everybody made for each side.
    pub moves: BTreeMap<(Side, A), u32>,
}

impl<A: Clone + Ord> Game<A> {
    /// Begins it.
    ///
    /// Errors: those of [`Dispute::new`].
    pub fn new(accuser: A, accusation: &Accusation, rules: &Rules<'_>, now: Time) -> Result<Self, Error> {
        Ok(Self {
            accuser,
            dispute: Dispute::new(accusation, rules.law, rules.terms, now)?,
            branches: Vec::new(),
            moves: BTreeMap::new(),
        })
    }

    /// How it ended. `None`: it has not.
    pub const fn verdict(&self) -> Option<Verdict> {
        match self.dispute.phase {
            Phase::Over(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// Makes a move.
    ///
    /// Errors: why it is refused; then nothing has changed.
    pub fn play(&mut self, by: &A, made: &Move, rules: &Rules<'_>, now: Time) -> Result<(), Error> {
        if self.verdict().is_some() {
            return Err(Error::NotNow);
        }
        let side = match made {
            Move::Show(shown) => {
                self.dispute.show(shown, rules.terms, now)?;
                Some(Side::Defence)
            }
            Move::Name(child) => {
                self.check_accuser(by)?;
                self.dispute.name(*child, rules.law, now)?;
                Some(Side::Accuser)
            }
            Move::Defend(defence) => {
                if self.branches.iter().any(|(branch, _)| branch.defence == *defence) {
                    return Err(Error::Known);
                }
                let branch = self.dispute.defend(by.clone(), *defence, rules.law, rules.terms, now)?;
                self.branches.push((branch, Runs::new()));
                Some(Side::Defence)
            }
            Move::Branch(at, made) => Some(self.play_branch(by, *at, made, rules, now)?),
            Move::Run(at, made) => {
                let (branch, runs) = self.branches.get_mut(*at).ok_or(Error::Unknown)?;
                runs.play(by, branch, made, rules, now)?
            }
            Move::Advance => {
                self.advance(now)?;
                None
            }
        };
        if let Some(side) = side {
            let count = self.moves.entry((side, by.clone())).or_default();
            *count = count.saturating_add(1);
        }
        Ok(())
    }

    /// What time has ended at `now`, and nobody has said so: the innermost parts first, because ending one may end what it is part of.
    /// Nothing, once the game is over.
    pub fn late(&self, now: Time) -> Vec<Late> {
        if self.verdict().is_some() {
            return Vec::new();
        }
        let branches = self.branches.iter().enumerate();
        let parts = branches.flat_map(|(at, (branch, runs))| {
            let matches = runs.late(branch, now).into_iter();
            let is_late = !matches!(branch.phase, BranchPhase::Over(_)) && branch.clone().advance(now).is_ok();
            let matches = matches.map(move |(number, _)| Late::Match(at, number));
            matches.chain(is_late.then_some(Late::Branch(at)))
        });
        let mut dispute = self.dispute;
        let is_late = dispute.advance(now).is_ok();
        parts.chain(is_late.then_some(Late::Dispute)).collect()
    }

    /// What a chain knows the defence of a branch by. `None`: there is no such branch.
    pub fn key(&self, branch: usize) -> Option<H256> {
        self.branches.get(branch).map(|(branch, _)| branch.defence.id())
    }

    /// The root by which a chain knows a run of a branch. `None`: there is none.
    pub fn root(&self, branch: usize, run: usize) -> Option<H256> {
        let (_, runs) = self.branches.get(branch)?;
        runs.runs.get(run).map(|run| run.root)
    }

    /// The roots of the two runs of a match in a branch. `None`: there is none.
    pub fn roots(&self, branch: usize, at: usize) -> Option<(H256, H256)> {
        let (_, runs) = self.branches.get(branch)?;
        let ((first, second), _) = runs.matches.get(at)?;
        let root = |run: u32| self.root(branch, usize::try_from(run).ok()?);
        Some((root(*first)?, root(*second)?))
    }

    fn check_accuser(&self, by: &A) -> Result<(), Error> {
        (self.accuser == *by).then_some(()).ok_or(Error::NotAccuser)
    }

    fn play_branch(
        &mut self,
        by: &A,
        at: usize,
        made: &BranchMove,
        rules: &Rules<'_>,
        now: Time,
    ) -> Result<Side, Error> {
        if made.is_accusers() {
            self.check_accuser(by)?;
        }
        let (branch, runs) = self.branches.get_mut(at).ok_or(Error::Unknown)?;
        let node = match &branch.phase {
            BranchPhase::Entry { descent, .. } => Some((descent.node.first, descent.node.len)),
            _ => None,
        };
        branch.play(&self.dispute.accused, made, rules, now)?;
        if let (Some(node), BranchMove::Show(Shown::Children(children))) = (node, made) {
            runs.openings.insert(node, children.clone());
        }
        if let BranchPhase::Over(found) = branch.phase {
            self.dispute.close(found);
        }
        Ok(if made.is_accusers() {
            Side::Accuser
        } else {
            Side::Defence
        })
    }

    /// Ends everything that time has ended: matches, branches, the dispute.
    fn advance(&mut self, now: Time) -> Result<(), Error> {
        let mut moved = false;
        for (branch, runs) in &mut self.branches {
            moved |= runs.advance(branch, now);
            if let Ok(found) = branch.advance(now) {
                moved = true;
                self.dispute.close(found);
            }
        }
        match self.dispute.advance(now) {
            Err(Error::Early) if moved => Ok(()),
            result => result,
        }
    }

    /// Everybody who has lost a bond, and how: those who added defences and runs that lost, and the accuser if the claim stands.
    ///
    /// Those of the claim, if it falls, are for the caller to know.
    pub fn losers(&self) -> Vec<(A, Fault)> {
        let accuser = (self.verdict() == Some(Verdict::Stands)).then(|| (self.accuser.clone(), Fault::Wrong));
        let defences = self
            .branches
            .iter()
            .filter_map(|(branch, _)| Some((branch.by.clone(), branch.lost()?)));
        let runs = self.branches.iter().flat_map(|(_, runs)| &runs.runs);
        let runs = runs.filter_map(|run| Some((run.by.clone(), run.lost?)));
        accuser.into_iter().chain(defences).chain(runs).collect()
    }
}

impl Stand {
    /// For which side a move of such a run is.
    const fn side(self) -> Side {
        match self {
            Self::For => Side::Defence,
            Self::Against | Self::Failure => Side::Accuser,
        }
    }
}

impl<A: Clone> Runs<A> {
    const fn new() -> Self {
        Self {
            openings: Openings::new(),
            runs: Vec::new(),
            matches: Vec::new(),
        }
    }

    fn run(&self, at: usize) -> Result<&Run<A>, Error> {
        self.runs.get(at).ok_or(Error::Unknown)
    }

    fn game(&mut self, at: usize) -> Result<((usize, usize), &mut Match), Error> {
        let (players, game) = self.matches.get_mut(at).ok_or(Error::Unknown)?;
        let (first, second) = *players;
        Ok(((first as usize, second as usize), game.as_mut().ok_or(Error::NotNow)?))
    }

    /// Makes a move, and says for which side it was. `None`: for neither.
    fn play(
        &mut self,
        by: &A,
        branch: &mut Branch<A>,
        made: &RunMove,
        rules: &Rules<'_>,
        now: Time,
    ) -> Result<Option<Side>, Error> {
        let execution = branch.execution(rules)?;
        let BranchPhase::Runs(bench) = &mut branch.phase else {
            return Err(Error::NotNow);
        };
        match made {
            RunMove::Add(root, end) => {
                if self.runs.iter().any(|run| run.root == *root) {
                    return Err(Error::Known);
                }
                let run = bench.add(by.clone(), *root, end, rules.law, rules.segments, now)?;
                let side = run.stand.side();
                self.runs.push(run);
                Ok(Some(side))
            }
            RunMove::Challenge(first, second) => {
                let number = |run: usize| u32::try_from(run).map_err(|_| Error::Unknown);
                let (one, other) = (number(*first)?, number(*second)?);
                let known = |(players, _): &((u32, u32), Option<Match>)| [(one, other), (other, one)].contains(players);
                if self.matches.iter().any(known) {
                    return Err(Error::Known);
                }
                let game = bench.challenge(self.run(*first)?, self.run(*second)?, rules.terms, now)?;
                self.matches.push(((one, other), Some(game)));
                Ok(Some(self.run(*first)?.stand.side()))
            }
            RunMove::Open(at, player, children) => {
                let ((first, second), game) = self.game(*at)?;
                game.open(*player, children, now)?;
                let run = match player {
                    Player::First => first,
                    Player::Second => second,
                };
                Ok(Some(self.run(run)?.stand.side()))
            }
            RunMove::Execute(at, segment) => {
                let ((first, second), game) = self.game(*at)?;
                let losses = game.execute(segment, &execution, rules.segments, now)?;
                self.close(*at, bench, losses);
                let right = match losses {
                    [None, _] => first,
                    [_, None] => second,
                    _ => return Ok(None),
                };
                Ok(Some(self.run(right)?.stand.side()))
            }
        }
    }

    fn close(&mut self, at: usize, bench: &mut Bench, losses: Losses) {
        let Some(((first, second), game)) = self.matches.get_mut(at) else {
            return;
        };
        if let (Some(_), Ok([one, other])) = (
            game.take(),
            self.runs.get_disjoint_mut([*first as usize, *second as usize]),
        ) {
            bench.close([one, other], losses);
        }
    }

    /// The matches that time has ended, by number, and who has lost them.
    fn late(&self, branch: &Branch<A>, now: Time) -> Vec<(usize, Losses)> {
        if !matches!(branch.phase, BranchPhase::Runs(_)) {
            return Vec::new();
        }
        let late = |(at, (_, game)): (usize, &(_, Option<Match>))| Some((at, game.as_ref()?.timeout(now)?));
        self.matches.iter().enumerate().filter_map(late).collect()
    }

    /// Ends the matches that time has ended. Whether there were any.
    fn advance(&mut self, branch: &mut Branch<A>, now: Time) -> bool {
        let late = self.late(branch, now);
        let BranchPhase::Runs(bench) = &mut branch.phase else {
            return false;
        };
        for &(at, losses) in &late {
            self.close(at, bench, losses);
        }
        !late.is_empty()
    }
}
