//! A network applied to one image: the reference for training and for classification.

use super::{FIRST_CONSTANT, LAST_CONSTANT, MAX_VALUE, Shape};
use agora_math::field::dot;

/// Numbers that one vector instruction takes, where it takes few.
const VECTOR: usize = 8;

/// A network's weights, as they are multiplied with.
pub(crate) struct Weights {
    /// Of the first layer.
    pub first: Vec<i16>,
    /// Of the last layer.
    pub last: Vec<i16>,
}

impl Weights {
    /// The weights of both layers, −127 to 127, one after the other.
    pub fn new(shape: &Shape, weights: impl Iterator<Item = i16>) -> Self {
        let mut first: Vec<i16> = weights.collect();
        let last = first.split_off(shape.first_weights().min(first.len()));
        Self { first, last }
    }
}

/// What a network computes for one image, and room to compute it.
#[derive(Clone)]
pub(crate) struct Forward {
    /// The inputs at each position of the window, square by square of those that are pooled, with the constant one.
    columns: Vec<i16>,
    /// The same numbers, input by input instead of position by position, where there are positions enough.
    rows: Vec<i16>,
    /// The sums of a channel at each position.
    sums: Vec<i32>,
    /// The features, and the constant input of the last layer.
    pub features: Vec<i16>,
    /// For each feature, which position of its square had the largest sum.
    pub chosen: Vec<u16>,
    /// The last layer's sums.
    pub logits: Vec<i32>,
}

impl Forward {
    /// Room for networks of `shape`.
    pub fn new(shape: &Shape) -> Self {
        let mut features = vec![0; shape.features() + 1];
        features[shape.features()] = LAST_CONSTANT;
        let count = shape.positions() * shape.square();
        let rows = if count < VECTOR { 0 } else { count * shape.inputs() };
        Self {
            columns: vec![FIRST_CONSTANT; count * shape.inputs()],
            rows: vec![FIRST_CONSTANT; rows],
            sums: vec![0; count],
            features,
            chosen: vec![0; shape.features()],
            logits: vec![0; shape.classes as usize],
        }
    }

    /// The inputs, with the constant one, that gave the feature at `position` its value.
    pub fn inputs(&self, shape: &Shape, position: usize, chosen: u16) -> &[i16] {
        let column = position * shape.square() + usize::from(chosen);
        &self.columns[column * shape.inputs()..][..shape.inputs()]
    }

    /// Applies the network to `image`: its inputs with the zeros around them. The first layer's sums are divided by
    /// 2^`shift`.
    pub fn run(&mut self, shape: &Shape, weights: &Weights, shift: u8, image: &[i16]) {
        self.gather(shape, image);
        let square = shape.square();
        let half = 1 << (shift - 1);
        let mut feature = 0;
        for channel in weights.first.chunks_exact(shape.inputs()) {
            self.sum_channel(channel);
            for sums in self.sums.chunks_exact(square) {
                let mut best = (i32::MIN, 0);
                for (at, &sum) in (0..).zip(sums) {
                    if sum > best.0 {
                        best = (sum, at);
                    }
                }
                // Within 0..=127.
                self.features[feature] = ((best.0 + half) >> shift).clamp(0, MAX_VALUE) as i16;
                self.chosen[feature] = best.1;
                feature += 1;
            }
        }
        for (logit, class) in self.logits.iter_mut().zip(weights.last.chunks_exact(feature + 1)) {
            *logit = dot(class, &self.features);
        }
    }

    /// Computes the sums of the channel with `weights`: at each position at once, or position by position.
    fn sum_channel(&mut self, weights: &[i16]) {
        if self.rows.is_empty() {
            for (sum, column) in self.sums.iter_mut().zip(self.columns.chunks_exact(weights.len())) {
                *sum = dot(weights, column);
            }
            return;
        }
        self.sums.fill(0);
        for (&weight, row) in weights.iter().zip(self.rows.chunks_exact(self.sums.len())) {
            add_scaled(&mut self.sums, weight, row);
        }
    }

    /// Copies the windows of `image`.
    fn gather(&mut self, shape: &Shape, image: &[i16]) {
        let (width, _) = shape.padded();
        let (wide, high) = shape.pooled();
        let mut columns = self.columns.chunks_exact_mut(shape.inputs());
        for position in 0..wide * high {
            for at in 0..shape.pool * shape.pool {
                let Some(column) = columns.next() else { return };
                let left = position % wide * shape.pool + at % shape.pool;
                let top = position / wide * shape.pool + at / shape.pool;
                let rows = column.chunks_exact_mut(shape.window_width as usize);
                for (y, row) in (0..shape.window_height).zip(rows) {
                    let start = ((top + y) * width + left) as usize;
                    row.copy_from_slice(&image[start..][..row.len()]);
                }
            }
        }
        let count = self.sums.len();
        if !self.rows.is_empty() {
            for (at, column) in self.columns.chunks_exact(shape.inputs()).enumerate() {
                for (row, &input) in self.rows.chunks_exact_mut(count).zip(column) {
                    row[at] = input;
                }
            }
        }
    }
}

/// Adds `factor` times each of `values` to `sums`, as many as there are.
///
/// The caller shows that no sum leaves 32 bits.
pub(crate) fn add_scaled(sums: &mut [i32], factor: i16, values: &[i16]) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        // Wrapping, because checks would prevent vector instructions.
        *sum = sum.wrapping_add(i32::from(factor).wrapping_mul(i32::from(value)));
    }
}
