//! One accuser against one claim: from the accusation to a chunk, and then as many branches as there are defences.

use crate::{
    Accusation, Branch, Defence, Descent, Error, Fault, Found, Node, Running, Shown, Side, Target, Terms, Time, Tree,
    Turn, clock::Clock, unit::Aim,
};
use agora_jobs::{BlobRef, Claim, H256, blob, blob::CHUNK_BYTES, states_root};
use agora_reference::Reference;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Bytes of a chunk.
const CHUNK: u64 = CHUNK_BYTES as u64;

/// How a dispute ends.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The claim is wrong: it falls.
    Falls(Fault),
    /// The accusation fails. Other accusations of the same claim go on.
    Stands,
    /// Nothing is decided: a run was left that fails, and no defence was found right. All are refunded.
    Nothing,
}

/// Where a dispute is.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// From the states root to the digest of a state.
    States(Descent),
    /// From the digest of a state to a chunk.
    Chunks {
        /// The state.
        state: u64,
        /// Where in its tree.
        descent: Descent,
    },
    /// Defences are added, and beaten.
    Defences {
        /// What is in dispute.
        aim: Aim,
        /// They may be added until this has run out.
        entry: Clock,
        /// How many stand.
        standing: u32,
        /// Whether one was beaten by nothing but a run that fails.
        has_failed: bool,
    },
    /// It is over.
    Over(Verdict),
}

/// The clocks of two sides that move in turn.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Clocks {
    pub defence: Clock,
    pub accuser: Clock,
}

impl Clocks {
    pub(crate) const fn new(terms: &Terms) -> Self {
        Self {
            defence: Clock::new(terms.clock, terms.stops),
            accuser: Clock::new(terms.clock, terms.stops),
        }
    }

    pub(crate) fn turn(&mut self, turn: &Turn, now: Time) {
        match turn {
            Turn::Show => self.defence_moves(now),
            Turn::Name(_) | Turn::Entry(_) => self.accuser_moves(now),
        }
    }

    pub(crate) fn defence_moves(&mut self, now: Time) {
        self.accuser.stop(now);
        self.defence.start(now);
    }

    pub(crate) fn accuser_moves(&mut self, now: Time) {
        self.defence.stop(now);
        self.accuser.start(now);
    }

    pub(crate) fn stop(&mut self, now: Time) {
        self.defence.stop(now);
        self.accuser.stop(now);
    }

    /// The one that runs.
    pub(crate) fn running(&self, now: Time) -> Option<Running> {
        let of = |clock: &Clock, side| clock.running_for(Some(side), now);
        of(&self.defence, Side::Defence).or_else(|| of(&self.accuser, Side::Accuser))
    }

    /// Checks that nobody's time is over.
    ///
    /// Errors: `NotNow`.
    pub(crate) fn check(&self, now: Time) -> Result<(), Error> {
        match self.defence.expired(now) || self.accuser.expired(now) {
            true => Err(Error::NotNow),
            false => Ok(()),
        }
    }
}

/// One accuser against one claim.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dispute {
    /// The claim that is accused.
    pub accused: Claim,
    /// Where it is.
    pub phase: Phase,
    clocks: Clocks,
}

impl Dispute {
    /// Begins it. A claim of which the job alone shows that it is wrong falls at once.
    ///
    /// Errors: `Target` if the accusation does not fit the claim, `WrongOpening`.
    pub fn new(accusation: &Accusation, law: &dyn Reference, terms: &Terms, now: Time) -> Result<Self, Error> {
        let mut clocks = Clocks::new(terms);
        let phase = first(accusation, law, terms, now)?;
        match &phase {
            Phase::States(descent) | Phase::Chunks { descent, .. } => clocks.turn(&descent.turn, now),
            Phase::Defences { .. } | Phase::Over(_) => {}
        }
        Ok(Self {
            accused: accusation.accused,
            phase,
            clocks,
        })
    }

    /// The clock that runs, besides those of its branches. `None`: it is over.
    pub fn running(&self, now: Time) -> Option<Running> {
        match &self.phase {
            Phase::States(_) | Phase::Chunks { .. } => self.clocks.running(now),
            Phase::Defences { entry, .. } => entry.running_for(None, now),
            Phase::Over(_) => None,
        }
    }

    /// The defence shows children or a chunk.
    ///
    /// Errors: `NotNow`, `WrongOpening`. Complexity: 16 hashes, or a chunk.
    pub fn show(&mut self, shown: &Shown, terms: &Terms, now: Time) -> Result<(), Error> {
        self.clocks.check(now)?;
        match (&mut self.phase, shown) {
            (Phase::States(descent) | Phase::Chunks { descent, .. }, Shown::Children(children)) => {
                descent.show(children)?;
                self.clocks.accuser_moves(now);
            }
            (Phase::Chunks { state, descent }, Shown::Chunk(chunk)) => {
                descent.chunk(chunk)?;
                let aim = Aim::Chunk {
                    state: *state,
                    chunk: descent.node.first / CHUNK,
                    hash: blob::hash(chunk),
                };
                self.clocks.stop(now);
                self.phase = defences(aim, terms, now);
            }
            _ => return Err(Error::NotNow),
        }
        Ok(())
    }

    /// The accuser names a child.
    ///
    /// Errors: `NotNow`, `NoChild`.
    pub fn name(&mut self, child: u32, law: &dyn Reference, now: Time) -> Result<(), Error> {
        self.clocks.check(now)?;
        match &mut self.phase {
            Phase::States(descent) => {
                descent.name(child)?;
                if descent.node.is_leaf() && descent.node.tree == Tree::States {
                    self.phase = chunks(descent.node.first, descent.node.hash, law);
                }
            }
            Phase::Chunks { descent, .. } => descent.name(child)?,
            _ => return Err(Error::NotNow),
        }
        self.clocks.defence_moves(now);
        Ok(())
    }

    /// Adds a defence; that it is new is for the caller to see.
    ///
    /// Errors: `NotNow`, `WrongList`, `NoUnit`.
    pub fn defend<A>(
        &mut self,
        by: A,
        defence: Defence,
        law: &dyn Reference,
        terms: &Terms,
        now: Time,
    ) -> Result<Branch<A>, Error> {
        let Phase::Defences {
            aim, entry, standing, ..
        } = &mut self.phase
        else {
            return Err(Error::NotNow);
        };
        if entry.expired(now) {
            return Err(Error::NotNow);
        }
        aim.accepts(law, &defence)?;
        *standing = standing.checked_add(1).ok_or(Error::TooMany)?;
        Ok(Branch::new(by, *aim, defence, terms, now))
    }

    /// Takes note of what a branch has found.
    ///
    /// One in which a run is left that fails ends nothing: nobody can refute a run on lists that somebody made up, so whoever
    /// adds such lists could keep the defence that is right from being heard.
    pub const fn close(&mut self, found: Found) {
        let Phase::Defences {
            standing, has_failed, ..
        } = &mut self.phase
        else {
            return;
        };
        match found {
            Found::Right => {
                self.phase = Phase::Over(Verdict::Stands);
                return;
            }
            Found::Wrong => {}
            Found::Nothing => *has_failed = true,
        }
        *standing = standing.saturating_sub(1);
    }

    /// Ends what time has ended.
    ///
    /// Errors: `Early`.
    pub fn advance(&mut self, now: Time) -> Result<(), Error> {
        let verdict = match &self.phase {
            Phase::States(_) | Phase::Chunks { .. } if self.clocks.defence.expired(now) => Verdict::Falls(Fault::Wrong),
            Phase::States(_) | Phase::Chunks { .. } if self.clocks.accuser.expired(now) => Verdict::Stands,
            Phase::Defences {
                entry,
                standing: 0,
                has_failed,
                ..
            } if entry.expired(now) => match has_failed {
                true => Verdict::Nothing,
                false => Verdict::Falls(Fault::Wrong),
            },
            _ => return Err(Error::Early),
        };
        self.phase = Phase::Over(verdict);
        Ok(())
    }
}

/// Where a dispute begins.
fn first(accusation: &Accusation, law: &dyn Reference, terms: &Terms, now: Time) -> Result<Phase, Error> {
    let Claim::Output {
        output,
        states_root: root,
    } = accusation.accused
    else {
        return match accusation.target {
            Target::Inputs => Ok(defences(Aim::Unusable, terms, now)),
            _ => Err(Error::Target),
        };
    };
    let last = law.states().saturating_sub(1);
    if output.size != law.state_size(last) || (last == 0 && root != states_root(&[])) {
        return Ok(Phase::Over(Verdict::Falls(Fault::Fraud)));
    }
    match &accusation.target {
        Target::Inputs => Ok(defences(Aim::Usable, terms, now)),
        Target::States if last == 0 => Err(Error::Target),
        Target::States => Ok(Phase::States(Descent::new(Node::states(last, root)))),
        Target::Output => Ok(chunks(last, output.hash, law)),
        Target::Chunk { state, chunk } => {
            let blob = BlobRef {
                hash: state.digest,
                size: law.state_size(state.index),
            };
            if !accusation.accused.verify(law.states(), state) || !blob.verify(chunk) {
                return Err(Error::WrongOpening);
            }
            let aim = Aim::Chunk {
                state: state.index,
                chunk: chunk.index,
                hash: blob::hash(&chunk.chunk),
            };
            Ok(defences(aim, terms, now))
        }
    }
}

fn chunks(state: u64, digest: H256, law: &dyn Reference) -> Phase {
    let blob = BlobRef {
        hash: digest,
        size: law.state_size(state),
    };
    Phase::Chunks {
        state,
        descent: Descent::new(Node::blob(&blob)),
    }
}

const fn defences(aim: Aim, terms: &Terms, now: Time) -> Phase {
    Phase::Defences {
        aim,
        entry: Clock::running(terms.entry, terms.stops, now),
        standing: 0,
        has_failed: false,
    }
}
