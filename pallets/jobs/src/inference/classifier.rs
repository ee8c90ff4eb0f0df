//! The sizes of a network that classifies images.

use crate::{
    JobError, MAX_CHANNELS, MAX_CLASSES, MAX_FEATURES, MAX_POOL, MAX_POSITIONS, MAX_SAMPLE_SIDE, NetworkShape,
    TrainingJob, all_within,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The most that the first layer's sums are divided by is two to this power.
pub const MAX_CLASSIFIER_SHIFT: u8 = 24;
/// Bytes of a package before the weights.
const HEADER: u64 = 24;

/// The sizes of a classifier, in pixels, values and units. All other counts follow from them; they saturate.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClassifierShape {
    /// Width of an image.
    pub width: u16,
    /// Height of an image.
    pub height: u16,
    /// Width of the first layer's window.
    pub window_width: u16,
    /// Height of the first layer's window.
    pub window_height: u16,
    /// Zeros around the image on each side.
    pub padding: u16,
    /// Side of the squares of positions of which the maximum is taken.
    pub pool: u16,
    /// Channels of the first layer.
    pub channels: u16,
    /// Classes.
    pub classes: u16,
}

impl ClassifierShape {
    /// The shape of the network that `job`, which is within its limits, trains.
    pub fn of(job: &TrainingJob) -> Self {
        // The limits are far below 2¹⁶.
        let small = |size: u32| u16::try_from(size).unwrap_or(u16::MAX);
        let [width, height] = [job.width, job.height].map(small);
        let (window_width, window_height, padding, pool) = match job.network {
            NetworkShape::Perceptron { .. } => (width, height, 0, 1),
            NetworkShape::Convolutional { window, pool, .. } => {
                (small(window), small(window), small(window >> 1), small(pool))
            }
        };
        Self {
            width,
            height,
            window_width,
            window_height,
            padding,
            pool,
            channels: small(job.channels()),
            classes: small(job.classes),
        }
    }

    /// Checks every limit, so that no sum of a network of this shape can leave 32 bits.
    pub fn validate(&self) -> Result<(), JobError> {
        all_within([
            (u32::from(self.width), MAX_SAMPLE_SIDE),
            (self.height.into(), MAX_SAMPLE_SIDE),
            (self.window_width.into(), self.width.into()),
            (self.window_height.into(), self.height.into()),
            (self.pool.into(), MAX_POOL),
            (self.channels.into(), MAX_CHANNELS),
            (self.classes.into(), MAX_CLASSES),
        ])?;
        if self.padding > self.window_width.min(self.window_height) >> 1 {
            return Err(JobError::TooLarge);
        }
        // Zero if the square is larger than there are positions.
        all_within([(self.positions(), MAX_POSITIONS), (self.features(), MAX_FEATURES)])
    }

    /// A side of the image with the zeros around it.
    fn padded_side(&self, side: u16) -> u32 {
        u32::from(side).saturating_add(u32::from(self.padding).saturating_mul(2))
    }

    /// Width and height of an image with the zeros around it.
    pub fn padded(&self) -> (u32, u32) {
        (self.padded_side(self.width), self.padded_side(self.height))
    }

    /// Positions after pooling, in a row and in a column.
    pub fn pooled(&self) -> (u32, u32) {
        let side = |padded: u32, window: u16| {
            let places = padded.saturating_add(1).saturating_sub(window.into());
            places.checked_div(self.pool.into()).unwrap_or(0)
        };
        let (width, height) = self.padded();
        (side(width, self.window_width), side(height, self.window_height))
    }

    /// Pixels of an image.
    pub fn pixels(&self) -> u32 {
        u32::from(self.width).saturating_mul(self.height.into())
    }

    /// Inputs of a channel at one position, with the constant one.
    pub fn inputs(&self) -> u32 {
        u32::from(self.window_width)
            .saturating_mul(self.window_height.into())
            .saturating_add(1)
    }

    /// Positions of a channel after pooling.
    pub fn positions(&self) -> u32 {
        let (wide, high) = self.pooled();
        wide.saturating_mul(high)
    }

    /// Values between the layers, without the constant one. Feature `c · positions + p` is that of channel `c` at
    /// position `p`.
    pub fn features(&self) -> u32 {
        self.positions().saturating_mul(self.channels.into())
    }

    /// Weights of the first layer: channel by channel, row by row of the window, the constant input's last.
    pub fn first_weights(&self) -> u32 {
        self.inputs().saturating_mul(self.channels.into())
    }

    /// Weights of both layers; the last layer's are class by class, feature by feature, the constant input's last.
    pub fn weights(&self) -> u32 {
        let last = self.features().saturating_add(1).saturating_mul(self.classes.into());
        self.first_weights().saturating_add(last)
    }

    /// Bytes of a package that holds a network of this shape.
    pub fn package_bytes(&self) -> u64 {
        HEADER.saturating_add(self.weights().into())
    }

    /// Multiply–add operations of one channel of the first layer for one image.
    pub fn channel_work(&self) -> u64 {
        let square = u64::from(self.pool).saturating_mul(self.pool.into());
        square
            .saturating_mul(self.positions().into())
            .saturating_mul(self.inputs().into())
    }

    /// Multiply–add operations of the last layer for one image.
    pub fn last_work(&self) -> u64 {
        u64::from(self.features())
            .saturating_add(1)
            .saturating_mul(self.classes.into())
    }

    /// Multiply–add operations for one image.
    pub fn work(&self) -> u64 {
        self.channel_work()
            .saturating_mul(self.channels.into())
            .saturating_add(self.last_work())
    }

    /// Bytes of the logits of one image.
    pub const fn output_bytes(&self) -> u32 {
        (self.classes as u32).saturating_mul(4)
    }
}
