//! One accuser against one defence: which list is wrong, where, and then the runs of one unit.

use crate::{
    Bench, Defence, Descent, Error, Execution, Fault, Found, List, Node, Point, Rules, Running, Shown, Terms, Time,
    Turn,
    dispute::Clocks,
    unit::{Aim, ENTRIES, Expected},
};
use agora_jobs::{BlobRef, Claim, H256, StateOpening};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Where a branch is.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant, reason = "it is stored as it is, and is about a KiB at most")]
pub enum Phase {
    /// The accuser says which list is wrong, or that all are right.
    Choose,
    /// From the hash of a list to an entry.
    Entry {
        /// The list.
        list: List,
        /// Where in its tree.
        descent: Descent,
    },
    /// The defence shows that the claim has the state that its list has.
    Bound {
        /// The state.
        state: u64,
        /// Its digest in the list.
        digest: H256,
    },
    /// Runs of a unit.
    Runs(Bench),
    /// It is over.
    Over(Found),
}

/// A move in a branch before the runs.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BranchMove {
    /// The accuser's: this list is wrong; or, none is.
    Choose(Option<List>),
    /// The accuser's: this child.
    Name(u32),
    /// The accuser's: this entry of the chunk that is shown.
    Entry(u32),
    /// The defence's: what is below a node of a list.
    Show(Shown),
    /// The defence's: a state of the claim.
    Bind(StateOpening),
}

impl BranchMove {
    /// Whether only the accuser can make it.
    pub const fn is_accusers(&self) -> bool {
        matches!(self, Self::Choose(_) | Self::Name(_) | Self::Entry(_))
    }
}

/// One accuser against one defence.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Branch<A> {
    /// Whose bond is on the defence.
    pub by: A,
    /// What is in dispute.
    pub aim: Aim,
    /// The lists.
    pub defence: Defence,
    /// Where it is.
    pub phase: Phase,
    /// The chunk of a list from which the accuser named an entry: those who run the unit that made it read it.
    pub named: Option<(List, Node, [H256; ENTRIES])>,
    clocks: Clocks,
}

impl<A> Branch<A> {
    pub(crate) fn new(by: A, aim: Aim, defence: Defence, terms: &Terms, now: Time) -> Self {
        let mut clocks = Clocks::new(terms);
        clocks.accuser_moves(now);
        Self {
            by,
            aim,
            defence,
            phase: Phase::Choose,
            named: None,
            clocks,
        }
    }

    /// Makes a move against `claim`, or for it. That the accuser makes its own is for the caller to see.
    ///
    /// Errors: `NotNow`, `NoChild`, `NoUnit`, `WrongOpening`. Complexity: 16 hashes, or a chunk, or a proof of at most 64 hashes.
    pub fn play(&mut self, claim: &Claim, made: &BranchMove, rules: &Rules<'_>, now: Time) -> Result<(), Error> {
        self.clocks.check(now)?;
        match (&mut self.phase, made) {
            (Phase::Choose, BranchMove::Choose(None)) => {
                let point = self.aim.point(rules.law, &self.defence)?;
                self.run(point, rules, now)?;
            }
            (Phase::Choose, BranchMove::Choose(Some(list))) => {
                if let Some((state, digest)) = self.aim.before(rules.law, &self.defence)
                    && *list == List::States
                {
                    self.bind(state, digest, now);
                    return Ok(());
                }
                let blob = self.aim.list(rules.law, &self.defence, *list);
                if blob.size == 0 {
                    return Err(Error::NoChild);
                }
                self.phase = Phase::Entry {
                    list: *list,
                    descent: Descent::new(Node::blob(&blob)),
                };
                self.clocks.defence_moves(now);
            }
            (Phase::Entry { descent, .. }, BranchMove::Show(shown)) => {
                match shown {
                    Shown::Children(children) => descent.show(children)?,
                    Shown::Chunk(chunk) => descent.entries(chunk)?,
                }
                self.clocks.accuser_moves(now);
            }
            (Phase::Entry { descent, .. }, BranchMove::Name(child)) => {
                descent.name(*child)?;
                self.clocks.defence_moves(now);
            }
            (Phase::Entry { list, descent }, BranchMove::Entry(entry)) => {
                let (number, digest) = descent.entry(*entry)?;
                let (list, node, turn) = (*list, descent.node, descent.turn);
                self.accuse_entry(list, number, digest, rules, now)?;
                if let Turn::Entry(entries) = turn {
                    self.named = Some((list, node, entries));
                }
            }
            (Phase::Bound { state, digest }, BranchMove::Bind(opening)) => {
                let is_it = opening.index == *state && opening.digest == *digest;
                if !is_it || !claim.verify(rules.law.states(), opening) {
                    return Err(Error::WrongOpening);
                }
                self.end(Found::Right, now);
            }
            _ => return Err(Error::NotNow),
        }
        Ok(())
    }

    /// An entry of a list is said to be wrong: a state, of which the claim must have the same, or what a unit kept.
    fn accuse_entry(
        &mut self,
        list: List,
        number: u64,
        digest: H256,
        rules: &Rules<'_>,
        now: Time,
    ) -> Result<(), Error> {
        let state = match list {
            List::States => {
                self.bind(number, digest, now);
                return Ok(());
            }
            List::Scans => None,
            List::Kept => self.aim.state(),
        };
        let point = Point {
            state,
            unit: number,
            expected: Expected::Output(digest),
        };
        self.run(point, rules, now)
    }

    /// The claim must have `digest` as that of `state`.
    fn bind(&mut self, state: u64, digest: H256, now: Time) {
        self.phase = Phase::Bound { state, digest };
        self.clocks.defence_moves(now);
    }

    /// The run that decides, if it has come to that.
    ///
    /// Errors: `NotNow`, `NoUnit`.
    pub fn execution(&self, rules: &Rules<'_>) -> Result<Execution, Error> {
        let Phase::Runs(bench) = &self.phase else {
            return Err(Error::NotNow);
        };
        self.aim.execution(rules.law, rules.job, &self.defence, &bench.point)
    }

    fn run(&mut self, point: Point, rules: &Rules<'_>, now: Time) -> Result<(), Error> {
        point.size(rules.law).ok_or(Error::NoUnit)?;
        let run = self.aim.execution(rules.law, rules.job, &self.defence, &point)?;
        let input = BlobRef::to(&run.input());
        let start = rules.segments.start(&run);
        self.clocks.stop(now);
        self.phase = Phase::Runs(Bench::new(point, input, start, rules.terms, now));
        Ok(())
    }

    fn end(&mut self, found: Found, now: Time) {
        self.clocks.stop(now);
        self.phase = Phase::Over(found);
    }

    /// Ends what time has ended, and says what was found.
    ///
    /// Errors: `Early`.
    pub fn advance(&mut self, now: Time) -> Result<Found, Error> {
        let found = match &self.phase {
            Phase::Runs(bench) => bench.found(now).ok_or(Error::Early)?,
            Phase::Over(_) => return Err(Error::NotNow),
            _ if self.clocks.defence.expired(now) => Found::Wrong,
            _ if self.clocks.accuser.expired(now) => Found::Right,
            _ => return Err(Error::Early),
        };
        self.end(found, now);
        Ok(found)
    }

    /// How its defence has lost. `None`: it has not.
    pub fn lost(&self) -> Option<Fault> {
        matches!(self.phase, Phase::Over(Found::Wrong)).then_some(Fault::Wrong)
    }

    /// The clock that runs, besides those of matches. `None`: it is over, or only matches are left.
    pub fn running(&self, now: Time) -> Option<Running> {
        match &self.phase {
            Phase::Choose | Phase::Entry { .. } | Phase::Bound { .. } => self.clocks.running(now),
            Phase::Runs(bench) => bench.running(now),
            Phase::Over(_) => None,
        }
    }

    /// Whether it is for the defence to show something.
    pub const fn waits_for_defence(&self) -> bool {
        match &self.phase {
            Phase::Entry { descent, .. } => matches!(descent.turn, Turn::Show),
            Phase::Bound { .. } => true,
            Phase::Choose | Phase::Runs(_) | Phase::Over(_) => false,
        }
    }
}
