//! The gradients of some weights, summed over the batch, and the optimizer: stochastic gradient descent with momentum.

use super::{
    errors::{Errors, LAST_CONSTANT},
    features::{Features, List, MAX_FEATURE},
    images::{Images, add_window},
    plan::Piece,
    step::{Number, Training},
};
use crate::{
    Fault,
    counts::{product, sum},
};
use agora_math::field::Generator;
use alloc::{vec, vec::Vec};

/// The generator's label of the random bits by which gradients are rounded.
const LABEL: &[u8] = b"training rounding";
/// Fractional bits of the weights that are trained.
const WEIGHT_BITS: u32 = 16;
/// The largest amount of a weight as it is multiplied with.
const MAX_VALUE: i32 = 127;
/// The largest amount of a weight that is trained.
pub(super) const MAX_WEIGHT: i32 = MAX_VALUE << WEIGHT_BITS;
/// The largest amount by which a step changes a momentum.
const MAX_CHANGE: i32 = 1 << 22;
/// Random bits by which a gradient is rounded, and the largest shift of the learning rate.
const MAX_SHIFT: u32 = 16;
/// Weights for which one block of random bits is used.
const BLOCK_WEIGHTS: u64 = 8;

/// The largest amount of a momentum.
pub(super) const fn max_momentum(momentum_shift: u32) -> i32 {
    MAX_CHANGE.wrapping_shl(momentum_shift)
}

/// The weight that is multiplied with: rounded to the nearest, half up, −127 to 127.
pub(super) fn quantise(weight: i32) -> i8 {
    let rounded = weight.saturating_add(1 << (WEIGHT_BITS - 1)) >> WEIGHT_BITS;
    rounded.clamp(-MAX_VALUE, MAX_VALUE) as i8
}

/// `W` of each weight of `piece` after the step, then `V`.
pub(super) fn compute(training: &Training<'_>, piece: Piece) -> Result<Vec<u8>, Fault> {
    let plan = training.plan;
    let gradients = if piece.is_first {
        first_gradients(training, piece)?
    } else {
        last_gradients(training, piece)?
    };
    let mut weights = training.numbers(Number::Weight, piece.first, piece.weights)?;
    let mut momenta = training.numbers(Number::Momentum, piece.first, piece.weights)?;
    let number = training.number()?;
    let mut rounding = Rounding::new(training, number);
    let rate = Rate {
        shift: shift(training, number, piece),
        momentum_shift: plan.job.momentum_shift,
    };
    let all = weights.iter_mut().zip(&mut momenta).zip(gradients);
    for (index, ((weight, momentum), gradient)) in (piece.first..).zip(all) {
        rate.change(weight, momentum, gradient, rounding.bits(index));
    }
    Ok(weights.into_iter().chain(momenta).flat_map(i32::to_le_bytes).collect())
}

/// ⌈log₂ P⌉: by so many bits the sum of an image's gradients over its positions is shifted.
fn position_bits(training: &Training<'_>) -> u32 {
    // At most 256.
    training.plan.shape.positions.next_power_of_two().trailing_zeros()
}

/// By how many bits the gradients of the layer of `piece` are shifted in the step of this number.
fn shift(training: &Training<'_>, number: u32, piece: Piece) -> u32 {
    let job = training.plan.job;
    let halved = number.checked_div(job.halve_after).unwrap_or(0);
    let shift = job.rate_shift.saturating_add(halved);
    let shift = if piece.is_first {
        shift.saturating_add(1).saturating_sub(position_bits(training))
    } else {
        shift
    };
    shift.min(MAX_SHIFT)
}

/// Of weights of the first layer.
fn first_gradients(training: &Training<'_>, piece: Piece) -> Result<Vec<i32>, Fault> {
    let shape = &training.plan.shape;
    let bits = position_bits(training);
    let half = 1i32.wrapping_shl(bits) >> 1;
    let (mut images, mut features, mut errors) =
        (Images::new(training)?, Features::new(training), Errors::new(training));
    let mut gradients = vec![0i32; piece.weights as usize];
    let mut image = vec![0i32; shape.inputs as usize];
    let (positions, inputs_count) = (shape.positions.max(1) as usize, shape.inputs.max(1) as usize);
    for place in 0..training.plan.batch {
        let inputs = images.inputs(place)?;
        let chosen = features.read(List::Chosen, place, piece.row, piece.rows)?;
        let first = product([piece.row, shape.positions]);
        let errors = errors.of_features(place, first, product([piece.rows, shape.positions]))?;
        let channels = chosen.chunks_exact(positions).zip(errors.chunks_exact(positions));
        for ((chosen, errors), gradients) in channels.zip(gradients.chunks_exact_mut(inputs_count)) {
            image.fill(0);
            for ((position, &at), &error) in (0u64..).zip(chosen).zip(errors) {
                let at = u64::from(at).checked_rem(shape.square()).unwrap_or_default();
                // At most 256 positions times 32,639 and 127: below 2³⁰.
                add_window(shape, &mut image, error, &inputs, shape.window(position, at));
            }
            for (gradient, &sum) in gradients.iter_mut().zip(&image) {
                *gradient = gradient.wrapping_add(sum.wrapping_add(half).wrapping_shr(bits));
            }
        }
    }
    Ok(gradients)
}

/// Of weights of the last layer: below 2²⁹.
fn last_gradients(training: &Training<'_>, piece: Piece) -> Result<Vec<i32>, Fault> {
    let shape = &training.plan.shape;
    let (mut features, mut errors) = (Features::new(training), Errors::new(training));
    let mut gradients = vec![0i32; piece.weights as usize];
    for place in 0..training.plan.batch {
        let values = features.read(List::Features, place, 0, shape.channels)?;
        let values = values.into_iter().map(|value| i32::from(value.min(MAX_FEATURE)));
        let values: Vec<i32> = values.chain([LAST_CONSTANT]).collect();
        let errors = errors.of_classes(place, piece.row, piece.rows)?;
        for (class, error) in gradients.chunks_exact_mut(values.len()).zip(errors) {
            for (gradient, &value) in class.iter_mut().zip(&values) {
                *gradient = gradient.wrapping_add(error.wrapping_mul(value));
            }
        }
    }
    Ok(gradients)
}

/// The random bits of a step.
struct Rounding {
    generator: Generator,
    /// The step's first block.
    first: u64,
    /// The block that was used last, and its words.
    block: Option<(u64, [u32; 4])>,
}

impl Rounding {
    fn new(training: &Training<'_>, number: u32) -> Self {
        Self {
            generator: Generator::new(&training.plan.job.seed, LABEL),
            first: u64::from(number) << 32,
            block: None,
        }
    }

    /// 16 bits for weight `weight`: the lower (if it is even) or the upper half of word ⌊(`weight` mod 8) / 2⌋ of block
    /// 2³² · step + ⌊`weight` / 8⌋.
    fn bits(&mut self, weight: u64) -> u32 {
        let number = sum([self.first, weight / BLOCK_WEIGHTS]);
        let words = match self.block {
            Some((block, words)) if block == number => words,
            _ => {
                let words = self.generator.words(number);
                self.block = Some((number, words));
                words
            }
        };
        let word = words
            .get((weight % BLOCK_WEIGHTS / 2) as usize)
            .copied()
            .unwrap_or_default();
        if weight.is_multiple_of(2) {
            word & 0xffff
        } else {
            word >> 16
        }
    }
}

/// How far a step goes.
struct Rate {
    shift: u32,
    momentum_shift: u32,
}

impl Rate {
    /// Changes one weight and its momentum by `gradient`, rounded by the `random` bits.
    fn change(&self, weight: &mut i32, momentum: &mut i32, gradient: i32, random: u32) {
        let mask = 1u32.wrapping_shl(self.shift).wrapping_sub(1);
        // The gradient's amount is at most 2³⁰, and 16 bits are added.
        let rounded = gradient
            .wrapping_add((random & mask).cast_signed())
            .wrapping_shr(self.shift);
        let change = rounded.clamp(-MAX_CHANGE, MAX_CHANGE);
        // The decay is rounded away from zero, so that a momentum without gradients becomes zero.
        let most = max_momentum(self.momentum_shift);
        let before = (*momentum).clamp(most.wrapping_neg(), most);
        let up = 1i32.wrapping_shl(self.momentum_shift).wrapping_sub(1);
        let lost = before.wrapping_abs().wrapping_add(up).wrapping_shr(self.momentum_shift);
        *momentum = before
            .wrapping_add(change)
            .wrapping_sub(lost.wrapping_mul(before.signum()));
        *weight = weight.saturating_sub(*momentum).clamp(-MAX_WEIGHT, MAX_WEIGHT);
    }
}
