//! What is remembered of everybody's work.

use crate::participants::Specialisation;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// In which capacity an account acted.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// As a worker, in one specialisation.
    Worker(Specialisation),
    /// As a verifier, in one specialisation.
    Verifier(Specialisation),
    /// As a publisher, of whatever kind of task.
    Publisher,
}

/// How it went.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The work was right. `confirmed`: somebody else's independent work agreed with it; only such successes raise the
    /// confidence score.
    Right {
        /// Whether it was confirmed.
        confirmed: bool,
    },
    /// The work was wrong, or promised by a commitment and never revealed. Of a publisher: the input was unusable.
    Wrong,
    /// Nothing came in time: no fault of content, a smaller one of reliability.
    Late,
}

/// Level reached, by decayed success rate, after a minimum number of tasks.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// New, or up to 70 %.
    #[default]
    Beginner,
    /// Above 70 %.
    Skilled,
    /// Above 85 %.
    Expert,
    /// Above 95 %.
    Master,
}

/// Records how work went, and knows the level and the confidence that follow from it.
pub trait Reputation<AccountId> {
    /// Records one outcome of `who`.
    fn record(who: &AccountId, side: Side, outcome: Outcome);

    /// Confidence score as in iExec's Proof of Contribution: confirmed successes in a row, cut to two thirds by a wrong one.
    fn confidence(who: &AccountId, specialisation: Specialisation) -> u32;

    /// Level of `who`.
    fn level(who: &AccountId, side: Side) -> Level;
}

/// Remembers nothing.
impl<AccountId> Reputation<AccountId> for () {
    fn record(_: &AccountId, _: Side, _: Outcome) {}
    fn confidence(_: &AccountId, _: Specialisation) -> u32 {
        0
    }
    fn level(_: &AccountId, _: Side) -> Level {
        Level::Beginner
    }
}

/// Told when a worker's level changes: priority in draws follows it.
pub trait OnLevelChanged<AccountId> {
    /// `who` has reached, or fallen to, `level` as a worker in `specialisation`.
    fn on_level_changed(who: &AccountId, specialisation: Specialisation, level: Level);
}

impl<AccountId> OnLevelChanged<AccountId> for () {
    fn on_level_changed(_: &AccountId, _: Specialisation, _: Level) {}
}
