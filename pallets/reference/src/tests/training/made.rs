//! Data sets and jobs for tests.

use crate::tests::world::Contents;
use agora_jobs::{NetworkShape, TrainingJob};
use agora_math::field::Generator;

/// A data set.
#[derive(Clone, Debug)]
pub struct Data {
    pub maximum: u8,
    pub width: u16,
    pub height: u16,
    pub classes: u16,
    pub pixels: Vec<u8>,
    pub labels: Vec<u8>,
}

impl Data {
    /// Images of noise with a bright place that depends on the class.
    pub fn new(width: u16, height: u16, classes: u16, count: usize, maximum: u8) -> Self {
        let generator = Generator::new(&[maximum; 32], b"made data");
        let mut words = (0..).flat_map(|block| generator.words(block));
        let mut next = |below: u32| (words.next().unwrap() % below) as u8;
        let labels: Vec<u8> = (0..count).map(|_| next(classes.into())).collect();
        let size = usize::from(width * height);
        let mut pixels: Vec<u8> = (0..count * size).map(|_| next(u32::from(maximum) / 2 + 1)).collect();
        for (image, &label) in pixels.chunks_exact_mut(size).zip(&labels) {
            image[usize::from(label) * 3 % size] = maximum;
        }
        Self {
            maximum,
            width,
            height,
            classes,
            pixels,
            labels,
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let sizes = [self.width, self.height, self.classes].map(u16::to_le_bytes).concat();
        let count = (self.labels.len() as u32).to_le_bytes();
        let header = [b"AGDS\x01".as_slice(), &[self.maximum], &sizes, &count].concat();
        [header, self.pixels.clone(), self.labels.clone()].concat()
    }

    /// A job that trains `network` on this data, and its inputs.
    pub fn job(&self, network: NetworkShape, numbers: [u32; 7], start: Option<Vec<u8>>) -> (TrainingJob, Contents) {
        let [
            batch,
            segments,
            segment_steps,
            state_interval,
            rate_shift,
            halve_after,
            momentum_shift,
        ] = numbers;
        let mut contents = Contents::default();
        let job = TrainingJob {
            data: contents.insert(self.bytes()),
            width: self.width.into(),
            height: self.height.into(),
            classes: self.classes.into(),
            network,
            seed: [42; 32],
            batch,
            segments,
            segment_steps,
            state_interval,
            rate_shift,
            halve_after,
            momentum_shift,
            start: start.map(|start| contents.insert(start)),
        };
        (job, contents)
    }
}
