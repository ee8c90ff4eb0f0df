//! From floats to the integers of a package.
//!
//! Only operations of IEEE 754 that are exactly rounded, and functions of the crate `libm`, so that the same model
//! gives the same package on every machine.
//!
//! The units of values are chosen here; the multipliers of the next layer undo them.

use agora_compute::transformer::{ACTIVATION_TABLE, Activation, Limbs, Linear, Norm, VALUE_MAX};

/// Bits behind the binary point of values in the states: they reach to ±512, which outliers of MiniLM need.
pub(crate) const STATE_BITS: i32 = 10;
/// Bits behind the binary point of the values that the attention averages: they reach to ±16.
pub(crate) const MIXED_BITS: i32 = 11;
/// Bits behind the binary point of values before and after the activation: they reach to ±128.
pub(crate) const BETWEEN_BITS: i32 = 12;
/// One place of the activation's table is 2⁻⁹: the table reaches to ±4, where the activation is zero or the identity to
/// within a unit.
const ACTIVATION_SHIFT: i32 = BETWEEN_BITS - 9;
/// Levels of signed bytes.
const BYTE_LEVELS: f64 = 127.0;
/// Bits that sums are shifted by after the multiplication with their row's scale.
const ROW_BITS: i32 = 16;

/// A multiplier and a shift: `factor` is nearly `multiplier / 2^shift`.
///
/// `None` if the factor is too large for that, or not a number.
pub(crate) fn multiplier(factor: f64) -> Option<(i32, i8)> {
    if factor == 0.0 {
        return Some((0, 0));
    }
    let (_, exponent) = libm::frexp(factor);
    let shift = (31 - exponent).min(62);
    let multiplier = libm::rint(libm::ldexp(factor, shift));
    // Rounding may have led to the next power of two.
    let (multiplier, shift) = match multiplier {
        power if power >= 2_147_483_648.0 => (power / 2.0, shift - 1),
        other => (other, shift),
    };
    let fits = factor.is_finite() && factor > 0.0 && shift >= 0;
    fits.then_some((multiplier as i32, shift as i8))
}

/// `float` with so many bits behind the binary point, within the bounds of values.
pub(crate) fn value(float: f64, bits: i32) -> i32 {
    let most = f64::from(VALUE_MAX);
    libm::rint(libm::ldexp(float, bits)).clamp(-most, most) as i32
}

/// Bits behind the binary point with which all of `floats` fit 16 bits, at most 16.
pub(crate) fn bits(floats: &[f64]) -> i32 {
    let most = floats.iter().fold(0.0, |most: f64, float| most.max(float.abs()));
    // most ≤ 2^exponent; none is larger than 2^15 − 1 if it is rounded up to one less bit.
    let (_, exponent) = libm::frexp(most);
    (15 - exponent).min(16)
}

/// A row of signed bytes, and the factor by which they are multiplied to give the row.
pub(crate) fn bytes(row: &[f64]) -> (Vec<i8>, f64) {
    let most = row.iter().fold(0.0, |most: f64, weight| most.max(weight.abs()));
    let scale = if most > 0.0 { most / BYTE_LEVELS } else { 1.0 };
    let bytes = row.iter().map(|weight| libm::rint(weight / scale) as i8).collect();
    (bytes, scale)
}

/// A linear layer that is made from floats, row by row.
pub(crate) struct LinearBuilder {
    linear: Linear,
    /// Bits behind the binary point of the input.
    input_bits: i32,
}

impl LinearBuilder {
    pub fn new(limbs: Limbs, input_bits: i32) -> Self {
        let linear = Linear {
            limbs,
            weight: Vec::new(),
            multiplier: Vec::new(),
            shift: Vec::new(),
            bias: Vec::new(),
        };
        Self { linear, input_bits }
    }

    /// Adds the outputs whose weights are the rows of `weights`, each times `factor`, with so many bits behind the
    /// point.
    ///
    /// Returns `None` if a weight is too large.
    pub fn rows(mut self, weights: &[f64], biases: &[f64], factor: f64, output_bits: i32) -> Option<Self> {
        let levels = match self.linear.limbs {
            Limbs::One => BYTE_LEVELS,
            Limbs::Two => 8191.0,
        };
        let bits = ROW_BITS + output_bits - self.input_bits;
        for (row, bias) in weights.chunks_exact(weights.len() / biases.len().max(1)).zip(biases) {
            let (bytes, scale) = bytes(row);
            let (multiplier, shift) = multiplier(libm::ldexp(scale * factor / levels, bits))?;
            self.linear.weight.extend(bytes);
            self.linear.multiplier.push(multiplier);
            self.linear.shift.push(shift);
            self.linear.bias.push(value(bias * factor, output_bits));
        }
        Some(self)
    }

    pub fn build(self) -> Linear {
        self.linear
    }
}

/// A layer normalisation to values of the states. `None` if a weight is too large.
pub(crate) fn norm(weights: &[f64], biases: &[f64]) -> Option<Norm> {
    let root = libm::sqrt(weights.len() as f64);
    let most = weights.iter().fold(0.0, |most: f64, weight| most.max(weight.abs()));
    // Normalised rows are in units of 2⁻²⁴.
    let (_, shift) = multiplier(libm::ldexp(most * root, STATE_BITS - 24))?;
    let weight = |weight: &f64| libm::rint(libm::ldexp(weight * root, STATE_BITS - 24 + i32::from(shift))) as i32;
    Some(Norm {
        weight: weights.iter().map(weight).collect(),
        shift,
        bias: biases.iter().map(|&bias| value(bias, STATE_BITS)).collect(),
    })
}

/// What is between the linear layers of a feed-forward network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Function {
    /// The Gaussian error linear unit.
    Gelu,
    /// That by the hyperbolic tangent.
    GeluTanh,
    /// The positive part.
    Relu,
}

impl Function {
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Gelu => 0.5 * x * (1.0 + libm::erf(x / core::f64::consts::SQRT_2)),
            Self::GeluTanh => {
                let inner = libm::sqrt(2.0 / core::f64::consts::PI) * (x + 0.044_715 * x * x * x);
                0.5 * x * (1.0 + libm::tanh(inner))
            }
            Self::Relu => x.max(0.0),
        }
    }

    /// The function as a table.
    pub fn table(self) -> Activation {
        let mut table = Box::new([0; ACTIVATION_TABLE]);
        for (entry, place) in table.iter_mut().zip(-(ACTIVATION_TABLE as i32) / 2..) {
            let x = libm::ldexp(place.into(), ACTIVATION_SHIFT - BETWEEN_BITS);
            *entry = value(self.apply(x), BETWEEN_BITS);
        }
        Activation {
            shift: ACTIVATION_SHIFT as u8,
            table,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn factors_are_met_to_nine_digits(factor in 1e-7f64..1e6) {
            let (multiplier, shift) = multiplier(factor).unwrap();
            let found = libm::ldexp(multiplier.into(), -i32::from(shift));
            prop_assert!((found / factor - 1.0).abs() < 1e-9, "{}", found);
        }

        #[test]
        fn bytes_are_within_half_a_level(row in prop::collection::vec(-3.0f64..3.0, 1..50)) {
            let (bytes, scale) = bytes(&row);
            for (byte, weight) in bytes.into_iter().zip(row) {
                prop_assert!((f64::from(byte) * scale - weight).abs() <= scale * 0.5001);
            }
        }
    }

    #[test]
    fn factors_that_cannot_be_written_are_refused() {
        for factor in [f64::NAN, f64::INFINITY, -1.0, 1e30] {
            assert_eq!(multiplier(factor), None);
        }
        assert_eq!(multiplier(0.0), Some((0, 0)));
        assert_eq!(multiplier(1.0 - 1e-12), Some((1 << 30, 30)));
    }

    #[test]
    fn the_gelu_is_that_of_tables() {
        let gelu = Function::Gelu.table();
        // x = 1 and x = −1: 0.841345 and −0.158655.
        assert_eq!(gelu.table[2048 + 512], 3446);
        assert_eq!(gelu.table[2048 - 512], -650);
        assert_eq!(gelu.table[2048], 0);
    }
}
