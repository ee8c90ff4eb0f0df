//! Rounds, responses, and how votes on a response count. Pure: knows the time and the limits only as arguments.

use agora_primitives::{
    capability::{Decision, Lots},
    judging::{Attestation, Tally},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound, traits::Get};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
use sp_runtime::{SaturatedConversion, traits::AtLeast32BitUnsigned};

/// When rounds are held, and what decides a response.
///
/// A round has three phases: `window` blocks for responses, `voting` more for commitments to votes, one in which nothing is taken, and
/// `revealing` in which the votes that were drawn are revealed. Commitments are taken from the first response on.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule<BlockNumber> {
    /// Blocks from one round to the next.
    pub period: BlockNumber,
    /// Blocks from the one that opens a round to the first that takes no responses any more.
    pub window: BlockNumber,
    /// Blocks after the window in which verifiers still commit to votes.
    pub voting: BlockNumber,
    /// Blocks in which verifiers reveal the votes that were drawn.
    pub revealing: BlockNumber,
    /// Blocks from the one that opens a round to the first in which what it proved counts no more.
    pub validity: BlockNumber,
    /// How many of the votes that count must agree before a response counts.
    pub quorum: u32,
    /// How many votes on a response are to count, on average.
    pub seats: u32,
}

/// What is wrong with a [`Schedule`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScheduleError {
    /// In fewer than three blocks nobody can compute for half of the time, and be included.
    WindowTooShort,
    /// In fewer than three blocks not everybody's vote, or reveal, is included.
    VotingTooShort,
    /// The phases do not fit into the period.
    PeriodTooShort,
    /// The validity is shorter than the period: priorities would lapse before workers can renew them.
    ValidityTooShort,
    /// The seats are more than a quarter of the places for votes that count, so that there may be too few places.
    TooManySeats,
    /// The quorum is zero, or more than there are seats.
    QuorumOutOfRange,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Schedule<BlockNumber> {
    /// Checks the schedule for a chain on which a response has room for `places` votes that count.
    pub fn validate(&self, places: u32) -> Result<(), ScheduleError> {
        if self.window < 3u32.into() {
            return Err(ScheduleError::WindowTooShort);
        }
        if self.voting.min(self.revealing) < 3u32.into() {
            return Err(ScheduleError::VotingTooShort);
        }
        if self.period < self.length() {
            return Err(ScheduleError::PeriodTooShort);
        }
        if self.validity < self.period {
            return Err(ScheduleError::ValidityTooShort);
        }
        // In a draw of `n` on average more than `4n` are drawn with a probability below 10⁻¹⁷, from 16 on.
        if self.seats.saturating_mul(4) > places {
            return Err(ScheduleError::TooManySeats);
        }
        if self.quorum == 0 || self.quorum > self.seats {
            return Err(ScheduleError::QuorumOutOfRange);
        }
        Ok(())
    }

    /// How many blocks a round takes. Saturating: then it is longer than any period.
    fn length(&self) -> BlockNumber {
        self.window
            .saturating_add(self.voting)
            .saturating_add(1u32.into())
            .saturating_add(self.revealing)
    }

    /// Whether a round opens in block `now`, if the one before it is over.
    pub fn opens_at(&self, now: BlockNumber) -> bool {
        // No schedule with a period of zero is taken.
        now.checked_rem(&self.period).is_some_and(|rest| rest.is_zero())
    }

    /// The round `number`, which opens in block `now` and whose challenges are made from `seed`.
    pub fn open(&self, number: u32, seed: H256, now: BlockNumber, block_time_ms: u64) -> HardwareRound<BlockNumber> {
        let window: u64 = self.window.saturated_into();
        let closes_at = now.saturating_add(self.window);
        // Saturating: a chain does not live that long, and a window is far from 2⁶⁴ milliseconds.
        HardwareRound {
            number,
            seed,
            closes_at,
            window_ms: window.saturating_mul(block_time_ms),
            votes_close_at: closes_at.saturating_add(self.voting),
            ends_at: now.saturating_add(self.length()),
            proven_until: now.saturating_add(self.validity),
            quorum: self.quorum,
            seats: self.seats,
            most_weight: 0,
            draw: None,
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
    /// The first block in which it takes no commitments to votes. In the one after it the draw is made.
    pub votes_close_at: BlockNumber,
    /// The first block in which no vote is revealed, and responses are decided.
    pub ends_at: BlockNumber,
    /// The first block in which what it proved counts no more.
    pub proven_until: BlockNumber,
    /// How many of the votes that count must agree before a response counts.
    pub quorum: u32,
    /// How many votes on a response are to count, on average.
    pub seats: u32,
    /// The weight of the votes on the response that has most.
    pub most_weight: u64,
    /// What votes are drawn with, as soon as no more of them are taken.
    pub draw: Option<H256>,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> HardwareRound<BlockNumber> {
    /// Whether workers may still respond in block `now`.
    pub fn takes_responses(&self, now: BlockNumber) -> bool {
        now < self.closes_at
    }

    /// Whether verifiers may still commit to votes in block `now`.
    pub fn takes_votes(&self, now: BlockNumber) -> bool {
        now < self.votes_close_at
    }

    /// Whether the draw is due in block `now`. Between the last commitment and the draw there is a block without any, so that not even
    /// who makes two blocks in a row knows the draw while it can still add a vote.
    pub fn is_to_be_drawn(&self, now: BlockNumber) -> bool {
        self.draw.is_none() && now > self.votes_close_at
    }

    /// Whether it takes nothing any more in block `now`.
    pub fn is_over(&self, now: BlockNumber) -> bool {
        now >= self.ends_at
    }

    /// How votes with `total` weight on one response are drawn; `None` before the draw.
    pub fn lots(&self, total: u64) -> Option<Lots> {
        self.draw.map(|draw| Lots {
            draw,
            total,
            seats: self.seats,
        })
    }
}

/// A vote that a verifier has committed to, and not revealed.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vote {
    /// What the verifier's bond weighed then: how many votes it backs.
    pub weight: u32,
    /// What was committed to: see [`vote_commitment`](agora_primitives::capability::vote_commitment).
    pub commitment: H256,
}

/// Why a verifier lost a part of its bond.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlashReason {
    /// Its vote counted, and was wrong.
    Wrong,
    /// Its vote was drawn, and not revealed.
    Silent,
}

/// A worker's response to its challenge of one round, with the votes on it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(CloneNoBound, PartialEqNoBound, EqNoBound, DebugNoBound)]
#[codec(mel_bound(AccountId: MaxEncodedLen, Balance: MaxEncodedLen))]
#[scale_info(skip_type_params(MaxVotes))]
pub struct Response<AccountId, Balance, MaxVotes>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    Balance: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxVotes: Get<u32>,
{
    /// The capability that it proves if it is right.
    pub capability: u32,
    /// The digest of the challenge's output.
    pub digest: H256,
    /// What the worker has put up for those who check it, in plancks.
    pub fee: Balance,
    /// The weight of all votes on it, drawn or not.
    pub weight: u64,
    /// Whether the worker has shown that it is wrong on purpose.
    pub is_decoy: bool,
    /// The votes that were drawn and revealed.
    pub votes: BoundedVec<(AccountId, Attestation), MaxVotes>,
}

impl<AccountId, Balance, MaxVotes> Response<AccountId, Balance, MaxVotes>
where
    AccountId: Clone + PartialEq + Eq + core::fmt::Debug,
    Balance: Clone + PartialEq + Eq + core::fmt::Debug,
    MaxVotes: Get<u32>,
{
    /// A response that nobody has checked.
    pub fn new(capability: u32, digest: H256, fee: Balance) -> Self {
        Self {
            capability,
            digest,
            fee,
            weight: 0,
            is_decoy: false,
            votes: BoundedVec::new(),
        }
    }

    /// How many of the votes that count there are on each side.
    pub fn tally(&self) -> Tally {
        self.votes.iter().fold(Tally::default(), |tally, (_, vote)| match vote {
            // Saturating: there are as many as there are places at most.
            Attestation::Valid => Tally {
                in_favour: tally.in_favour.saturating_add(1),
                ..tally
            },
            Attestation::Invalid => Tally {
                against: tally.against.saturating_add(1),
                ..tally
            },
        })
    }

    /// What the votes come to, in a round with `quorum` in which the response with most votes has `most_weight` of them.
    ///
    /// What the chain has seen for itself goes before votes. Where less than half as much weight has voted as on that other response,
    /// too few have looked: honest verifiers do not vote on an output that they cannot fetch, and those who say otherwise are to need as
    /// much bond as those who do.
    pub fn decision(&self, quorum: u32, most_weight: u64) -> Decision {
        if self.is_decoy {
            Decision::Refuted
        } else if self.weight.saturating_mul(2) < most_weight {
            Decision::Open
        } else {
            Decision::of(self.tally(), quorum)
        }
    }

    /// Divides the votes that count into those that said `truth` and the others, each in the order of arrival.
    pub fn sides(&self, truth: Attestation) -> (Vec<&AccountId>, Vec<&AccountId>) {
        let (mut right, mut wrong) = (Vec::new(), Vec::new());
        for (who, vote) in &self.votes {
            let side = if *vote == truth { &mut right } else { &mut wrong };
            side.push(who);
        }
        (right, wrong)
    }
}
