//! Training: a classifier of images, by integer stochastic gradient descent.

use crate::{BlobRef, JobError, Limits, Specialisation, all_within};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The largest width and height of an image to learn from.
pub const MAX_SAMPLE_SIDE: u32 = 64;
/// The most classes.
pub const MAX_CLASSES: u32 = 256;
/// The most hidden units of a perceptron, and channels of a convolution.
pub const MAX_CHANNELS: u32 = 4096;
/// The largest side of a convolution's kernel.
pub const MAX_WINDOW: u32 = 7;
/// The largest side of the squares of the max pooling.
pub const MAX_POOL: u32 = 8;
/// The most positions that a channel has after pooling: their gradients are summed in 32 bits.
pub const MAX_POSITIONS: u32 = 256;
/// The most inputs of the last layer: sums over them must fit in 32 bits.
pub const MAX_FEATURES: u32 = 16_384;
/// The most images per step: the gradients of all are summed in 32 bits.
pub const MAX_BATCH: u32 = 256;
/// The most segments of a job.
pub const MAX_SEGMENTS: u32 = 256;
/// The most steps of a segment.
pub const MAX_SEGMENT_STEPS: u32 = 65_536;
/// The most states of a job.
pub const MAX_TRACED_STATES: u32 = 1 << 20;
/// The smallest and the largest learning rate are 2⁻¹⁶ and 1 (in the units of the training rule).
pub const MAX_RATE_SHIFT: u32 = 16;
/// The most momentum is 1 − 2⁻⁶.
pub const MAX_MOMENTUM_SHIFT: u32 = 6;

/// What changing a weight in a step counts, in multiply–add operations: random bits, sums, shifts.
pub const UPDATE_WORK: u128 = 1 << 5;
/// What a byte of a state counts: it is hashed, and read back from a graphics device.
pub const STATE_BYTE_WORK: u128 = 1 << 4;

/// The network between an image and its classes.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkShape {
    /// A multi-layer perceptron: two linear layers, with hidden units between them.
    #[codec(index = 0)]
    Perceptron {
        /// Hidden units.
        hidden: u32,
    },
    /// A convolution that keeps the image's size, max pooling, and a linear layer.
    #[codec(index = 1)]
    Convolutional {
        /// Channels of the convolution.
        channels: u32,
        /// Side of the convolution's kernel, an odd number.
        window: u32,
        /// Side of the squares of the max pooling; 1: no pooling.
        pool: u32,
    },
}

/// Segments of steps of stochastic gradient descent, from a random network or a checkpoint.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrainingJob {
    /// The data set: images with their classes.
    pub data: BlobRef,
    /// Width of the images.
    pub width: u32,
    /// Height of the images.
    pub height: u32,
    /// Classes of the images.
    pub classes: u32,
    /// The network.
    pub network: NetworkShape,
    /// Key of the generator of the initial weights, of the shuffling and of the stochastic rounding.
    pub seed: [u8; 32],
    /// Images per step.
    pub batch: u32,
    /// The state after each segment is part of the output.
    pub segments: u32,
    /// Steps of one segment.
    pub segment_steps: u32,
    /// There is a state every so many steps; divides the steps of a segment.
    pub state_interval: u32,
    /// The learning rate is 2^−`rate_shift`, in the units of the training rule.
    pub rate_shift: u32,
    /// The learning rate is halved every so many steps; 0: never.
    pub halve_after: u32,
    /// The momentum is 1 − 2^−`momentum_shift`; 0: no momentum.
    pub momentum_shift: u32,
    /// The checkpoint to go on from; `None`: training begins with random weights.
    pub start: Option<BlobRef>,
}

impl TrainingJob {
    /// Inputs of a unit of the first layer, without the bias.
    pub fn window_pixels(&self) -> u32 {
        match self.network {
            NetworkShape::Perceptron { .. } => self.width.saturating_mul(self.height),
            NetworkShape::Convolutional { window, .. } => window.saturating_mul(window),
        }
    }

    /// Hidden units of a perceptron, or channels of a convolution.
    pub fn channels(&self) -> u32 {
        match self.network {
            NetworkShape::Perceptron { hidden } => hidden,
            NetworkShape::Convolutional { channels, .. } => channels,
        }
    }

    /// Positions of a channel: before pooling, and after.
    pub fn positions(&self) -> (u32, u32) {
        match self.network {
            NetworkShape::Perceptron { .. } => (1, 1),
            NetworkShape::Convolutional { pool, .. } => {
                let pooled = |side: u32| side.checked_div(pool).unwrap_or(0);
                let area = |width: u32, height: u32| width.saturating_mul(height);
                (
                    area(self.width, self.height),
                    area(pooled(self.width), pooled(self.height)),
                )
            }
        }
    }

    /// Inputs of the last layer, without the bias.
    pub fn features(&self) -> u32 {
        self.channels().saturating_mul(self.positions().1)
    }

    /// Weights of both layers, biases included.
    pub fn weights(&self) -> u32 {
        let first = self.channels().saturating_mul(self.window_pixels().saturating_add(1));
        let last = self.classes.saturating_mul(self.features().saturating_add(1));
        first.saturating_add(last)
    }

    /// Steps of all segments.
    pub fn steps(&self) -> u32 {
        self.segments.saturating_mul(self.segment_steps)
    }

    /// Length of a checkpoint in bytes: the number of steps, then two words for each weight.
    pub fn state_bytes(&self) -> u64 {
        u64::from(self.weights()).saturating_mul(8).saturating_add(4)
    }

    /// Length of a segment's part of the output in bytes: a checkpoint, and one loss for each step.
    pub fn segment_bytes(&self) -> u64 {
        self.state_bytes()
            .saturating_add(u64::from(self.segment_steps).saturating_mul(4))
    }

    /// Errors: `TooLarge` or `Inconsistent` for windows and pools that do not fit the images or the sums.
    fn validate_network(&self) -> Result<(), JobError> {
        all_within([
            (self.width, MAX_SAMPLE_SIDE),
            (self.height, MAX_SAMPLE_SIDE),
            (self.classes, MAX_CLASSES),
            (self.channels(), MAX_CHANNELS),
        ])?;
        if let NetworkShape::Convolutional { window, pool, .. } = self.network {
            all_within([(window, MAX_WINDOW), (pool, MAX_POOL)])?;
            let side = self.width.min(self.height);
            if window.is_multiple_of(2) || window > side || pool > side {
                return Err(JobError::Inconsistent);
            }
        }
        all_within([(self.positions().1, MAX_POSITIONS), (self.features(), MAX_FEATURES)])
    }
}

impl Limits for TrainingJob {
    fn validate(&self) -> Result<(), JobError> {
        self.validate_network()?;
        self.data.validate()?;
        if let Some(start) = &self.start {
            start.validate()?;
            if start.size != self.state_bytes() {
                return Err(JobError::Inconsistent);
            }
        }
        all_within([
            (self.batch, MAX_BATCH),
            (self.segments, MAX_SEGMENTS),
            (self.segment_steps, MAX_SEGMENT_STEPS),
            (self.state_interval, MAX_SEGMENT_STEPS),
        ])?;
        if self.rate_shift > MAX_RATE_SHIFT || self.momentum_shift > MAX_MOMENTUM_SHIFT {
            return Err(JobError::TooLarge);
        }
        if !self.segment_steps.is_multiple_of(self.state_interval) {
            return Err(JobError::Inconsistent);
        }
        all_within([(
            self.steps().checked_div(self.state_interval).unwrap_or(u32::MAX),
            MAX_TRACED_STATES,
        )])
    }

    fn work(&self) -> u128 {
        let (positions, pooled) = self.positions();
        let product = |a: u32, b: u32, c: u32| u128::from(a).saturating_mul(b.into()).saturating_mul(c.into());
        let inputs = self.window_pixels().saturating_add(1);
        let last = product(self.classes, self.features().saturating_add(1), 1);
        // The first layer forward and its gradient; the last layer forward, its error, its gradient.
        let image = product(self.channels(), positions, inputs)
            .saturating_add(product(self.channels(), pooled, inputs))
            .saturating_add(last.saturating_mul(3));
        let states = u128::from(self.steps().checked_div(self.state_interval).unwrap_or(0)).saturating_add(1);
        let hashed = states.saturating_mul(self.state_bytes().into());
        image
            .saturating_mul(product(self.batch, self.steps(), 1))
            .saturating_add(product(self.weights(), self.steps(), 1).saturating_mul(UPDATE_WORK))
            .saturating_add(hashed.saturating_mul(STATE_BYTE_WORK))
    }

    fn max_output_bytes(&self) -> u64 {
        self.segment_bytes().saturating_mul(self.segments.into())
    }

    fn specialisation(&self) -> Specialisation {
        Specialisation::Training
    }

    fn inputs(&self) -> Vec<BlobRef> {
        core::iter::once(self.data).chain(self.start).collect()
    }
}
