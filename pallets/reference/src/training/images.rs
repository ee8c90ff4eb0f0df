//! Images of the data set, and sums over windows of them.

use super::{order::Order, plan::HEADER, shape::Shape, step::Training};
use crate::{
    Fault, Reader, Source,
    counts::{product, sum},
};
use alloc::{vec, vec::Vec};

/// The constant input of the first layer.
pub(super) const FIRST_CONSTANT: i32 = 127;
/// The largest input of the first layer.
const MAX_INPUT: u32 = 127;

/// Reads images.
pub(super) struct Images<'a> {
    shape: Shape,
    images: u64,
    order: Order<'a>,
    pixels: Reader<'a>,
    labels: Reader<'a>,
    /// The largest value of a pixel.
    maximum: u32,
}

impl<'a> Images<'a> {
    /// Reads the images of the batch of `training`.
    pub fn new(training: &Training<'a>) -> Result<Self, Fault> {
        let source = Source::Input(training.plan.job.data);
        let mut pixels = Reader::new(training.blobs, source);
        let mut maximum = [0];
        pixels.read(5, &mut maximum)?;
        Ok(Self {
            shape: training.plan.shape,
            images: training.plan.images,
            order: Order::new(training),
            pixels,
            labels: Reader::new(training.blobs, source),
            maximum: u32::from(u8::from_le_bytes(maximum)).max(1),
        })
    }

    /// The inputs of the image at place `place` of the batch, with the zeros around them.
    pub fn inputs(&mut self, place: u64) -> Result<Vec<i32>, Fault> {
        let shape = self.shape;
        let image = self.order.image(place)?;
        let at = sum([HEADER, product([image, shape.pixels()])]);
        let pixels = self.pixels.read_vec(at, shape.pixels() as usize)?;
        let mut inputs = vec![0; shape.padded_pixels() as usize];
        let padding = shape.padding as usize;
        let rows = inputs
            .chunks_exact_mut(shape.padded_width().max(1) as usize)
            .skip(padding);
        for (row, pixels) in rows.zip(pixels.chunks_exact(shape.width.max(1) as usize)) {
            for (input, &pixel) in row.iter_mut().skip(padding).zip(pixels) {
                *input = self.input(pixel);
            }
        }
        Ok(inputs)
    }

    /// ⌊(127 · pixel + ⌊maximum / 2⌋) / maximum⌋.
    fn input(&self, pixel: u8) -> i32 {
        let product = u32::from(pixel).wrapping_mul(MAX_INPUT).wrapping_add(self.maximum / 2);
        // A pixel that is not above the maximum has no more anyway.
        product
            .checked_div(self.maximum)
            .unwrap_or_default()
            .min(MAX_INPUT)
            .cast_signed()
    }

    /// The class of the image at place `place` of the batch.
    pub fn label(&mut self, place: u64) -> Result<usize, Fault> {
        let image = self.order.image(place)?;
        let at = sum([HEADER, product([self.images, self.shape.pixels()]), image]);
        let mut label = [0];
        self.labels.read(at, &mut label)?;
        let label = u64::from(u8::from_le_bytes(label)).checked_rem(self.shape.classes);
        Ok(label.unwrap_or_default() as usize)
    }
}

/// The rows of the window that begins at `window` of the padded image.
fn rows<'i>(shape: &Shape, inputs: &'i [i32], window: u64) -> impl Iterator<Item = &'i [i32]> {
    let width = shape.window_width as usize;
    let starts = (window as usize..).step_by(shape.padded_width().max(1) as usize);
    starts.map(move |start| {
        let row = inputs.get(start..).unwrap_or_default();
        row.get(..width).unwrap_or_default()
    })
}

/// The sum of a channel's `weights` times the inputs in a window.
pub(super) fn sum_window(shape: &Shape, weights: &[i8], inputs: &[i32], window: u64) -> i32 {
    let Some((&constant, weights)) = weights.split_last() else {
        return 0;
    };
    let mut sum = i32::from(constant).wrapping_mul(FIRST_CONSTANT);
    let lines = weights.chunks_exact(shape.window_width.max(1) as usize);
    for (weights, inputs) in lines.zip(rows(shape, inputs, window)) {
        for (&weight, &input) in weights.iter().zip(inputs) {
            sum = sum.wrapping_add(i32::from(weight).wrapping_mul(input));
        }
    }
    sum
}

/// Adds `error` times the inputs in a window to a channel's `sums`.
pub(super) fn add_window(shape: &Shape, sums: &mut [i32], error: i32, inputs: &[i32], window: u64) {
    let Some((constant, sums)) = sums.split_last_mut() else {
        return;
    };
    *constant = constant.wrapping_add(error.wrapping_mul(FIRST_CONSTANT));
    let lines = sums.chunks_exact_mut(shape.window_width.max(1) as usize);
    for (sums, inputs) in lines.zip(rows(shape, inputs, window)) {
        for (sum, &input) in sums.iter_mut().zip(inputs) {
            *sum = sum.wrapping_add(error.wrapping_mul(input));
        }
    }
}
