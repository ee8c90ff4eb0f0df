//! Dividing an amount by rule, exactly.
//!
//! Every share is rounded down and what is left over is returned, so shares and remainder always add up to the pot.
//! Products are formed in 256 bits: no pot and no weight is too large. Terms: the *pot* is what is divided, a *weight*
//! says how much of it somebody gets compared with the others, a *part* is a weight in parts per million of the whole.

use alloc::vec::Vec;
use sp_arithmetic::{Permill, Rounding, helpers_128bit::multiply_by_rational_with_rounding, traits::Zero};

/// What a pot was divided into. `shares` and `remainder` add up to exactly the pot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shares {
    /// One share per weight, in the same order.
    pub shares: Vec<u128>,
    /// What rounding down left over: less than the number of weights that are not zero.
    pub remainder: u128,
}

/// Why a pot cannot be divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SplitError {
    /// There are no weights, or all of them are zero.
    EmptySet,
    /// The sum of the weights does not fit in 128 bits.
    Overflow,
    /// The parts do not add up to one.
    NotWhole,
}

impl core::fmt::Display for SplitError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::EmptySet => "there is nobody to divide among: no weight is above zero",
            Self::Overflow => "the weights add up to more than 128 bits hold",
            Self::NotWhole => "the parts do not add up to exactly one",
        })
    }
}

impl core::error::Error for SplitError {}

/// Splits `pot` among `weights`, rounding each share down.
///
/// A share grows with the pot and with its weight, and a greater weight never gets less than a smaller one.
///
/// Units: `pot` in plancks; `weights` unitless.
/// Returns shares and remainder; their sum is exactly `pot`.
/// Errors: `EmptySet`, `Overflow`. Complexity: O(n).
pub fn split(pot: u128, weights: &[u128]) -> Result<Shares, SplitError> {
    let total = weights
        .iter()
        .try_fold(0u128, |sum, weight| sum.checked_add(*weight))
        .ok_or(SplitError::Overflow)?;
    if total.is_zero() {
        return Err(SplitError::EmptySet);
    }
    let mut remainder = pot;
    let mut shares = Vec::with_capacity(weights.len());
    for weight in weights {
        // Neither can fail: no weight is above the total, and rounded down the shares do not exceed the pot.
        let share =
            multiply_by_rational_with_rounding(pot, *weight, total, Rounding::Down).ok_or(SplitError::Overflow)?;
        remainder = remainder.checked_sub(share).ok_or(SplitError::Overflow)?;
        shares.push(share);
    }
    Ok(Shares { shares, remainder })
}

/// Succeeds if `parts` add up to exactly one.
///
/// Errors: `NotWhole`. Complexity: O(n).
pub fn ensure_whole(parts: &[Permill]) -> Result<(), SplitError> {
    let sum = parts
        .iter()
        .map(|part| u64::from(part.deconstruct()))
        .try_fold(0u64, u64::checked_add);
    if sum == Some(u64::from(Permill::one().deconstruct())) {
        Ok(())
    } else {
        Err(SplitError::NotWhole)
    }
}

/// Splits `pot` by parts per million that add up to exactly one, rounding each share down.
///
/// Units: `pot` in plancks; `parts` in parts per million.
/// Returns shares and remainder; their sum is exactly `pot`.
/// Errors: `NotWhole`. Complexity: O(n).
pub fn split_whole(pot: u128, parts: &[Permill]) -> Result<Shares, SplitError> {
    ensure_whole(parts)?;
    let weights: Vec<u128> = parts.iter().map(|part| u128::from(part.deconstruct())).collect();
    split(pot, &weights)
}

#[cfg(test)]
mod tests;
