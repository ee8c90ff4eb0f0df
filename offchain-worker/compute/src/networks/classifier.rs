//! Networks that classify images, in integers: what training makes and inference applies.
//!
//! A network has two layers. The *first* moves a window over the image, one pixel at a time; each of its channels has
//! one weight for each pixel of the window, and one for a constant input. Of each square of positions only the largest
//! value is kept, rounded, and set to zero if it is negative: these are the *features*. The *last* layer has one weight
//! for each feature and class, and one for a constant input. Its sums are the *logits*, and the answer is the class
//! with the largest one, the first of several. A perceptron is the case in which the window is the image. Specified to
//! the byte in `docs/protocol/training.md`.

mod cpu;
pub(crate) mod forward;
pub(crate) mod gpu;
mod package;

pub use cpu::{classify, labels};
pub use gpu::classify_on_gpu;
pub use package::Package;

use crate::device::{DeviceError, MayBeDevice};
use agora_primitives::job::{
    ClassifierShape, MAX_CHANNELS, MAX_CLASSES, MAX_FEATURES, MAX_POOL, MAX_POSITIONS, MAX_SAMPLE_SIDE, TrainingJob,
};

/// The constant input of the first layer: the largest pixel.
pub(crate) const FIRST_CONSTANT: i16 = 127;
/// The constant input of the last layer: what a feature of one stands for.
pub(crate) const LAST_CONSTANT: i16 = 32;
/// The largest amount of a weight, an input and a feature.
pub(crate) const MAX_VALUE: i32 = 127;
/// The first layer's sums are divided by two to this power.
pub(crate) const FIRST_SHIFT: u8 = 8;

/// Why a network cannot be used.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum NetworkError {
    /// The bytes are no model package, or one of another version.
    #[error("the bytes are no model package of version 1")]
    NoPackage,
    /// The package holds a model of another architecture.
    #[error("the model's architecture is {0}, and not 1, a network that classifies images")]
    Architecture(u8),
    /// A size is zero, above its limit, or does not fit the others.
    #[error("the network's {what} is {found}, must be {least} to {most}")]
    Size {
        /// Which size.
        what: &'static str,
        /// The size found.
        found: u64,
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
    },
    /// The bytes are more or fewer than the sizes demand.
    #[error("{what} must have {expected} bytes, and has {found}")]
    Length {
        /// What is too long or too short.
        what: &'static str,
        /// The length that the sizes demand.
        expected: u64,
        /// The length found.
        found: u64,
    },
    /// A weight is −128, which no weight is.
    #[error("weight {0} is -128; weights are -127 to 127")]
    Weight(usize),
    /// A pixel is above the maximum of its data set or network.
    #[error("pixel {at} is {found}, above the maximum {most}")]
    Pixel {
        /// Its index.
        at: usize,
        /// Its value.
        found: u8,
        /// The largest value of a pixel.
        most: u8,
    },
}

/// Why images were not classified on a device.
#[derive(thiserror::Error, Debug)]
pub enum ClassifyError {
    /// The network cannot be used.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The device failed, or the flag to cancel was set.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl MayBeDevice for ClassifyError {
    fn device_error(&self) -> Option<&DeviceError> {
        match self {
            Self::Network(_) => None,
            Self::Device(error) => Some(error),
        }
    }
}

/// Checks that `found` is `least ..= most`.
fn within(what: &'static str, found: u32, least: u32, most: u32) -> Result<(), NetworkError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(NetworkError::Size {
        what,
        found: found.into(),
        least: least.into(),
        most: most.into(),
    })
}

/// The sizes of a network, in pixels, values and units. All other counts follow from them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Shape {
    /// Width of an image.
    pub width: u32,
    /// Height of an image.
    pub height: u32,
    /// Width of the first layer's window.
    pub window_width: u32,
    /// Height of the first layer's window.
    pub window_height: u32,
    /// Zeros around the image on each side.
    pub padding: u32,
    /// Side of the squares of positions of which the maximum is taken.
    pub pool: u32,
    /// Channels of the first layer.
    pub channels: u32,
    /// Classes.
    pub classes: u32,
}

impl Shape {
    /// The shape of the network that `job` trains.
    ///
    /// Errors: `Size`, never for a job that is within its limits.
    pub fn of(job: &TrainingJob) -> Result<Self, NetworkError> {
        let shape = Self::from(ClassifierShape::of(job));
        shape.validate()?;
        Ok(shape)
    }

    /// Checks every limit, so that no sum of a network of this shape can leave 32 bits.
    ///
    /// Errors: `Size`.
    pub fn validate(&self) -> Result<(), NetworkError> {
        within("image width", self.width, 1, MAX_SAMPLE_SIDE)?;
        within("image height", self.height, 1, MAX_SAMPLE_SIDE)?;
        within("window width", self.window_width, 1, MAX_SAMPLE_SIDE.min(self.width))?;
        within("window height", self.window_height, 1, MAX_SAMPLE_SIDE.min(self.height))?;
        let most = self.window_width.min(self.window_height) / 2;
        within("padding", self.padding, 0, most)?;
        let (wide, high) = self.unpooled();
        within("pool", self.pool, 1, MAX_POOL.min(wide).min(high))?;
        within("number of channels", self.channels, 1, MAX_CHANNELS)?;
        within("number of classes", self.classes, 1, MAX_CLASSES)?;
        let positions = (wide / self.pool) * (high / self.pool);
        within("number of positions", positions, 1, MAX_POSITIONS)?;
        // At most 2²⁰.
        within("number of features", positions * self.channels, 1, MAX_FEATURES)
    }

    /// Positions of the window, in a row and in a column.
    fn unpooled(&self) -> (u32, u32) {
        let (width, height) = self.padded();
        (width - self.window_width + 1, height - self.window_height + 1)
    }

    /// Width and height of an image with the zeros around it.
    pub(crate) fn padded(&self) -> (u32, u32) {
        (self.width + 2 * self.padding, self.height + 2 * self.padding)
    }

    /// Positions after pooling, in a row and in a column.
    pub(crate) fn pooled(&self) -> (u32, u32) {
        let (wide, high) = self.unpooled();
        (wide / self.pool, high / self.pool)
    }

    /// Pixels of an image.
    pub fn pixels(&self) -> usize {
        (self.width * self.height) as usize
    }

    /// Pixels of an image with the zeros around it.
    pub(crate) fn padded_pixels(&self) -> usize {
        let (width, height) = self.padded();
        (width * height) as usize
    }

    /// Inputs of a channel at one position, with the constant one.
    pub fn inputs(&self) -> usize {
        (self.window_width * self.window_height) as usize + 1
    }

    /// Positions of a channel after pooling.
    pub fn positions(&self) -> usize {
        let (wide, high) = self.pooled();
        (wide * high) as usize
    }

    /// Positions of the window of which one is chosen.
    pub(crate) fn square(&self) -> usize {
        (self.pool * self.pool) as usize
    }

    /// Values between the layers, without the constant one. Feature `c · positions + p` is that of channel `c` at
    /// position `p`.
    pub fn features(&self) -> usize {
        self.channels as usize * self.positions()
    }

    /// Weights of the first layer: channel by channel, row by row of the window, the constant input's last.
    pub fn first_weights(&self) -> usize {
        self.channels as usize * self.inputs()
    }

    /// Weights of both layers; the last layer's are class by class, feature by feature, the constant input's last.
    pub fn weights(&self) -> usize {
        self.first_weights() + self.classes as usize * (self.features() + 1)
    }

    /// Multiply–add operations for one image.
    pub fn work(&self) -> u64 {
        let first = (self.first_weights() * self.positions() * self.square()) as u64;
        first + u64::from(self.classes) * (self.features() as u64 + 1)
    }
}

impl From<ClassifierShape> for Shape {
    fn from(shape: ClassifierShape) -> Self {
        Self {
            width: shape.width.into(),
            height: shape.height.into(),
            window_width: shape.window_width.into(),
            window_height: shape.window_height.into(),
            padding: shape.padding.into(),
            pool: shape.pool.into(),
            channels: shape.channels.into(),
            classes: shape.classes.into(),
        }
    }
}

/// The network's input for each value of a pixel up to a maximum.
pub(crate) struct InputTable([i16; 256]);

impl InputTable {
    /// ⌊(127 · pixel + ⌊maximum / 2⌋) / maximum⌋, where `maximum` is at least 1.
    pub fn new(maximum: u8) -> Self {
        let maximum = u32::from(maximum).max(1);
        let mut table = [0; 256];
        for (pixel, input) in (0..=maximum).zip(&mut table) {
            // At most 127.
            *input = ((127 * pixel + maximum / 2) / maximum) as i16;
        }
        Self(table)
    }

    /// Writes the inputs for `pixels`, one image of `shape`, into the middle of `inputs`, the padded image.
    pub fn fill(&self, shape: &Shape, pixels: &[u8], inputs: &mut [i16]) {
        let (padded, _) = shape.padded();
        let padding = shape.padding as usize;
        let rows = inputs.chunks_exact_mut(padded as usize).skip(padding);
        for (row, from) in rows.zip(pixels.chunks_exact(shape.width as usize)) {
            for (input, &pixel) in row.iter_mut().skip(padding).zip(from) {
                *input = self.0[usize::from(pixel)];
            }
        }
    }
}

/// Errors: `Pixel` for the first pixel above `maximum`.
pub(crate) fn check_pixels(pixels: &[u8], maximum: u8) -> Result<(), NetworkError> {
    match pixels.iter().position(|&pixel| pixel > maximum) {
        None => Ok(()),
        Some(at) => Err(NetworkError::Pixel {
            at,
            found: pixels[at],
            most: maximum,
        }),
    }
}

#[cfg(test)]
mod tests;
