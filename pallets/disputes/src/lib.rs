#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

extern crate alloc;

mod accuse;
mod branch;
mod clock;
mod descent;
mod dispute;
mod finish;
mod game;
mod machine;
pub mod money;
pub mod player;
mod runs;
mod tree;
mod unit;

#[cfg(test)]
mod tests;

pub use accuse::{Accusation, Commitment, Target, commitment};
pub use agora_machine::MAX_WITNESS_BYTES;
pub use branch::{Branch, BranchMove, Phase as BranchPhase};
pub use clock::{Clock, Running, Time};
pub use descent::{Descent, Shown, Turn};
pub use dispute::{Dispute, Phase, Verdict};
pub use finish::{Duel, Next, next, settle};
pub use game::{Game, Late, Move, Openings, Rules, RunMove, Runs};
pub use machine::{End, Execution, MAX_STATE_BYTES, Pinned, Segments};
pub use runs::{Bench, Found, Losses, Match, Player, Run, RunEnd, Segment, Stand};
pub use tree::{ARITY, Children, Node, Tree};
pub use unit::{Aim, Defence, ENTRIES, Expected, List, Point, kept, maker};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The two sides of a dispute.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// That the claim is right.
    Defence,
    /// That it is wrong.
    Accuser,
}

/// How somebody has lost a bond. The later is the worse.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// By the clock, or with a claim or accusation that was not borne out.
    Wrong,
    /// By its own opening, which the machine refuted.
    Fraud,
}

/// The lengths of the phases, in blocks.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// How long accusations may be committed.
    pub commit: u64,
    /// How long they may be revealed after that.
    pub reveal: u64,
    /// The clock of each side, in each descent and each match.
    pub clock: u64,
    /// How long defences, and then runs, may be added: at most half a clock.
    pub entry: u64,
    /// How long matches may be begun after that.
    pub challenge: u64,
    /// Full blocks that stop each clock at most.
    pub stops: u64,
}

impl Terms {
    /// Checks that the phases have a length, and that there is time to look at what was added late.
    ///
    /// Errors: `Terms`.
    pub fn validate(&self) -> Result<(), Error> {
        let all = [self.commit, self.reveal, self.clock, self.entry, self.challenge];
        let has_lengths = all.iter().all(|&blocks| blocks > 0 && blocks < 1 << 32) && self.stops < 1 << 32;
        let is_late = self.entry > self.clock / 2;
        (has_lengths && !is_late).then_some(()).ok_or(Error::Terms)
    }

    /// Blocks after which every dispute is over whatever anybody does, from its reveal on.
    ///
    /// In turn: a descent (both clocks), entry of defences, a descent in a list (both clocks), entry of runs and
    /// the beginning of matches, and a match (both clocks).
    pub const fn bound(&self) -> u64 {
        let clock = self.clock.saturating_add(self.stops);
        let entries = self.entry.saturating_add(self.stops).saturating_mul(2);
        let challenge = self.challenge.saturating_add(self.stops);
        clock
            .saturating_mul(6)
            .saturating_add(entries)
            .saturating_add(challenge)
    }
}

/// Why a move is refused. A refused move changes nothing.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The lengths of the phases do not fit one another.
    Terms,
    /// The game is elsewhere, or the time for it is over.
    NotNow,
    /// The time is not over yet.
    Early,
    /// It is for the accuser alone.
    NotAccuser,
    /// What is shown does not hash to what it is shown for, or is of another length.
    WrongOpening,
    /// The segment does not begin with the state before it, or its witness does not show what it needs.
    WrongSegment,
    /// A list without entries has another hash than that of nothing.
    WrongList,
    /// There is no such child or entry.
    NoChild,
    /// The job has no such state or unit.
    NoUnit,
    /// There is no such branch, run or match.
    Unknown,
    /// It is there already.
    Known,
    /// The two runs show the same, or one has lost.
    NoMatch,
    /// The secret, or the accusation, is not what was committed to.
    NotCommitted,
    /// The accusation does not fit the claim.
    Target,
    /// More than can be counted.
    TooMany,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Terms => "each phase must have a length, and entry at most half a clock",
            Self::NotNow => "the game is elsewhere, or the time for this is over",
            Self::Early => "the time is not over yet",
            Self::NotAccuser => "only the accuser can do this",
            Self::WrongOpening => "what is shown does not hash to what it is shown for",
            Self::WrongSegment => "the segment cannot be executed from this state and witness",
            Self::WrongList => "an empty list must have the hash of no bytes",
            Self::NoChild => "there is no such child or entry",
            Self::NoUnit => "the job has no such state or unit",
            Self::Unknown => "there is no such branch, run or match",
            Self::Known => "it was added before",
            Self::NoMatch => "the runs show the same, or one of them has lost",
            Self::NotCommitted => "this is not what was committed to",
            Self::Target => "the accusation does not fit the claim",
            Self::TooMany => "there are more than can be counted",
        })
    }
}

impl core::error::Error for Error {}
