//! The last layer: the loss of some images, and its gradient by the logits and the features.

use super::{
    features::{Features, List, MAX_FEATURE},
    images::Images,
    plan::Task,
    step::Training,
};
use crate::{
    Fault, Reader,
    counts::{product, sum},
};
use alloc::{vec, vec::Vec};

/// The constant input of the last layer.
pub(super) const LAST_CONSTANT: i32 = 32;
/// A probability of one.
const CERTAIN: u32 = 1 << 14;
/// Logits have this many fractional bits: a logit of 2¹¹ more is twice as probable.
const LOGIT_BITS: u32 = 11;
const ONE: u32 = 1 << LOGIT_BITS;
/// The errors of the features are divided by two to this power.
const ERROR_SHIFT: u32 = 7;
/// The largest loss of an image.
const MAX_LOSS: u32 = 1 << 20;

/// Of each image of `group`: its loss, the gradient δ by each logit, the gradient ε by each feature.
pub(super) fn compute(training: &Training<'_>, group: u64) -> Result<Vec<u8>, Fault> {
    let plan = training.plan;
    let shape = &plan.shape;
    // At most 2²².
    let weights = training.quantised(shape.first_weights(), product([shape.classes, shape.class_weights()]))?;
    let mut images = Images::new(training)?;
    let mut all_features = Features::new(training);
    let mut output = Vec::new();
    let first_place = product([group, plan.errors_group]);
    for place in first_place..first_place.saturating_add(plan.group(plan.errors_group, group)) {
        let features = all_features.read(List::Features, place, 0, shape.channels)?;
        let logits: Vec<i32> = weights
            .chunks_exact(shape.class_weights() as usize)
            .map(|class| logit(class, &features))
            .collect();
        let (loss, errors) = softmax(&logits, images.label(place)?);
        // At most 2¹⁵ + 128 times 127 each.
        let mut sums = vec![0i32; features.len()];
        for (&error, class) in errors.iter().zip(weights.chunks_exact(shape.class_weights() as usize)) {
            for (sum, &weight) in sums.iter_mut().zip(class) {
                *sum = sum.wrapping_add(i32::from(error).wrapping_mul(weight.into()));
            }
        }
        output.extend(loss.to_le_bytes());
        output.extend(errors.into_iter().flat_map(i16::to_le_bytes));
        let errors = features
            .iter()
            .zip(sums)
            .map(|(&feature, sum)| feature_error(feature, sum));
        output.extend(errors.flat_map(i16::to_le_bytes));
    }
    Ok(output)
}

/// At most 127 · 127 · 16,385 in amount.
fn logit(weights: &[i8], features: &[u8]) -> i32 {
    let Some((&constant, weights)) = weights.split_last() else {
        return 0;
    };
    let constant = i32::from(constant).wrapping_mul(LAST_CONSTANT);
    weights.iter().zip(features).fold(constant, |sum, (&weight, &feature)| {
        sum.wrapping_add(i32::from(weight).wrapping_mul(feature.min(MAX_FEATURE).into()))
    })
}

/// 2¹⁶ · 2^(−`below` / 2¹¹), nearly: the fraction by a parabola through both ends.
fn power(below: u32) -> u32 {
    let fraction = below % ONE;
    // At most 2²⁰ · 1406 < 2³¹.
    let bend = fraction.wrapping_mul(ONE.wrapping_sub(fraction)).wrapping_mul(1406) >> 19;
    let mantissa = (1u32 << 16).wrapping_sub(fraction.wrapping_mul(16)).wrapping_sub(bend);
    mantissa.wrapping_shr((below >> LOGIT_BITS).min(31))
}

/// log₂(`sum` / 2¹⁶) in parts of 2⁻¹¹, nearly, for `sum` of 2¹⁶ to 2²⁴.
fn logarithm(sum: u32) -> u32 {
    let exponent = sum.max(1 << 16).ilog2();
    let mantissa = sum.wrapping_shr(exponent.wrapping_sub(LOGIT_BITS)).wrapping_sub(ONE);
    // At most 2²⁰ · 704 < 2³⁰.
    let bend = mantissa.wrapping_mul(ONE.wrapping_sub(mantissa)).wrapping_mul(704) >> 22;
    (exponent.wrapping_sub(16) << LOGIT_BITS)
        .wrapping_add(mantissa)
        .wrapping_add(bend)
}

/// The loss of an image of class `label`, and its gradient by each logit: the probability, less one for the class that
/// is right. Each is −2¹⁴ ..= 2¹⁴.
fn softmax(logits: &[i32], label: usize) -> (u32, Vec<i16>) {
    let largest = logits.iter().copied().max().unwrap_or_default();
    // Below 2³⁰.
    let below = |logit: i32| largest.wrapping_sub(logit).unsigned_abs();
    let powers: Vec<u32> = logits.iter().map(|&logit| power(below(logit))).collect();
    // At most 256 · 2¹⁶, and at least 2¹⁶, that of the largest.
    let total = powers.iter().fold(0u32, |sum, &power| sum.wrapping_add(power));
    let probability = |power: u32| {
        // At most 2³⁰ + 2²³.
        let scaled = power.wrapping_mul(CERTAIN).wrapping_add(total / 2);
        scaled.checked_div(total).unwrap_or_default() as i16
    };
    let mut errors: Vec<i16> = powers.into_iter().map(probability).collect();
    if let Some(right) = errors.get_mut(label) {
        *right = right.wrapping_sub(CERTAIN as i16);
    }
    let right = logits.get(label).map_or(0, |&logit| below(logit));
    (right.saturating_add(logarithm(total)).min(MAX_LOSS), errors)
}

/// The gradient of the loss by the sum that became a feature. At most 32,639 in amount.
fn feature_error(feature: u8, sum: i32) -> i16 {
    if feature == 0 || feature >= MAX_FEATURE {
        return 0;
    }
    (sum.wrapping_add(1 << (ERROR_SHIFT - 1)) >> ERROR_SHIFT) as i16
}

/// The sum of the losses of the batch.
pub(super) fn loss(training: &Training<'_>) -> Result<Vec<u8>, Fault> {
    let mut errors = Errors::new(training);
    let mut total = 0u32;
    for place in 0..training.plan.batch {
        // At most 2²⁰ each.
        total = total.wrapping_add(errors.loss(place)?);
    }
    Ok(total.to_le_bytes().to_vec())
}

/// Reads what the units of errors of a step have kept.
pub(super) struct Errors<'a> {
    training: Training<'a>,
    reader: Reader<'a>,
    /// The group that the reader reads.
    group: u64,
}

impl<'a> Errors<'a> {
    pub fn new(training: &Training<'a>) -> Self {
        Self {
            training: *training,
            reader: training.kept(Task::Errors(0)),
            group: 0,
        }
    }

    fn loss(&mut self, place: u64) -> Result<u32, Fault> {
        let bytes = self.read(place, 0, 4)?;
        Ok(bytes.as_chunks().0.iter().map(|&loss| u32::from_le_bytes(loss)).sum())
    }

    /// δ of `count` classes from `first` on, for the image at place `place`.
    pub fn of_classes(&mut self, place: u64, first: u64, count: u64) -> Result<Vec<i32>, Fault> {
        self.numbers(place, first, count)
    }

    /// ε of `count` features from `first` on, for the image at place `place`.
    pub fn of_features(&mut self, place: u64, first: u64, count: u64) -> Result<Vec<i32>, Fault> {
        let classes = self.training.plan.shape.classes;
        self.numbers(place, sum([classes, first]), count)
    }

    fn numbers(&mut self, place: u64, first: u64, count: u64) -> Result<Vec<i32>, Fault> {
        let bytes = self.read(place, sum([4, product([2, first])]), product([2, count]))?;
        let numbers = bytes.as_chunks().0.iter();
        Ok(numbers.map(|&number| i16::from_le_bytes(number).into()).collect())
    }

    fn read(&mut self, place: u64, at: u64, size: u64) -> Result<Vec<u8>, Fault> {
        let plan = self.training.plan;
        let group = place.checked_div(plan.errors_group).ok_or(Fault::NoUnit)?;
        let image = place.checked_rem(plan.errors_group).ok_or(Fault::NoUnit)?;
        if group != self.group {
            self.reader = self.training.kept(Task::Errors(group));
            self.group = group;
        }
        self.reader
            .read_vec(sum([product([image, plan.errors_bytes()]), at]), size as usize)
    }
}
