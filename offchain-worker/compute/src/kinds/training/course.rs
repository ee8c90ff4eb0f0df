//! The course of a training job: which images each step uses, and what becomes output and trace.

use super::{Checkpoint, Dataset};
use crate::{digest::output_digest, engine::Computation};
use agora_math::{field::Generator, merkle::Hash};
use agora_primitives::job::TrainingJob;

/// The generator's label of the images' order.
const LABEL_ORDER: &[u8] = b"training order";
/// The generator's label of the random bits by which gradients are rounded.
const LABEL_ROUNDING: &[u8] = b"training rounding";

/// The generator of the random bits by which gradients are rounded.
///
/// Weight `i` in step `t` has the lower (if `i` is even) or upper 16 bits of word ⌊i mod 8 / 2⌋ of block
/// 2³² · t + ⌊i / 8⌋.
pub(super) fn rounding(job: &TrainingJob) -> Generator {
    Generator::new(&job.seed, LABEL_ROUNDING)
}

/// The order of the images. Every epoch has every image once, in an order of its own.
pub(super) struct Order {
    generator: Generator,
    batch: u32,
    epoch: u64,
    /// The images in the order of that epoch.
    images: Vec<u32>,
    words: Vec<u32>,
}

impl Order {
    /// The order of the images of `data` in `job`.
    pub fn new(job: &TrainingJob, data: &Dataset) -> Self {
        let mut order = Self {
            generator: Generator::new(&job.seed, LABEL_ORDER),
            batch: job.batch,
            epoch: 0,
            images: (0..data.count()).collect(),
            words: Vec::new(),
        };
        order.shuffle();
        order
    }

    /// The images of step `step`: place `b` of the batch is place `step · batch + b` of all epochs one after the other.
    pub fn batch(&mut self, step: u32, images: &mut Vec<u32>) {
        images.clear();
        let first = u64::from(step) * u64::from(self.batch);
        let count = self.images.len() as u64;
        for place in first..first + u64::from(self.batch) {
            let epoch = place / count;
            if epoch != self.epoch {
                self.epoch = epoch;
                self.shuffle();
            }
            images.push(self.images[(place % count) as usize]);
        }
    }

    /// Sorts the images by word `i mod 4` of block 2³² · epoch + ⌊i / 4⌋ for image `i`, and equal ones by their index.
    fn shuffle(&mut self) {
        let count = self.images.len();
        let epoch = self.epoch << 32;
        let blocks = (0..count.div_ceil(4) as u64).map(|block| self.generator.words(epoch + block));
        self.words.clear();
        self.words.extend(blocks.flatten());
        let words = &self.words;
        self.images
            .sort_unstable_by_key(|&image| (words[image as usize], image));
    }
}

/// What has been computed of a job.
pub(super) struct Course {
    /// Steps of a segment, and between digests of states.
    segment_steps: u32,
    trace_interval: u32,
    /// Steps done.
    pub done: u32,
    output: Vec<u8>,
    losses: Vec<u8>,
    digests: Vec<Hash>,
}

impl Course {
    /// Nothing yet, from `state` on.
    pub fn new(job: &TrainingJob, state: &Checkpoint) -> Self {
        Self {
            segment_steps: job.segment_steps,
            trace_interval: job.trace_interval,
            done: 0,
            output: Vec::with_capacity(job.segment_bytes() as usize * job.segments as usize),
            losses: Vec::new(),
            digests: vec![output_digest(&state.encode())],
        }
    }

    /// Whether the state after `done` steps is part of the trace.
    pub fn is_traced(&self, done: u32) -> bool {
        done.is_multiple_of(self.trace_interval)
    }

    /// Takes in the loss of the next step.
    pub fn push_loss(&mut self, loss: u32) {
        self.losses.extend(loss.to_le_bytes());
        self.done += 1;
    }

    /// Takes in the state after the steps done, in bytes, which is part of the trace.
    pub fn push_state(&mut self, state: &[u8]) {
        self.digests.push(output_digest(state));
        if self.done.is_multiple_of(self.segment_steps) {
            self.output.extend(state);
            self.output.append(&mut self.losses);
        }
    }

    /// The result.
    pub fn finish(mut self) -> Computation {
        self.digests.push(output_digest(&self.output));
        Computation {
            output: self.output,
            state_digests: self.digests,
        }
    }
}
