//! Rounds, responses, and how votes on a response count. Pure: knows the time and the limits only as arguments.

use agora_primitives::{capability::Decision, judging::Attestations};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound, traits::Get};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use sp_runtime::{SaturatedConversion, traits::AtLeast32BitUnsigned};

/// When rounds are held, and what decides a response.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule<BlockNumber> {
    /// Blocks from one round to the next.
    pub period: BlockNumber,
    /// Blocks from the one that opens a round to the first that takes no responses any more.
    pub window: BlockNumber,
    /// Blocks from the one that opens a round to the first in which what it proved counts no more.
    pub validity: BlockNumber,
    /// How many verifiers must agree before a response counts.
    pub quorum: u32,
}

/// What is wrong with a [`Schedule`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScheduleError {
    /// In fewer than three blocks nobody can compute for half of the time, and be included.
    WindowTooShort,
    /// The period is shorter than two windows: verifiers have no time to check.
    PeriodTooShort,
    /// The validity is shorter than the period: priorities would lapse before workers can renew them.
    ValidityTooShort,
    /// The quorum is zero, or more than each side has places.
    QuorumOutOfRange,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Schedule<BlockNumber> {
    /// Checks the schedule for a chain on which each side of a response has `places`.
    pub fn validate(&self, places: u32) -> Result<(), ScheduleError> {
        if self.window < 3u32.into() {
            return Err(ScheduleError::WindowTooShort);
        }
        if self.period < self.window.saturating_add(self.window) {
            return Err(ScheduleError::PeriodTooShort);
        }
        if self.validity < self.period {
            return Err(ScheduleError::ValidityTooShort);
        }
        if self.quorum == 0 || self.quorum > places {
            return Err(ScheduleError::QuorumOutOfRange);
        }
        Ok(())
    }

    /// Whether a round opens in block `now`.
    pub fn opens_at(&self, now: BlockNumber) -> bool {
        // No schedule with a period of zero is taken.
        now.checked_rem(&self.period).is_some_and(|rest| rest.is_zero())
    }

    /// The round `number`, which opens in block `now` and whose challenges are made from `seed`.
    pub fn open(&self, number: u32, seed: H256, now: BlockNumber, block_time_ms: u64) -> HardwareRound<BlockNumber> {
        let window: u64 = self.window.saturated_into();
        // Saturating: a chain does not live that long, and a window is far from 2⁶⁴ milliseconds.
        HardwareRound {
            number,
            seed,
            closes_at: now.saturating_add(self.window),
            window_ms: window.saturating_mul(block_time_ms),
            proven_until: now.saturating_add(self.validity),
            quorum: self.quorum,
        }
    }
}

/// A round of hardware challenges. Its terms are those of the schedule when it was opened.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HardwareRound<BlockNumber> {
    /// Counts rounds from 1.
    pub number: u32,
    /// What challenges are made from.
    pub seed: H256,
    /// The first block in which it takes no responses.
    pub closes_at: BlockNumber,
    /// How long it takes responses, in milliseconds.
    pub window_ms: u64,
    /// The first block in which what it proved counts no more.
    pub proven_until: BlockNumber,
    /// How many verifiers must agree before a response counts.
    pub quorum: u32,
}

impl<BlockNumber: PartialOrd> HardwareRound<BlockNumber> {
    /// Whether workers may still respond in block `now`.
    pub fn takes_responses(&self, now: BlockNumber) -> bool {
        now < self.closes_at
    }
}

/// A worker's response to its challenge of one round, with the votes on it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(CloneNoBound, PartialEqNoBound, EqNoBound, DebugNoBound)]
#[scale_info(skip_type_params(MaxVotes))]
pub struct Response<AccountId, MaxVotes>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxVotes: Get<u32>,
{
    /// The capability that it proves if it is right.
    pub capability: u32,
    /// The digest of the challenge's output.
    pub digest: H256,
    /// Verifiers that have checked it, and what they found.
    pub votes: Attestations<AccountId, MaxVotes>,
}

impl<AccountId, MaxVotes> Response<AccountId, MaxVotes>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxVotes: Get<u32>,
{
    /// A response that nobody has checked.
    pub fn new(capability: u32, digest: H256) -> Self {
        Self {
            capability,
            digest,
            votes: Attestations::default(),
        }
    }

    /// What the votes come to.
    pub fn decision(&self, quorum: u32) -> Decision {
        Decision::of(self.votes.tally(), quorum)
    }
}
