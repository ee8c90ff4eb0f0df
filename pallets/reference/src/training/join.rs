//! Parts of states: made from random bits, copied from a checkpoint, from updates, from states and losses.

use super::{
    plan::{Plan, Task},
    step::{Number, Training},
};
use crate::{
    Blobs, Fault, Reader, Source,
    counts::{product, sum},
};
use agora_math::field::Generator;
use alloc::vec::Vec;

/// The generator's label of the first weights.
const LABEL: &[u8] = b"training weights";

/// The `size` bytes of `state` from byte `offset` on. Both are multiples of four.
pub(super) fn part(plan: &Plan<'_>, blobs: &dyn Blobs, state: u64, offset: u64, size: u64) -> Result<Vec<u8>, Fault> {
    if plan.is_output(state) {
        return output(plan, blobs, offset, size);
    }
    if state > 0 {
        return trained(plan, blobs, state, offset, size);
    }
    match plan.job.start {
        // A part has at most 128 KiB.
        Some(start) => Reader::new(blobs, Source::Input(start)).read_vec(offset, size as usize),
        None => Ok(first(plan, offset, size)),
    }
}

/// The first state: no steps, random weights, no momenta.
fn first(plan: &Plan<'_>, offset: u64, size: u64) -> Vec<u8> {
    let generator = Generator::new(&plan.job.seed, LABEL);
    let end = offset.saturating_add(size) / 4;
    let numbers = (offset / 4..end).map(|at| match at.checked_sub(1) {
        Some(weight) if weight < plan.shape.weights() => first_weight(plan, &generator, weight),
        _ => 0,
    });
    numbers.flat_map(i32::to_le_bytes).collect()
}

/// A weight of the first state. Those of constant inputs are zero.
fn first_weight(plan: &Plan<'_>, generator: &Generator, weight: u64) -> i32 {
    let (inputs, at) = match weight.checked_sub(plan.shape.first_weights()) {
        None => (plan.shape.inputs, weight),
        Some(at) => (plan.shape.class_weights(), at),
    };
    if at.saturating_add(1).checked_rem(inputs) == Some(0) {
        return 0;
    }
    let words = generator.words(weight / 4);
    let word = words.get((weight % 4) as usize).copied().unwrap_or_default();
    // About √(6 / inputs).
    let bits = inputs.checked_ilog2().map_or(0, |log| log.saturating_add(1));
    word.cast_signed().wrapping_shr(bits.div_ceil(2).saturating_add(7))
}

/// A state after the first: one number of each weight after the other, from the updates of its last training step; then
/// the loss of each of its steps.
fn trained(plan: &Plan<'_>, blobs: &dyn Blobs, state: u64, offset: u64, size: u64) -> Result<Vec<u8>, Fault> {
    let last = Training {
        plan,
        blobs,
        state,
        step: u64::from(plan.job.state_interval).saturating_sub(1),
    };
    let weights = plan.shape.weights();
    let end = offset.saturating_add(size) / 4;
    let mut at = offset / 4;
    let mut bytes = Vec::new();
    while at < end {
        let Some(number) = at.checked_sub(1) else {
            bytes.extend(last.number()?.wrapping_add(1).to_le_bytes());
            at = 1;
            continue;
        };
        if let Some(step) = number.checked_sub(product([2, weights])) {
            let mut loss = [0; 4];
            Training { step, ..last }.kept(Task::Loss).read(0, &mut loss)?;
            bytes.extend(loss);
            at = at.saturating_add(1);
            continue;
        }
        let (of, first) = match number.checked_sub(weights) {
            None => (Number::Weight, number),
            Some(momentum) => (Number::Momentum, momentum),
        };
        let count = end.saturating_sub(at).min(weights.saturating_sub(first)).max(1);
        bytes.extend(last.updated(of, first, count)?.into_iter().flat_map(i32::to_le_bytes));
        at = at.saturating_add(count);
    }
    Ok(bytes)
}

/// The output: for each segment, the checkpoint after it, then the losses of its steps, copied from the states.
fn output(plan: &Plan<'_>, blobs: &dyn Blobs, offset: u64, size: u64) -> Result<Vec<u8>, Fault> {
    let job = plan.job;
    let interval = product([4, job.state_interval.into()]);
    let states = job.segment_steps.checked_div(job.state_interval).unwrap_or_default();
    let end = offset.saturating_add(size);
    let mut at = offset;
    let mut bytes = Vec::new();
    while at < end {
        let segment = at.checked_div(job.segment_bytes()).unwrap_or_default();
        let within = at.checked_rem(job.segment_bytes()).unwrap_or_default();
        let before = product([segment, states.into()]);
        // The state, where in it, and how many bytes are left of the run.
        let (state, place, left) = match within.checked_sub(job.state_bytes()) {
            None => (
                sum([before, states.into()]),
                within,
                job.state_bytes().saturating_sub(within),
            ),
            Some(loss) => {
                let (state, place) = (loss.checked_div(interval), loss.checked_rem(interval));
                let place = place.unwrap_or_default();
                (
                    sum([before, state.unwrap_or_default(), 1]),
                    sum([job.state_bytes(), place]),
                    interval.saturating_sub(place),
                )
            }
        };
        let count = left.min(end.saturating_sub(at)).max(1);
        // A part has at most 128 KiB.
        bytes.extend(Reader::new(blobs, Source::State(state)).read_vec(place, count as usize)?);
        at = at.saturating_add(count);
    }
    Ok(bytes)
}
