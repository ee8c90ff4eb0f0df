//! Measuring: steps of training the perceptron that classification is measured with.

use super::Dataset;
use crate::{
    inputs::MemoryInputs,
    kinds::{
        EngineError, Sample, Unit, Workload,
        workload::{MAX_PIXEL, NETWORK, SEED, bytes, images},
    },
};
use agora_primitives::job::{BlobRef, JobKind, JobSpec, MAX_SEGMENT_STEPS, NetworkShape, TrainingJob};

/// Images of the data set.
const IMAGES: u32 = 512;
/// Images of a step.
const BATCH: u32 = 32;

/// Steps of training, of 32 images each; a part is one.
pub(crate) struct Steps {
    data: BlobRef,
    inputs: MemoryInputs,
}

impl Steps {
    /// Makes the data set.
    pub fn new() -> Result<Self, EngineError> {
        let data = Dataset {
            maximum: MAX_PIXEL,
            // All sizes of the network are small.
            width: NETWORK.width as u16,
            height: NETWORK.height as u16,
            classes: NETWORK.classes as u16,
            pixels: images(IMAGES),
            labels: bytes(IMAGES as usize, NETWORK.classes as u8),
        };
        let mut inputs = MemoryInputs::new();
        Ok(Self {
            data: inputs.insert(data.encode()?),
            inputs,
        })
    }
}

impl Workload for Steps {
    fn name(&self) -> &'static str {
        "training"
    }

    fn units(&self) -> &'static [Unit] {
        const {
            &[Unit {
                name: "training_steps_per_second",
                unit: "steps/s",
                amount: 1.0,
            }]
        }
    }

    fn max_parts(&self) -> u32 {
        MAX_SEGMENT_STEPS
    }

    fn job(&self, parts: u32) -> Result<Sample, EngineError> {
        let job = TrainingJob {
            data: self.data,
            width: NETWORK.width,
            height: NETWORK.height,
            classes: NETWORK.classes,
            network: NetworkShape::Perceptron {
                hidden: NETWORK.channels,
            },
            seed: SEED,
            batch: BATCH,
            segments: 1,
            segment_steps: parts,
            state_interval: parts,
            rate_shift: 5,
            halve_after: 500,
            momentum_shift: 3,
            start: None,
        };
        Ok(Sample {
            spec: JobSpec::V2(JobKind::Training(job)),
            inputs: self.inputs.clone(),
            amount: parts.into(),
        })
    }
}
