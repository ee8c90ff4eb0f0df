//! Linear layers on the processor: exact products of rows and weights, both signed bytes.

use super::{
    Limbs, Linear,
    forward::States,
    operators::{ROW_SHIFT, clamp, quantise, rescale, scale},
};
use crate::{
    kernels::cpu::{GemmError, Kernel, PackedLhs, PackedRhs, product},
    run::CancelFlag,
};

/// A linear layer, ready to be applied.
pub(super) struct LinearLayer {
    weights: PackedRhs,
    limbs: Limbs,
    width: usize,
    multiplier: Vec<i32>,
    shift: Vec<u32>,
    bias: Vec<i32>,
}

/// Rows in levels: the high limbs, if there are two, and the low ones.
struct Levels {
    high: Vec<i8>,
    low: Vec<i8>,
    /// The scale of each row.
    scales: Vec<i32>,
}

impl LinearLayer {
    /// Errors: `Shape`, unless `linear` is one of a package.
    pub fn new(linear: &Linear) -> Result<Self, GemmError> {
        let outputs = linear.multiplier.len();
        let width = linear.weight.len() / outputs.max(1);
        Ok(Self {
            weights: PackedRhs::transposed(&linear.weight, outputs, width)?,
            limbs: linear.limbs,
            width,
            multiplier: linear.multiplier.clone(),
            shift: linear
                .shift
                .iter()
                .map(|&shift| u32::from(shift.unsigned_abs()))
                .collect(),
            bias: linear.bias.clone(),
        })
    }

    /// The layer's outputs for every row of `states`.
    ///
    /// Errors: `Shape` if its rows have another width; `Cancelled`.
    pub fn apply(&self, states: &States, cancel: &CancelFlag) -> Result<States, GemmError> {
        let outputs = self.multiplier.len();
        let rows = states.values.len() / states.width;
        let Levels { high, low, scales } = Levels::new(states, self.limbs);
        let mut values = vec![0; rows * outputs];
        if self.limbs == Limbs::Two {
            let lhs = PackedLhs::new(&high, rows, self.width)?;
            product(&lhs, &self.weights, cancel, &mut values, |_, sums, out| {
                for (out, sum) in out.iter_mut().zip(sums) {
                    // Where this wraps, the low limbs' sums take it back: the whole sum fits.
                    *out = sum.wrapping_mul(128);
                }
            })?;
        }
        let lhs = PackedLhs::new(&low, rows, self.width)?;
        product(&lhs, &self.weights, cancel, &mut values, |segment, sums, out| {
            let columns = segment.column..segment.column + sums.len();
            let scale = scales[segment.row];
            let parameters = self.multiplier[columns.clone()]
                .iter()
                .zip(&self.shift[columns.clone()])
                .zip(&self.bias[columns]);
            for ((out, &sum), ((&multiplier, &shift), &bias)) in out.iter_mut().zip(sums).zip(parameters) {
                let sum = out.wrapping_add(sum);
                let value = rescale(rescale(sum, multiplier, shift), scale, ROW_SHIFT);
                *out = clamp(clamp(value).wrapping_add(bias));
            }
        })?;
        Ok(States { values, width: outputs })
    }
}

impl Levels {
    fn new(states: &States, limbs: Limbs) -> Self {
        let count = states.values.len();
        let mut levels = Self {
            high: Vec::new(),
            low: vec![0; count],
            scales: states.rows().map(scale).collect(),
        };
        if limbs == Limbs::Two {
            levels.high = vec![0; count];
        }
        Kernel::best().vectorise(
            #[inline(always)]
            || match limbs {
                Limbs::One => levels.fill_one(states),
                Limbs::Two => levels.fill_two(states),
            },
        );
        levels
    }

    #[inline(always)]
    fn fill_one(&mut self, states: &States) {
        let shift = Limbs::One.shift();
        let lows = self.low.chunks_exact_mut(states.width);
        for ((row, &scale), low) in states.rows().zip(&self.scales).zip(lows) {
            let reciprocal = (Limbs::One.levels() << shift) / scale.unsigned_abs();
            for (low, &value) in low.iter_mut().zip(row) {
                *low = quantise(value, reciprocal, shift) as i8;
            }
        }
    }

    #[inline(always)]
    fn fill_two(&mut self, states: &States) {
        let shift = Limbs::Two.shift();
        let lows = self.low.chunks_exact_mut(states.width);
        let highs = self.high.chunks_exact_mut(states.width);
        for ((row, &scale), (low, high)) in states.rows().zip(&self.scales).zip(lows.zip(highs)) {
            let reciprocal = (Limbs::Two.levels() << shift) / scale.unsigned_abs();
            for ((low, high), &value) in low.iter_mut().zip(high).zip(row) {
                let level = quantise(value, reciprocal, shift);
                // −64 ..= 64 and −64 ..= 63.
                let upper = level.wrapping_add(64) >> 7;
                *high = upper as i8;
                *low = level.wrapping_sub(upper << 7) as i8;
            }
        }
    }
}
