//! Traces: openings of single states, and the game that finds where two traces differ.
//!
//! A job's computation goes through *states* `S_0 … S_(n−1)`, of which the last is the output. Its *trace* is the list of
//! their digests. The worker with account `a` commits to it by the [`root`] of the leaves
//! `leaf_hash(a ‖ u32 i ‖ digest of S_i)`, as `docs/protocol.md` says; how many states there are follows from the job.
//! An [`Opening`] shows one of the digests.
//!
//! # Bisection
//! Two workers have revealed different digests of the result for one job. [`Bisection`] finds one state in which they
//! differ although they agree about the one before, so that whoever decides between them has to compute a single step.
//!
//! Of the states, those from `first` to `last` are in question. At the beginning these are all. It always holds that
//! 1. the parties differ in state `last`: at the beginning it is the output, whose digests they revealed; and
//! 2. they agree about state `first − 1`; for `first = 0`, about the job and its inputs, which lie before all states.
//!
//! While `first < last`, both open the state in the middle. If they agree about it, it is the new `first − 1`, else the new
//! `last`; either way both statements still hold. Of `m` states in question at most `⌈m / 2⌉` are left, so that the game
//! ends after at most `⌈log₂ n⌉` rounds at a single one: the [`Disputed`] step.
//!
//! **The party that computed rightly wins.** Let `f` be the step from one state to the next, and let one party be honest.
//! It opens its own trace, so its openings always hold. At the end the other party has agreed to the honest state
//! `S_(i−1)`, and has committed to another state `i` than `f(S_(i−1))`. One computation of `f` shows that. If two traces
//! differ in several places, the game ends at one of them, and each serves. If they differ from one place on, the game
//! ends at the first wrong step.
//!
//! **Answers are fixed before the game.** A root binds each state's digest, so an answer cannot depend on what the other
//! party said, and the order of answers does not matter. A party whose opening does not fit its root loses
//! at once ([`Outcome::Forfeited`]); so does, by [`Bisection::forfeit`], a party that does not answer in the time that
//! the caller allows.
//!
//! Nothing here panics, whatever an opening contains. A round costs two verifications of O(log n) hashes each.

use crate::merkle::{self, Hash, Proof};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// The account that a trace belongs to.
pub type Account = [u8; 32];

/// Hashes the leaf for state `index`: `leaf_hash(account ‖ u32 index ‖ digest)`.
///
/// The account is in it, so that a trace is of no use to another account.
pub fn leaf(account: &Account, index: u32, digest: &Hash) -> Hash {
    let mut content = Vec::with_capacity(68);
    content.extend_from_slice(account);
    content.extend_from_slice(&index.to_le_bytes());
    content.extend_from_slice(digest);
    merkle::leaf_hash(&content)
}

/// The leaves of `account`'s trace. States beyond 2³² have none; no job has so many.
fn leaves(account: &Account, digests: &[Hash]) -> Vec<Hash> {
    let indexed = (0..=u32::MAX).zip(digests);
    indexed.map(|(index, digest)| leaf(account, index, digest)).collect()
}

/// Returns the root by which `account` commits to the states with these digests.
///
/// Complexity: O(n).
pub fn root(account: &Account, digests: &[Hash]) -> Hash {
    merkle::root(&leaves(account, digests))
}

/// Opens state `index` of `account`'s trace; nothing if there is no such state.
///
/// Complexity: O(n).
pub fn open(account: &Account, digests: &[Hash], index: u32) -> Option<Opening> {
    let place = usize::try_from(index).ok()?;
    Some(Opening {
        index,
        digest: *digests.get(place)?,
        proof: merkle::prove(&leaves(account, digests), place)?.siblings,
    })
}

/// Shows what digest a state has in a trace.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// Which state, counted from 0.
    pub index: u32,
    /// The state's digest.
    pub digest: Hash,
    /// The hashes beside the path from its leaf to the top, lowest first: at most 32.
    pub proof: Vec<Hash>,
}

/// What a worker has committed to and revealed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Commitment {
    /// The worker.
    pub account: Account,
    /// The digest of the result.
    pub result: Hash,
    /// The [`root`] of the trace.
    pub trace: Hash,
    /// How many states the trace has, which follows from the job.
    pub states: u32,
}

impl Commitment {
    /// Whether `opening` shows a state of this trace.
    ///
    /// Never panics. Complexity: O(log n), at most 34 hashes, whatever the length of the proof.
    pub fn bears_out(&self, opening: &Opening) -> bool {
        let leaf = leaf(&self.account, opening.index, &opening.digest);
        // Longer ones are refused before they are copied.
        opening.proof.len() <= u32::BITS as usize
            && merkle::verify(
                &self.trace,
                &leaf,
                &Proof {
                    index: opening.index.into(),
                    leaf_count: self.states.into(),
                    siblings: opening.proof.clone(),
                },
            )
    }
}

/// One of the two who differ.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    /// The one whose commitment was given first.
    First,
    /// The other.
    Second,
}

/// A state in which two traces differ, while they agree about the one before.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Disputed {
    /// Which state: the one that step `step` makes of state `step − 1`.
    pub step: u32,
    /// The digest of state `step − 1`; nothing for the first state, which follows from the job alone.
    pub agreed_state: Option<Hash>,
    /// The digest of state `step` as the first and the second party have it: never equal.
    pub claims: [Hash; 2],
}

impl Disputed {
    /// Whether the first and the second party are right, if `digest` is what step `step` gives.
    pub fn settle(&self, digest: &Hash) -> [bool; 2] {
        self.claims.map(|claim| claim == *digest)
    }
}

/// How a game ended.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// One step decides.
    Disputed(Disputed),
    /// This party has lost: its opening did not fit its root, or did not come in time.
    Forfeited(Party),
}

/// Why there is no game.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartError {
    /// The results are equal: there is nothing to dispute.
    EqualResults,
    /// The results differ and the roots do not. As the account is in every leaf, one of the two at most can open its
    /// last state with its result: ask both for that instead.
    EqualRoots,
    /// The traces are not of one length. That of the job is right, and the other party wrong.
    UnequalLengths,
    /// The traces have no state. Every job has one.
    NoStates,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EqualResults => "the results are equal",
            Self::EqualRoots => "the roots of the traces are equal",
            Self::UnequalLengths => "the traces differ in length",
            Self::NoStates => "the traces have no states",
        })
    }
}

impl core::error::Error for StartError {}

/// Why an answer was not taken. The game is as before.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerError {
    /// The game is over.
    Over,
    /// The opening is of another state than was asked for: one of another round.
    WrongState {
        /// The state that both are to open now.
        asked: u32,
    },
    /// This party has answered in this round.
    AlreadyAnswered,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over => f.write_str("the game is over"),
            Self::WrongState { asked } => write!(f, "state {asked} is to be opened now"),
            Self::AlreadyAnswered => f.write_str("this party has answered in this round"),
        }
    }
}

impl core::error::Error for AnswerError {}

/// What is known of the states so far: the last one agreed about, and the range in question.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Search {
    /// The first state in question; all that is before it is agreed about.
    first: u32,
    /// The digest of state `first − 1`.
    agreed: Option<Hash>,
    /// The last state in question, in which the parties differ.
    last: u32,
    /// Its digests.
    claims: [Hash; 2],
}

impl Search {
    /// The state in the middle; nothing if only one is left.
    fn middle(&self) -> Option<u32> {
        let more = self.last.checked_sub(self.first).filter(|&more| more > 0)?;
        self.first.checked_add(more >> 1)
    }

    /// Goes on knowing that state `at`, the middle one, has these digests.
    fn narrow(&mut self, at: u32, digests: [Hash; 2]) {
        let [one, other] = digests;
        if one == other {
            // Saturating: the middle one is before the last.
            self.first = at.saturating_add(1);
            self.agreed = Some(one);
        } else {
            self.last = at;
            self.claims = digests;
        }
    }
}

/// The game by which two who differ find the step that decides between them.
///
/// ```
/// use agora_math::trace::{Bisection, Commitment, Outcome, Party, open, root};
/// let right = [[0; 32], [1; 32], [2; 32], [3; 32]];
/// let wrong = [[0; 32], [1; 32], [9; 32], [8; 32]];
/// let parties = [([1; 32], right), ([2; 32], wrong)];
/// let commitments = parties.map(|(account, states)| Commitment {
///     account,
///     result: states[3],
///     trace: root(&account, &states),
///     states: 4,
/// });
/// let mut game = Bisection::new(commitments)?;
/// while let Some(state) = game.question() {
///     for (party, (account, states)) in [Party::First, Party::Second].into_iter().zip(&parties) {
///         game.answer(party, &open(account, states, state).unwrap())?;
///     }
/// }
/// let Some(Outcome::Disputed(disputed)) = game.outcome() else { panic!() };
/// assert_eq!((disputed.step, disputed.agreed_state), (2, Some([1; 32])));
/// assert_eq!(disputed.settle(&[2; 32]), [true, false]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bisection {
    parties: [Commitment; 2],
    search: Search,
    /// This round's digest of each party that has answered.
    answers: [Option<Hash>; 2],
    rounds: u32,
    forfeited: Option<Party>,
}

impl Bisection {
    /// Begins the game between two who committed to traces of one job.
    ///
    /// Errors: [`StartError`]. With a single state, the game is over at once.
    pub fn new(parties: [Commitment; 2]) -> Result<Self, StartError> {
        let [one, other] = &parties;
        if one.states != other.states {
            return Err(StartError::UnequalLengths);
        }
        let last = one.states.checked_sub(1).ok_or(StartError::NoStates)?;
        if one.result == other.result {
            return Err(StartError::EqualResults);
        }
        if one.trace == other.trace {
            return Err(StartError::EqualRoots);
        }
        let search = Search {
            first: 0,
            agreed: None,
            last,
            claims: [one.result, other.result],
        };
        Ok(Self {
            parties,
            search,
            answers: [None; 2],
            rounds: 0,
            forfeited: None,
        })
    }

    /// The most rounds of a game about `states` states: ⌈log₂ `states`⌉.
    pub const fn most_rounds(states: u32) -> u32 {
        u32::BITS.saturating_sub(states.saturating_sub(1).leading_zeros())
    }

    /// How many rounds are over: at most [`Self::most_rounds`].
    pub const fn rounds(&self) -> u32 {
        self.rounds
    }

    /// The state that both parties are to open now; nothing if the game is over.
    pub fn question(&self) -> Option<u32> {
        match self.forfeited {
            Some(_) => None,
            None => self.search.middle(),
        }
    }

    /// Whether `party` has still to answer the question.
    pub fn awaits(&self, party: Party) -> bool {
        let [first, second] = &self.answers;
        let answer = match party {
            Party::First => first,
            Party::Second => second,
        };
        self.question().is_some() && answer.is_none()
    }

    /// Takes `party`'s opening of the state asked for. If it does not fit the party's root, the party loses the game. With
    /// the second answer the round is over.
    ///
    /// Errors: [`AnswerError`]; nothing is changed then. Complexity: O(log n).
    pub fn answer(&mut self, party: Party, opening: &Opening) -> Result<(), AnswerError> {
        let asked = self.question().ok_or(AnswerError::Over)?;
        if opening.index != asked {
            return Err(AnswerError::WrongState { asked });
        }
        let ([first, second], [own_first, own_second]) = (&self.parties, &mut self.answers);
        let (commitment, answer) = match party {
            Party::First => (first, own_first),
            Party::Second => (second, own_second),
        };
        if answer.is_some() {
            return Err(AnswerError::AlreadyAnswered);
        }
        if !commitment.bears_out(opening) {
            self.forfeited = Some(party);
            return Ok(());
        }
        *answer = Some(opening.digest);
        if let [Some(first), Some(second)] = self.answers {
            self.search.narrow(asked, [first, second]);
            self.answers = [None; 2];
            // Saturating: at most 32.
            self.rounds = self.rounds.saturating_add(1);
        }
        Ok(())
    }

    /// Ends the game against `party`, which did not answer in the time that the caller allows.
    ///
    /// Errors: `Over`; `AlreadyAnswered` if it is not this party that is waited for.
    pub fn forfeit(&mut self, party: Party) -> Result<(), AnswerError> {
        self.question().ok_or(AnswerError::Over)?;
        if !self.awaits(party) {
            return Err(AnswerError::AlreadyAnswered);
        }
        self.forfeited = Some(party);
        Ok(())
    }

    /// How the game ended; nothing while it goes on.
    pub fn outcome(&self) -> Option<Outcome> {
        if let Some(party) = self.forfeited {
            return Some(Outcome::Forfeited(party));
        }
        if self.search.middle().is_some() {
            return None;
        }
        Some(Outcome::Disputed(Disputed {
            step: self.search.last,
            agreed_state: self.search.agreed,
            claims: self.search.claims,
        }))
    }
}

#[cfg(test)]
mod tests;
