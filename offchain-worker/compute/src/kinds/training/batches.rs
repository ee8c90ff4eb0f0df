//! The batches of a training job: which images each step uses.

use super::Dataset;
use agora_math::field::Generator;
use agora_primitives::job::TrainingJob;

/// The generator's label of the images' order.
const LABEL_ORDER: &[u8] = b"training order";

/// The images in the order in which steps use them. Every epoch has every image once, in an order of its own.
pub(super) struct Batches {
    generator: Generator,
    batch_size: u32,
    epoch: u64,
    /// The images in the order of that epoch.
    images: Vec<u32>,
    words: Vec<u32>,
}

impl Batches {
    /// The batches of `job` from `data`.
    pub fn new(job: &TrainingJob, data: &Dataset) -> Self {
        let mut batches = Self {
            generator: Generator::new(&job.seed, LABEL_ORDER),
            batch_size: job.batch,
            epoch: 0,
            images: (0..data.count()).collect(),
            words: Vec::new(),
        };
        batches.shuffle();
        batches
    }

    /// The images of step `step`: place `b` of the batch is place `step · batch + b` of all epochs one after the other.
    pub fn images_of(&mut self, step: u32, images: &mut Vec<u32>) {
        images.clear();
        let first = u64::from(step) * u64::from(self.batch_size);
        let count = self.images.len() as u64;
        for place in first..first + u64::from(self.batch_size) {
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
