//! Rounds, answers, and how votes on an answer count. Pure: knows the time and the limits only as arguments.

use agora_primitives::{capability::Standing, judging::Attestations};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound, traits::Get};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use sp_runtime::traits::AtLeast32BitUnsigned;

/// When rounds are held, and what decides an answer.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule<BlockNumber> {
    /// Blocks from one round to the next.
    pub period: BlockNumber,
    /// Blocks from the one that opens a round to the first that takes no answers any more.
    pub window: BlockNumber,
    /// Blocks from the one that opens a round to the first in which what it proved counts no more.
    pub validity: BlockNumber,
    /// How many verifiers must agree before an answer counts.
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
    /// Checks the schedule for a chain on which each side of an answer has `places`.
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
}

/// A round. Its terms are those of the schedule when it was opened.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Round<BlockNumber> {
    /// Counts rounds from 1.
    pub number: u32,
    /// What challenges are made from.
    pub seed: H256,
    /// The first block in which it takes no answers.
    pub closes_at: BlockNumber,
    /// How long it takes answers, in milliseconds.
    pub window_ms: u64,
    /// The first block in which what it proved counts no more.
    pub proven_until: BlockNumber,
    /// How many verifiers must agree before an answer counts.
    pub quorum: u32,
}

/// A worker's answer to its challenge of one round, with the votes on it.
#[derive(
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    CloneNoBound,
    PartialEqNoBound,
    EqNoBound,
    DebugNoBound,
)]
#[scale_info(skip_type_params(MaxAttestations))]
pub struct Answer<AccountId, MaxAttestations>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxAttestations: Get<u32>,
{
    /// The capability that it proves if it is right.
    pub capability: u32,
    /// The digest of the challenge's output.
    pub digest: H256,
    /// Verifiers that have checked it, and what they found.
    pub attestations: Attestations<AccountId, MaxAttestations>,
}

impl<AccountId, MaxAttestations> Answer<AccountId, MaxAttestations>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxAttestations: Get<u32>,
{
    /// An answer that nobody has checked.
    pub fn new(capability: u32, digest: H256) -> Self {
        Self {
            capability,
            digest,
            attestations: Attestations::default(),
        }
    }

    /// What the votes come to.
    pub fn standing(&self, quorum: u32) -> Standing {
        Standing::of(self.attestations.tally(), quorum)
    }
}
