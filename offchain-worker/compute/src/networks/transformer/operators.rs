//! The integer operators, as `docs/protocol/inference.md` specifies them. None overflows, whatever it is given within
//! the limits of a package; each can be computed with 32-bit words alone.

use super::{ACTIVATION_TABLE, Activation, EXPONENT_TABLE, Limbs, Norm, VALUE_MAX};
pub(crate) use agora_primitives::job::inference::EXPONENT_ONE;

/// Levels of queries and keys.
pub(crate) const ATTENTION_LEVELS: u32 = 2047;
/// Shift of the reciprocal with which queries and keys are quantised.
pub(crate) const ATTENTION_SHIFT: u32 = 20;
/// Shift of a sum times the scale of its row.
pub(crate) const ROW_SHIFT: u32 = 16;
/// Shift of a score times the scale of the query.
pub(crate) const QUERY_SHIFT: u32 = 15;
/// Shift of a score times the scale of the key.
pub(crate) const KEY_SHIFT: u32 = 21;
/// Bits of a score behind the binary point.
pub(crate) const EXPONENT_FRACTION: u32 = 10;

impl Limbs {
    /// The amount that the largest value of a row is scaled to.
    pub(crate) const fn levels(self) -> u32 {
        match self {
            Self::One => 127,
            Self::Two => 8191,
        }
    }

    /// Shift of the reciprocal with which a row is quantised: levels shifted by it are below 2³¹.
    pub(crate) const fn shift(self) -> u32 {
        match self {
            Self::One => 24,
            Self::Two => 18,
        }
    }
}

// Nothing below wraps. The wrapping operations are there because checks would keep the compiler from vectorising the
// loops around them.

/// `a · b / 2^shift`, rounded to the nearest, halves away from zero; at most `i32::MAX` in amount. `shift` is at most
/// 62.
#[inline(always)]
pub(crate) fn rescale(a: i32, b: i32, shift: u32) -> i32 {
    let product = u64::from(a.unsigned_abs()).wrapping_mul(b.unsigned_abs().into());
    let half = 1u64.wrapping_shl(shift) >> 1;
    let amount = product.wrapping_add(half).wrapping_shr(shift).min(i32::MAX as u64) as i32;
    if (a ^ b) < 0 { amount.wrapping_neg() } else { amount }
}

/// `value`, at most [`VALUE_MAX`] in amount.
#[inline(always)]
pub(crate) fn clamp(value: i32) -> i32 {
    value.clamp(-VALUE_MAX, VALUE_MAX)
}

/// `a / b`, rounded to the nearest, halves away from zero.
#[inline(always)]
pub(crate) fn divide(a: i32, b: u32) -> i32 {
    // Below 2³¹, as the amount of `a` is, and `b` at least 1 — and at least 2 where a half is added.
    let amount = ((a.unsigned_abs() + b / 2) / b) as i32;
    if a < 0 { -amount } else { amount }
}

/// The largest amount in `row`, and at least 1: the scale of the quantised row.
#[inline(always)]
pub(crate) fn scale(row: &[i32]) -> i32 {
    // The amounts are below 2³¹: values are.
    row.iter().fold(1, |most, value| most.max(value.wrapping_abs()))
}

/// `value` in levels, where the row's scale has the reciprocal `⌊levels · 2^shift / scale⌋`.
#[inline(always)]
pub(crate) fn quantise(value: i32, reciprocal: u32, shift: u32) -> i32 {
    // The product is at most levels · 2^shift < 2³¹.
    let half = 1u32.wrapping_shl(shift) >> 1;
    let product = value.unsigned_abs().wrapping_mul(reciprocal);
    let amount = product.wrapping_add(half).wrapping_shr(shift) as i32;
    if value < 0 { amount.wrapping_neg() } else { amount }
}

/// Divides centred values by the square root of the sum of their squares.
pub(crate) struct Normaliser {
    reciprocal: i32,
    shift: u32,
}

impl Normaliser {
    /// `squares` is the sum of the squares, below 2⁵⁷.
    pub(crate) fn new(squares: u64) -> Self {
        let root = squares.isqrt().max(2) as u32;
        // root = mantissa · 2^exponent, with a mantissa of 16 bits.
        let exponent = 16 - root.leading_zeros() as i32;
        let mantissa = if exponent < 0 {
            root << -exponent
        } else {
            root >> exponent
        };
        Self {
            reciprocal: ((1 << 31) / mantissa) as i32,
            // At least 1: the root has two bits or more.
            shift: (15 + exponent) as u32,
        }
    }

    /// The quotient in units of 2⁻²⁴; `centred` is below 2²³ in amount.
    #[inline(always)]
    pub(crate) fn apply(&self, centred: i32) -> i32 {
        rescale(centred.wrapping_shl(8), self.reciprocal, self.shift)
    }
}

/// Normalises `row`, in place.
#[inline(always)]
pub(crate) fn normalise(row: &mut [i32], norm: &Norm, epsilon: u32) {
    let mean = divide(
        row.iter().fold(0, |sum: i32, &value| sum.wrapping_add(value)),
        row.len() as u32,
    );
    let squares = row.iter().fold(0u64, |sum, value| {
        let amount = u64::from(value.wrapping_sub(mean).unsigned_abs());
        sum.wrapping_add(amount.wrapping_mul(amount))
    });
    let normaliser = Normaliser::new(squares + u64::from(epsilon));
    let shift = norm.shift as u32;
    for ((value, &weight), &bias) in row.iter_mut().zip(&norm.weight).zip(&norm.bias) {
        let normal = normaliser.apply(value.wrapping_sub(mean));
        *value = clamp(clamp(rescale(normal, weight, shift)).wrapping_add(bias));
    }
}

/// `2^(−distance / 1024)` in units of 2⁻¹⁵.
#[inline(always)]
pub(crate) fn power(table: &[i32; EXPONENT_TABLE], distance: u32) -> u32 {
    let whole = (distance >> EXPONENT_FRACTION).min(31);
    let fraction = table[distance as usize % EXPONENT_TABLE] as u32;
    (fraction + ((1 << whole) >> 1)) >> whole
}

/// The hyperbolic tangent of `value · ln 2 / 2048`, in units of 2⁻¹⁵.
pub(crate) fn tangent(value: i32, table: &[i32; EXPONENT_TABLE]) -> i32 {
    const ONE: u32 = EXPONENT_ONE as u32;
    // (1 − e) / (1 + e), where e is that power of two which is the power −2x of Euler's number; at most one.
    let e = power(table, value.unsigned_abs());
    let amount = (((ONE - e) << 15) + (ONE + e) / 2) / (ONE + e);
    if value < 0 { -(amount as i32) } else { amount as i32 }
}

/// Turns scores into probabilities in units of 2⁻¹⁵, in place.
#[inline(always)]
pub(crate) fn softmax(scores: &mut [i32], table: &[i32; EXPONENT_TABLE]) {
    let most = scores.iter().copied().max().unwrap_or_default();
    let mut sum = 0;
    for score in scores.iter_mut() {
        let weight = power(table, most.abs_diff(*score));
        sum += weight;
        *score = weight as i32;
    }
    for weight in scores.iter_mut() {
        // Below 2³¹: a weight is at most 2¹⁵, and the sum at most 2²⁴. It is at least 2¹⁵, the weight of the largest.
        *weight = ((((*weight as u32) << 15) + sum / 2) / sum) as i32;
    }
}

impl Activation {
    /// The activation of `value`.
    #[inline(always)]
    pub(crate) fn apply(&self, value: i32) -> i32 {
        const MIDDLE: i32 = ACTIVATION_TABLE as i32 / 2;
        let place = ((value + (1 << (self.shift - 1))) >> self.shift) + MIDDLE;
        if place < 0 {
            0
        } else {
            self.table.get(place as usize).copied().unwrap_or(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rescaling_rounds_halves_away_from_zero() {
        for (a, b, shift, expected) in [
            (3, 1, 1, 2),
            (-3, 1, 1, -2),
            (1, 1, 2, 0),
            (5, 3, 0, 15),
            (i32::MAX, i32::MAX, 0, i32::MAX),
            (i32::MIN, i32::MIN, 62, 1),
            (i32::MIN, i32::MAX, 31, -i32::MAX),
        ] {
            assert_eq!(rescale(a, b, shift), expected, "{a} {b} {shift}");
        }
    }

    proptest! {
        #[test]
        fn rows_are_quantised_to_their_levels(row in prop::collection::vec(-VALUE_MAX..=VALUE_MAX, 1..50)) {
            for limbs in [Limbs::One, Limbs::Two] {
                let scale = scale(&row);
                let reciprocal = (limbs.levels() << limbs.shift()) / scale as u32;
                for &value in &row {
                    let level = f64::from(quantise(value, reciprocal, limbs.shift()));
                    let exact = f64::from(value) / f64::from(scale) * f64::from(limbs.levels());
                    prop_assert!(level.abs() <= limbs.levels().into());
                    prop_assert!((level - exact).abs() <= 0.51 + exact.abs() / 4000.0, "{} {}", level, exact);
                }
            }
        }

        #[test]
        fn normalised_rows_have_norm_one(row in prop::collection::vec(-VALUE_MAX..=VALUE_MAX, 2..200)) {
            let squares: u64 = row.iter().map(|value| u64::from(value.unsigned_abs()).pow(2)).sum();
            prop_assume!(squares > 1 << 24);
            let normaliser = Normaliser::new(squares);
            for &value in &row {
                let exact = f64::from(value) / (squares as f64).sqrt();
                prop_assert!((f64::from(normaliser.apply(value)) / 16_777_216.0 - exact).abs() < 1e-4);
            }
        }

        #[test]
        fn tangents_are_those_of_the_function(value in -VALUE_MAX..=VALUE_MAX, near in -9000i32..9000) {
            let table = crate::networks::transformer::exponent_table();
            for value in [value, near] {
                let exact = (f64::from(value) * std::f64::consts::LN_2 / 2048.0).tanh() * 32_768.0;
                let found = tangent(value, &table);
                prop_assert!((f64::from(found) - exact).abs() < 1.5, "{} {} {}", value, found, exact);
            }
        }

        #[test]
        fn probabilities_are_those_of_the_softmax(scores in prop::collection::vec(-9000i32..9000, 1..100)) {
            let table = crate::networks::transformer::exponent_table();
            let mut found = scores.clone();
            softmax(&mut found, &table);
            let powers: Vec<f64> = scores.iter().map(|&score| (f64::from(score) / 1024.0).exp2()).collect();
            let sum: f64 = powers.iter().sum();
            for (found, power) in found.into_iter().zip(powers) {
                prop_assert!((f64::from(found) / 32_768.0 - power / sum).abs() < 1e-4);
            }
        }
    }
}
