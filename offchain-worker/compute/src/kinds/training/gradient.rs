//! The gradient of the loss of a batch of images.

use super::{loss, optimizer};
use crate::networks::classifier::{
    FIRST_SHIFT, InputTable, Shape,
    forward::{Forward, Weights, add_scaled},
};
use rayon::prelude::*;

/// The forward and the backward pass of one image of a batch.
#[derive(Clone)]
pub(super) struct Sample {
    inputs: Vec<i16>,
    forward: Forward,
    /// The gradient of the image's loss by each logit.
    class_errors: Vec<i16>,
    /// The gradient of the loss by each of the first layer's sums that became a feature.
    feature_errors: Vec<i16>,
    sums: Vec<i32>,
}

impl Sample {
    /// Room for images of networks of `shape`.
    pub fn new(shape: &Shape) -> Self {
        Self {
            inputs: vec![0; shape.padded_pixels()],
            forward: Forward::new(shape),
            class_errors: vec![0; shape.classes as usize],
            feature_errors: vec![0; shape.features()],
            sums: vec![0; shape.features()],
        }
    }

    /// Computes the errors for the image `pixels` of class `label`, and returns its loss.
    pub fn run(&mut self, shape: &Shape, weights: &Weights, table: &InputTable, pixels: &[u8], label: u8) -> u32 {
        table.fill(shape, pixels, &mut self.inputs);
        self.forward.run(shape, weights, FIRST_SHIFT, &self.inputs);
        let loss = loss::softmax(&self.forward.logits, label, &mut self.class_errors);
        // At most 2¹⁵ + 128 times 127.
        self.sums.fill(0);
        let classes = weights.last.chunks_exact(shape.features() + 1);
        for (&error, class) in self.class_errors.iter().zip(classes) {
            add_scaled(&mut self.sums, error, class);
        }
        let features = self.sums.iter().zip(&self.forward.features);
        for (error, (&sum, &feature)) in self.feature_errors.iter_mut().zip(features) {
            *error = loss::feature_error(feature, sum);
        }
        loss
    }
}

/// The gradients of all weights, in their order: sums over the images of a batch.
pub(super) struct Gradients(pub Vec<i32>);

impl Gradients {
    /// Room for networks of `shape`.
    pub fn new(shape: &Shape) -> Self {
        Self(vec![0; shape.weights()])
    }

    /// Adds up the gradients of `samples`, in tasks of at least `least` units.
    pub fn sum(&mut self, shape: &Shape, samples: &[Sample], least: usize) {
        let (first, last) = self.0.split_at_mut(shape.first_weights());
        let channels = first.par_chunks_exact_mut(shape.inputs()).enumerate();
        channels
            .with_min_len(least)
            .for_each(|(channel, gradients)| sum_channel(shape, samples, channel, gradients));
        let classes = last.par_chunks_exact_mut(shape.features() + 1).enumerate();
        classes.with_min_len(least).for_each(|(class, gradients)| {
            // At most 256 images, 2¹⁴ and 127: below 2²⁹.
            gradients.fill(0);
            for sample in samples {
                add_scaled(gradients, sample.class_errors[class], &sample.forward.features);
            }
        });
    }
}

/// The gradients of the weights of one channel of the first layer.
fn sum_channel(shape: &Shape, samples: &[Sample], channel: usize, gradients: &mut [i32]) {
    let positions = shape.positions();
    let bits = optimizer::position_bits(positions);
    let half = (1 << bits) >> 1;
    if positions == 1 {
        gradients.fill(0);
        for sample in samples {
            let inputs = sample.forward.inputs(shape, 0, sample.forward.chosen[channel]);
            add_scaled(gradients, sample.feature_errors[channel], inputs);
        }
        return;
    }
    // Over the at most 256 positions of an image, times 32,639 and 127: below 2³⁰. Shifted: at most 2²², for 256
    // images.
    let mut image = vec![0; gradients.len()];
    gradients.fill(0);
    for sample in samples {
        image.fill(0);
        for position in 0..positions {
            let feature = channel * positions + position;
            let error = sample.feature_errors[feature];
            if error != 0 {
                let inputs = sample.forward.inputs(shape, position, sample.forward.chosen[feature]);
                add_scaled(&mut image, error, inputs);
            }
        }
        for (gradient, &sum) in gradients.iter_mut().zip(&image) {
            *gradient = gradient.wrapping_add(sum.wrapping_add(half) >> bits);
        }
    }
}
