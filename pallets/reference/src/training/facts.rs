//! What follows from a job about its units: the length of their outputs, their work, the chunks that they read.

use super::{
    order,
    plan::{Piece, Plan, Task, Work},
};
use crate::{
    Output, Unit, WORD_WORK,
    counts::{product, sum, touched},
};

/// Operations of the gradient of one class, besides sums: the softmax.
const CLASS_WORK: u64 = 64;
/// Operations of updating one weight, random bits included.
const UPDATE_WORK: u64 = 32;

impl Plan<'_> {
    /// What is said of the unit that does `work`.
    pub fn unit(&self, work: Work) -> Option<Unit> {
        let shape = &self.shape;
        let kept = |size| Output::Kept { size };
        let (output, work, chunks) = match work {
            // The header is read by each.
            Work::Scan { size, .. } => (kept(0), product([size, 4]), sum([touched(size), 1])),
            Work::Part { offset, size } => (
                Output::Part { offset, size },
                product([size, WORD_WORK]),
                // At most one for each loss; the runs of an output and the pieces of updates are few.
                sum([size / 4, touched(size), 32]),
            ),
            Work::Train { task, .. } => match task {
                Task::Order(unit) => order::facts(self, unit),
                Task::Features { group, slice } => {
                    let images = self.group(self.features_group, group);
                    let features = product([images, self.channels_of(slice), shape.positions]);
                    let chunks = sum([
                        self.weights_chunks(product([self.slice, shape.inputs])),
                        self.image_chunks(images),
                    ]);
                    (kept(product([2, features])), self.features_work(images), chunks)
                }
                Task::Errors(group) => {
                    let images = self.group(self.errors_group, group);
                    let chunks = sum([
                        self.weights_chunks(product([shape.classes, shape.class_weights()])),
                        self.image_chunks(images),
                        product([images, self.features_chunks()]),
                    ]);
                    (
                        kept(product([images, self.errors_bytes()])),
                        self.errors_work(images),
                        chunks,
                    )
                }
                Task::Loss => (kept(4), self.batch, product([2, self.batch])),
                Task::Update(index) => self.update_facts(self.piece(index)?),
            },
        };
        Some(Unit { output, work, chunks })
    }

    fn update_facts(&self, piece: Piece) -> (Output, u64, u64) {
        let shape = &self.shape;
        let (work, image) = if piece.is_first {
            let features = product([piece.rows, shape.positions]);
            // A piece has at most as many channels as a slice, so it lies in two of them at most.
            let chunks = sum([touched(features), touched(features), touched(product([2, features]))]);
            (self.channels_work(piece.rows), chunks)
        } else {
            let sums = product([self.batch, piece.weights]);
            let work = sum([
                sums,
                product([piece.weights, UPDATE_WORK]),
                product([self.batch, shape.features]),
            ]);
            (work, sum([self.features_chunks(), touched(product([2, piece.rows]))]))
        };
        let chunks = sum([
            product([2, self.weights_chunks(piece.weights)]),
            self.image_chunks(self.batch),
            product([self.batch, image]),
        ]);
        let size = product([8, piece.weights]);
        (Output::Kept { size }, work, chunks)
    }

    /// Of `images`, for a whole slice of channels.
    pub fn features_work(&self, images: u64) -> u64 {
        let shape = &self.shape;
        let feature = product([shape.square(), shape.inputs.saturating_add(4)]);
        let image = sum([
            product([self.slice, shape.positions, feature]),
            product([4, shape.padded_pixels()]),
        ]);
        sum([product([images, image]), product([2, self.slice, shape.inputs])])
    }

    pub fn errors_work(&self, images: u64) -> u64 {
        let shape = &self.shape;
        let last = product([shape.classes, shape.class_weights()]);
        let image = sum([
            product([2, last]),
            product([CLASS_WORK, shape.classes]),
            product([4, shape.features]),
        ]);
        sum([product([images, image]), product([2, last])])
    }

    /// Of the update of `channels` of the first layer.
    pub fn channels_work(&self, channels: u64) -> u64 {
        let shape = &self.shape;
        let image = sum([
            product([shape.positions, shape.inputs.saturating_add(4)]),
            product([2, shape.inputs]),
        ]);
        let inputs = product([self.batch, 4, shape.padded_pixels()]);
        let update = product([shape.inputs, UPDATE_WORK]);
        sum([product([channels, sum([product([self.batch, image]), update])]), inputs])
    }

    /// Chunks of one number of each of `weights` neighbouring weights of a layer. They are read 2¹⁶ at a time; from
    /// updates, update by update. A layer has at most four updates more than one for each 2¹⁶ weights.
    fn weights_chunks(&self, weights: u64) -> u64 {
        sum([touched(product([4, weights])), product([4, sum([weights >> 16, 4])])])
    }

    /// Chunks of the step's number, the order and the data set, for `images` of the batch.
    fn image_chunks(&self, images: u64) -> u64 {
        sum([6, product([images, sum([touched(self.shape.pixels()), 4])])])
    }

    /// Chunks of the features of one image, of all slices.
    fn features_chunks(&self) -> u64 {
        sum([touched(self.shape.features), product([2, self.slices()])])
    }
}
