//! A success rate that forgets, and the levels and the confidence that follow from it.
//!
//! A [`Score`] holds two weights in 32.32 fixed point: of what went right, and of everything. Each outcome first
//! multiplies both by a decay factor and then adds its own weight, so that an outcome `k` outcomes ago weighs `decay^k`;
//! time halves both every half-life. The success rate is the quotient of the two, so that time alone does not change the
//! rate, only how much the next outcome counts beside the past.
//!
//! A [`Outcome::Late`] counts as [`LATE_WEIGHT`]: a quarter of a failure. Levels need a minimum number of outcomes.
//! Confidence follows iExec's Proof of Contribution: one more for each confirmed success, cut to two thirds by a failure.
//!
//! Everything is rounded down; `right ≤ total` holds after every operation, because both are rounded alike.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

/// The weight of one outcome at the moment it is recorded: 1 in 32.32 fixed point.
pub const ONE: u64 = 1 << 32;

/// What being late counts for: a quarter of a failure.
pub const LATE_WEIGHT: u64 = ONE / 4;

/// A history that weighs less than this, a 64th of one outcome, has faded: nothing is lost with it.
pub const FADED_WEIGHT: u64 = ONE / 64;

/// From above this success rate on, in percent, one is skilled.
pub const SKILLED_ABOVE: u32 = 70;
/// From above this success rate on, in percent, one is an expert.
pub const EXPERT_ABOVE: u32 = 85;
/// From above this success rate on, in percent, one is a master.
pub const MASTER_ABOVE: u32 = 95;

/// How a piece of work went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Right, and somebody else's independent work agreed.
    Confirmed,
    /// Right, and nobody has confirmed it.
    Right,
    /// Wrong, or promised and not delivered.
    Wrong,
    /// Nothing came in time.
    Late,
}

/// Level reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// New, or up to [`SKILLED_ABOVE`].
    Beginner,
    /// Above [`SKILLED_ABOVE`].
    Skilled,
    /// Above [`EXPERT_ABOVE`].
    Expert,
    /// Above [`MASTER_ABOVE`].
    Master,
}

/// How fast history fades.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fading {
    /// What is left of the weight of history when one outcome is added.
    pub per_outcome: Perbill,
    /// After how many blocks half of the weight of history is left; 0: time does not matter.
    pub half_life_blocks: u64,
}

/// What is remembered of how an account's work went.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Score {
    /// Faded weight of what went right, 32.32 fixed point. At most `total`.
    pub right: u64,
    /// Faded weight of everything, 32.32 fixed point.
    pub total: u64,
    /// How many outcomes were recorded, late ones included; does not fade.
    pub count: u32,
    /// Confidence score: see [`Outcome::Confirmed`].
    pub confidence: u32,
}

impl Score {
    /// Returns the score after `outcome`, recorded `elapsed_blocks` after the one before.
    ///
    /// Complexity: O(1).
    #[must_use]
    pub fn after(self, outcome: Outcome, elapsed_blocks: u64, fading: &Fading) -> Self {
        let past = self.faded(elapsed_blocks, fading.half_life_blocks);
        let (right, total) = match outcome {
            Outcome::Confirmed | Outcome::Right => (ONE, ONE),
            Outcome::Wrong => (0, ONE),
            Outcome::Late => (0, LATE_WEIGHT),
        };
        let confidence = match outcome {
            Outcome::Confirmed => self.confidence.saturating_add(1),
            Outcome::Wrong => two_thirds(self.confidence),
            Outcome::Right | Outcome::Late => self.confidence,
        };
        // Saturating: the weights stay below ONE / (1 − decay) + ONE for every decay below 1; without decay, the rate
        // stands still after 2^32 outcomes. The number of outcomes is only compared with a small minimum.
        Self {
            right: fading.per_outcome.mul_floor(past.right).saturating_add(right),
            total: fading.per_outcome.mul_floor(past.total).saturating_add(total),
            count: self.count.saturating_add(1),
            confidence,
        }
    }

    /// Returns the score as it is `elapsed_blocks` later: weights are multiplied by `2^(−elapsed / half-life)`.
    ///
    /// A `half_life_blocks` of 0 changes nothing. Complexity: O(1), at most 32 multiplications.
    #[must_use]
    pub fn faded(self, elapsed_blocks: u64, half_life_blocks: u64) -> Self {
        let factor = remaining(elapsed_blocks, half_life_blocks);
        Self {
            right: scale(self.right, factor),
            total: scale(self.total, factor),
            ..self
        }
    }

    /// Returns the success rate, rounded down; 0 where there is no history.
    pub fn rate(&self) -> Perbill {
        if self.total == 0 {
            Perbill::zero()
        } else {
            Perbill::from_rational(self.right, self.total)
        }
    }

    /// Returns the level: by success rate, if at least `minimum` outcomes were recorded.
    pub fn level(&self, minimum: u32) -> Level {
        if self.count < minimum {
            return Level::Beginner;
        }
        // 64 bits and a percentage: a product of at most 71.
        let above = |percent: u32| {
            u128::from(self.right).saturating_mul(100) > u128::from(self.total).saturating_mul(percent.into())
        };
        match () {
            () if above(MASTER_ABOVE) => Level::Master,
            () if above(EXPERT_ABOVE) => Level::Expert,
            () if above(SKILLED_ABOVE) => Level::Skilled,
            () => Level::Beginner,
        }
    }

    /// Whether the history weighs less than [`FADED_WEIGHT`].
    pub const fn is_faded(&self) -> bool {
        self.total < FADED_WEIGHT
    }

    /// The largest weight that a history can have: `ONE / (1 − decay) + ONE`, where history decays at all.
    pub fn heaviest(per_outcome: Perbill) -> u64 {
        let lost = Perbill::one().deconstruct().saturating_sub(per_outcome.deconstruct());
        u128::from(ONE)
            .saturating_mul(Perbill::one().deconstruct().into())
            .checked_div(lost.into())
            .and_then(|weight| u64::try_from(weight).ok())
            .map_or(u64::MAX, |weight| weight.saturating_add(ONE))
    }
}

/// Two thirds of `confidence`, rounded down.
fn two_thirds(confidence: u32) -> u32 {
    let doubled = u64::from(confidence).saturating_mul(2);
    // At most two thirds of u32::MAX.
    u32::try_from(doubled / 3).unwrap_or(u32::MAX)
}

/// A factor from 0 to 1 in 64.64 fixed point.
type Factor = u128;
const WHOLE: Factor = 1 << 64;

/// `2^(−1/2), 2^(−1/4), 2^(−1/8) …` in 0.64 fixed point, rounded down.
const ROOTS: [u64; 32] = [
    0xb504_f333_f9de_6484,
    0xd744_fcca_d69d_6af4,
    0xeac0_c6e7_dd24_392e,
    0xf525_7d15_2486_cc2c,
    0xfa83_b2db_722a_033a,
    0xfd3e_0c0c_f486_c174,
    0xfe9e_115c_7b8f_884b,
    0xff4e_cb59_511e_c8a5,
    0xffa7_5652_1c8d_aed1,
    0xffd3_a751_c0f7_e10b,
    0xffe9_d2b2_f7db_2755,
    0xfff4_e91b_ff1b_8c3d,
    0xfffa_747e_a004_0664,
    0xfffd_3a3b_7814_eb53,
    0xfffe_9d1c_c60d_dab1,
    0xffff_4e8e_2587_9bfa,
    0xffff_a747_0363_f451,
    0xffff_d3a3_7dda_0313,
    0xffff_e9d1_bdf7_03ae,
    0xffff_f4e8_debe_025e,
    0xffff_fa74_6f4f_a150,
    0xffff_fd3a_37a3_f8b0,
    0xffff_fe9d_1bd1_065a,
    0xffff_ff4e_8de8_45ad,
    0xffff_ffa7_46f4_1376,
    0xffff_ffd3_a37a_05e3,
    0xffff_ffe9_d1bd_01fb,
    0xffff_fff4_e8de_80c0,
    0xffff_fffa_746f_4050,
    0xffff_fffd_3a37_a024,
    0xffff_fffe_9d1b_d011,
    0xffff_ffff_4e8d_e808,
];

/// Returns `2^(−elapsed / half_life)`: whole half-lives shift, and of the binary fraction that is left each bit
/// multiplies by one of the [`ROOTS`].
fn remaining(elapsed: u64, half_life: u64) -> Factor {
    let Some(halvings) = elapsed.checked_div(half_life) else {
        return WHOLE;
    };
    if halvings > 64 {
        return 0;
    }
    let rest = elapsed.checked_rem(half_life).unwrap_or(0);
    // Below 2^32, because `rest` is below `half_life`.
    let fraction = u128::from(rest)
        .wrapping_shl(32)
        .checked_div(half_life.into())
        .and_then(|fraction| u32::try_from(fraction).ok())
        .unwrap_or(u32::MAX);
    let mut factor = WHOLE;
    let mut bits = fraction;
    for root in ROOTS {
        if bits & (1 << 31) != 0 {
            // Below 2^128: `factor` is at most 2^64, `root` below it.
            factor = factor.saturating_mul(root.into()) >> 64;
        }
        bits = bits.wrapping_shl(1);
    }
    factor.checked_shr(halvings as u32).unwrap_or(0)
}

/// Returns `value · factor`, rounded down.
fn scale(value: u64, factor: Factor) -> u64 {
    // Below 2^128: `factor` is at most 2^64.
    (u128::from(value).saturating_mul(factor) >> 64) as u64
}

#[cfg(test)]
mod tests;
