//! The optimizer: stochastic gradient descent with momentum and a learning rate that is halved, number by number. All
//! engines do the same, and nothing here can overflow.

use crate::networks::classifier::MAX_VALUE;
use agora_math::field::Generator;
use agora_primitives::job::TrainingJob;

/// The generator's label of the random bits by which gradients are rounded.
const LABEL_ROUNDING: &[u8] = b"training rounding";

/// Fractional bits of the weights that are trained.
pub(super) const WEIGHT_BITS: u32 = 16;
/// The largest amount of a weight that is trained.
pub(super) const MAX_WEIGHT: i32 = MAX_VALUE << WEIGHT_BITS;
/// The largest amount by which a step changes a momentum.
pub(super) const MAX_CHANGE: i32 = 1 << 22;
/// Random bits by which a gradient is rounded, and the largest learning-rate shift.
pub(super) const MAX_ROUNDED_BITS: u32 = 16;

/// The generator of the random bits by which gradients are rounded.
///
/// Weight `i` in step `t` has the lower (if `i` is even) or upper 16 bits of word ⌊i mod 8 / 2⌋ of block
/// 2³² · t + ⌊i / 8⌋.
pub(super) fn rounding(job: &TrainingJob) -> Generator {
    Generator::new(&job.seed, LABEL_ROUNDING)
}

/// The largest amount of a momentum.
pub(super) const fn max_momentum(momentum_shift: u32) -> i32 {
    MAX_CHANGE << momentum_shift
}

/// The weight that is multiplied with: rounded to the nearest, half up, −127 to 127.
pub(super) fn quantise(weight: i32) -> i16 {
    let rounded = (weight + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS;
    rounded.clamp(-MAX_VALUE, MAX_VALUE) as i16
}

/// How many bits the sum of an image's gradients over its positions is shifted by, so that all images' sums fit.
pub(super) fn position_bits(positions: usize) -> u32 {
    positions.next_power_of_two().ilog2()
}

/// By how many bits the gradients of the two layers are shifted in step `step`.
pub(super) fn learning_rate_shifts(rate_shift: u32, halve_after: u32, step: u32, positions: usize) -> [u32; 2] {
    let shift = rate_shift.saturating_add(step.checked_div(halve_after).unwrap_or(0));
    let first = shift.saturating_add(1).saturating_sub(position_bits(positions));
    [first, shift].map(|shift| shift.min(MAX_ROUNDED_BITS))
}

/// Changes one weight and its momentum by `gradient`, whose last `shift` bits are rounded by the `random` ones.
pub(super) fn update(
    weight: &mut i32,
    momentum: &mut i32,
    gradient: i32,
    shift: u32,
    momentum_shift: u32,
    random: u32,
) {
    // The gradient's amount is at most 2³⁰, and 16 bits are added.
    let rounded = (gradient + (random & ((1 << shift) - 1)).cast_signed()) >> shift;
    let change = rounded.clamp(-MAX_CHANGE, MAX_CHANGE);
    // The decay is rounded away from zero, so that a momentum without gradients becomes zero.
    let lost = (momentum.abs() + (1 << momentum_shift) - 1) >> momentum_shift;
    *momentum += change - lost * momentum.signum();
    *weight = (*weight - *momentum).clamp(-MAX_WEIGHT, MAX_WEIGHT);
}
