//! The first layer, forward: the features of some images, for a slice of channels.

use super::{
    images::{Images, sum_window},
    plan::Task,
    shape::Shape,
    step::Training,
};
use crate::{
    Fault, Reader,
    counts::{product, sum},
};
use alloc::vec::Vec;

/// The first layer's sums are divided by two to this power.
const SHIFT: u32 = 8;
/// The largest feature.
pub(super) const MAX_FEATURE: u8 = 127;

/// Of each image of `group`: the features of the channels of `slice`, then which position of its square each is from.
pub(super) fn compute(training: &Training<'_>, group: u64, slice: u64) -> Result<Vec<u8>, Fault> {
    let plan = training.plan;
    let shape = &plan.shape;
    let channels = plan.channels_of(slice);
    let first = product([slice, plan.slice, shape.inputs]);
    let weights = training.quantised(first, product([channels, shape.inputs]))?;
    let mut images = Images::new(training)?;
    let mut output = Vec::new();
    let first_place = product([group, plan.features_group]);
    for place in first_place..first_place.saturating_add(plan.group(plan.features_group, group)) {
        let inputs = images.inputs(place)?;
        let mut all_chosen = Vec::new();
        for channel in weights.chunks_exact(shape.inputs.max(1) as usize) {
            for position in 0..shape.positions {
                let (feature, chosen) = pool(shape, channel, &inputs, position);
                output.push(feature);
                all_chosen.push(chosen);
            }
        }
        output.append(&mut all_chosen);
    }
    Ok(output)
}

/// The feature of a channel at `position`, and which place of the square has the largest sum: of several, the first.
fn pool(shape: &Shape, channel: &[i8], inputs: &[i32], position: u64) -> (u8, u8) {
    let mut best = (i32::MIN, 0u8);
    for (at, number) in (0..shape.square()).zip(0u8..) {
        let sum = sum_window(shape, channel, inputs, shape.window(position, at));
        if sum > best.0 {
            best = (sum, number);
        }
    }
    // The amount of a sum is below 2²⁷.
    let rounded = best.0.wrapping_add(1 << (SHIFT - 1)) >> SHIFT;
    (rounded.clamp(0, MAX_FEATURE.into()) as u8, best.1)
}

/// Which of its two lists is read of an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum List {
    Features,
    Chosen,
}

/// Reads what the units of features of a step have kept.
pub(super) struct Features<'a> {
    training: Training<'a>,
    reader: Reader<'a>,
    /// The group and the slice that the reader reads.
    open: Option<(u64, u64)>,
}

impl<'a> Features<'a> {
    pub fn new(training: &Training<'a>) -> Self {
        Self {
            training: *training,
            reader: training.kept(Task::Features { group: 0, slice: 0 }),
            open: None,
        }
    }

    /// One list of the image at place `place`, for `channels` channels from `first` on: a byte for each position.
    pub fn read(&mut self, list: List, place: u64, first: u64, channels: u64) -> Result<Vec<u8>, Fault> {
        let plan = self.training.plan;
        let positions = plan.shape.positions;
        let group = place.checked_div(plan.features_group).ok_or(Fault::NoUnit)?;
        let image = place.checked_rem(plan.features_group).ok_or(Fault::NoUnit)?;
        let end = first.saturating_add(channels);
        let mut bytes = Vec::new();
        let mut channel = first;
        while channel < end {
            let slice = channel.checked_div(plan.slice).ok_or(Fault::NoUnit)?;
            let within = channel.checked_rem(plan.slice).ok_or(Fault::NoUnit)?;
            if self.open != Some((group, slice)) {
                self.reader = self.training.kept(Task::Features { group, slice });
                self.open = Some((group, slice));
            }
            let slice_channels = plan.channels_of(slice);
            let count = slice_channels.saturating_sub(within).min(end.saturating_sub(channel));
            let lists = match list {
                List::Features => product([2, image]),
                List::Chosen => product([2, image]).saturating_add(1),
            };
            let at = product([sum([product([lists, slice_channels]), within]), positions]);
            bytes.extend(self.reader.read_vec(at, product([count, positions]) as usize)?);
            channel = channel.saturating_add(count.max(1));
        }
        Ok(bytes)
    }
}
