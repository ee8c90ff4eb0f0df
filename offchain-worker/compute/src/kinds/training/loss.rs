//! The loss and its gradient by the logits and the features, number by number. All engines do the same, and nothing
//! here can overflow.

use crate::networks::classifier::MAX_VALUE;

/// A probability of one.
pub(super) const CERTAIN: u32 = 1 << 14;
/// Logits have this many fractional bits: a logit of 2¹¹ more is twice as probable.
pub(super) const LOGIT_BITS: u32 = 11;
/// The errors of the features are divided by two to this power.
pub(super) const ERROR_SHIFT: u32 = 7;
/// The largest loss of an image.
pub(super) const MAX_LOSS: u32 = 1 << 20;

/// 2¹⁶ · 2^(−`below` / 2¹¹), nearly: the fraction by a parabola through both ends.
pub(super) fn power(below: u32) -> u32 {
    const ONE: u32 = 1 << LOGIT_BITS;
    let fraction = below % ONE;
    // At most 2²⁰ · 1406 < 2³¹.
    let bend = (fraction * (ONE - fraction) * 1406) >> 19;
    ((1 << 16) - 16 * fraction - bend) >> (below >> LOGIT_BITS).min(31)
}

/// log₂(`sum` / 2¹⁶) in parts of 2⁻¹¹, nearly, for `sum` of 2¹⁶ to 2²⁴.
pub(super) fn logarithm(sum: u32) -> u32 {
    const ONE: u32 = 1 << LOGIT_BITS;
    let exponent = sum.ilog2();
    let mantissa = (sum >> (exponent - LOGIT_BITS)) - ONE;
    // At most 2²⁰ · 704 < 2³⁰.
    ((exponent - 16) << LOGIT_BITS) + mantissa + ((mantissa * (ONE - mantissa) * 704) >> 22)
}

/// The loss of an image of class `label`, and in `errors` the gradient of the loss by each logit: the probability,
/// less one for the class that is right. Each is −2¹⁴ ..= 2¹⁴, and the sum of their amounts at most 2¹⁵ + 128.
pub(super) fn softmax(logits: &[i32], label: u8, errors: &mut [i16]) -> u32 {
    let largest = logits.iter().copied().max().unwrap_or(0);
    // Sums of at most 16,385 products of numbers up to 127: differences stay below 2³⁰.
    let below = |logit: i32| (largest - logit).unsigned_abs();
    // At most 256 · 2¹⁶.
    let sum: u32 = logits.iter().map(|&logit| power(below(logit))).sum();
    for (error, &logit) in errors.iter_mut().zip(logits) {
        // At most 2³⁰ + 2²³.
        let probability = (power(below(logit)) * CERTAIN + sum / 2) / sum;
        *error = probability as i16;
    }
    let right = usize::from(label);
    errors[right] -= CERTAIN as i16;
    (below(logits[right]) + logarithm(sum)).min(MAX_LOSS)
}

/// The error of a feature with value `feature`. `sum` is the sum of the classes' errors times their weights.
/// At most 32,639 in amount.
pub(super) fn feature_error(feature: i16, sum: i32) -> i16 {
    if feature <= 0 || i32::from(feature) >= MAX_VALUE {
        return 0;
    }
    ((sum + (1 << (ERROR_SHIFT - 1))) >> ERROR_SHIFT) as i16
}
