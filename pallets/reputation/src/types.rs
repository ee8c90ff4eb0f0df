//! What is stored of each account and side, and how the types of `math` and `primitives` correspond.

use agora_math::reputation::{self as math, Fading, ONE, Score};
use agora_primitives::reputation::{Level, Outcome, Side};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{Perbill, SaturatedConversion, traits::AtLeast32BitUnsigned};

/// One record at genesis: account, side, number of successes, number of failures, confidence.
pub type GenesisRecord<AccountId> = (AccountId, Side, u32, u32, u32);

/// What is remembered of an account in one capacity.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Record<BlockNumber> {
    /// Its score as of `last_block`.
    pub score: Score,
    /// When the last outcome was recorded.
    pub last_block: BlockNumber,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Record<BlockNumber> {
    /// Returns the record of an account that starts with a history: weights as if all outcomes were new, but no heavier
    /// than a history can be.
    pub fn at_genesis(right: u32, wrong: u32, confidence: u32, decay: Perbill) -> Self {
        let count = right.saturating_add(wrong);
        let rate = Perbill::from_rational(right, count.max(1));
        let total = ONE.saturating_mul(count.into()).min(Score::heaviest(decay));
        let confidence = confidence.min(count);
        let score = Score {
            right: rate.mul_floor(total),
            total,
            count,
            confidence,
        };
        Self {
            score,
            last_block: BlockNumber::zero(),
        }
    }

    /// Blocks from the last outcome until `now`.
    fn elapsed(&self, now: BlockNumber) -> u64 {
        // Saturating: `last_block` is never in the future, and 64 bits of blocks are more than all half-lives.
        now.saturating_sub(self.last_block).saturated_into()
    }

    /// Returns the record after `outcome` at `now`.
    #[must_use]
    pub fn after(self, outcome: Outcome, now: BlockNumber, fading: &Fading) -> Self {
        Self {
            score: self.score.after(to_math(outcome), self.elapsed(now), fading),
            last_block: now,
        }
    }

    /// Whether nothing of its history counts any more at `now`.
    pub fn is_faded(&self, now: BlockNumber, half_life_blocks: u64) -> bool {
        self.score.faded(self.elapsed(now), half_life_blocks).is_faded()
    }

    /// The level, where `minimum` outcomes are needed.
    pub fn level(&self, minimum: u32) -> Level {
        match self.score.level(minimum) {
            math::Level::Beginner => Level::Beginner,
            math::Level::Skilled => Level::Skilled,
            math::Level::Expert => Level::Expert,
            math::Level::Master => Level::Master,
        }
    }
}

const fn to_math(outcome: Outcome) -> math::Outcome {
    match outcome {
        Outcome::Right { confirmed: true } => math::Outcome::Confirmed,
        Outcome::Right { confirmed: false } => math::Outcome::Right,
        Outcome::Wrong => math::Outcome::Wrong,
        Outcome::Late => math::Outcome::Late,
    }
}
