//! The sizes of the network that a job trains.

use crate::counts::{product, sum};
use agora_jobs::{NetworkShape, TrainingJob};

/// The sizes of a network, and what follows from them. All counts are below 2²⁶.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub width: u64,
    pub height: u64,
    pub window_width: u64,
    /// Zeros around the image on each side.
    pub padding: u64,
    /// Side of the squares of positions of which the largest sum is chosen.
    pub pool: u64,
    /// Positions after pooling in a row.
    pub wide: u64,
    /// Positions after pooling: `P`.
    pub positions: u64,
    pub channels: u64,
    pub classes: u64,
    /// Inputs of a channel at one position, the constant one included: `K + 1`.
    pub inputs: u64,
    /// `F`.
    pub features: u64,
}

impl Shape {
    pub fn of(job: &TrainingJob) -> Self {
        let (window_width, padding, pool) = match job.network {
            NetworkShape::Perceptron { .. } => (job.width, 0, 1),
            NetworkShape::Convolutional { window, pool, .. } => (window, window / 2, pool),
        };
        let wide = match job.network {
            NetworkShape::Perceptron { .. } => 1,
            NetworkShape::Convolutional { .. } => job.width.checked_div(pool).unwrap_or_default(),
        };
        Self {
            width: job.width.into(),
            height: job.height.into(),
            window_width: window_width.into(),
            padding: padding.into(),
            pool: pool.into(),
            wide: wide.into(),
            positions: job.positions().1.into(),
            channels: job.channels().into(),
            classes: job.classes.into(),
            inputs: u64::from(job.window_pixels()).saturating_add(1),
            features: job.features().into(),
        }
    }

    /// Pixels of an image.
    pub fn pixels(&self) -> u64 {
        product([self.width, self.height])
    }

    /// Width of an image with the zeros around it.
    pub fn padded_width(&self) -> u64 {
        sum([self.width, self.padding, self.padding])
    }

    /// Pixels of an image with the zeros around it.
    pub fn padded_pixels(&self) -> u64 {
        product([self.padded_width(), sum([self.height, self.padding, self.padding])])
    }

    /// Positions of a square of which one is chosen.
    pub fn square(&self) -> u64 {
        product([self.pool, self.pool])
    }

    /// Weights of the first layer.
    pub fn first_weights(&self) -> u64 {
        product([self.channels, self.inputs])
    }

    /// Weights of a class in the last layer, that of the constant input included: `F + 1`.
    pub fn class_weights(&self) -> u64 {
        self.features.saturating_add(1)
    }

    /// Weights of both layers: `N`.
    pub fn weights(&self) -> u64 {
        sum([self.first_weights(), product([self.classes, self.class_weights()])])
    }

    /// Where in the padded image the window begins at place `at` of the square of `position`.
    pub fn window(&self, position: u64, at: u64) -> u64 {
        let place = |position: Option<u64>, at: Option<u64>| {
            sum([
                product([position.unwrap_or_default(), self.pool]),
                at.unwrap_or_default(),
            ])
        };
        let top = place(position.checked_div(self.wide), at.checked_div(self.pool));
        let left = place(position.checked_rem(self.wide), at.checked_rem(self.pool));
        sum([product([top, self.padded_width()]), left])
    }
}
