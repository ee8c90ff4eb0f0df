//! Measuring: pixels of pictures of a thousand triangles and four spheres in daylight. More work is a larger picture.

mod scene;

use crate::{
    inputs::MemoryInputs,
    kinds::{EngineError, Sample, Unit, Workload, workload::SEED},
};
use agora_primitives::job::{BlobRef, JobKind, JobSpec, Region, RenderingJob};

/// Paths of a pixel.
const SAMPLES_PER_PIXEL: u32 = 16;
/// Surfaces that a path leaves again at most.
const MAX_BOUNCES: u32 = 6;
/// Steps of a path at most: more than any takes.
const MAX_STEPS: u32 = 1024;
/// Width and height of the smallest picture.
const SIZE: (u32, u32) = (16, 9);

/// Pixels of one picture; a part is 144 of them.
pub(crate) struct Pictures {
    scene: BlobRef,
    inputs: MemoryInputs,
}

impl Pictures {
    /// Makes the scene.
    pub fn new() -> Result<Self, EngineError> {
        let mut inputs = MemoryInputs::new();
        Ok(Self {
            scene: inputs.insert(scene::daylight().encode()),
            inputs,
        })
    }
}

impl Workload for Pictures {
    fn name(&self) -> &'static str {
        "rendering"
    }

    fn units(&self) -> &'static [Unit] {
        const {
            &[
                Unit {
                    name: "samples_per_second",
                    unit: "samples/s",
                    amount: 1.0 / SAMPLES_PER_PIXEL as f64,
                },
                Unit {
                    name: "pixels_per_second",
                    unit: "pixels/s of 16",
                    amount: 1.0,
                },
            ]
        }
    }

    /// 1920 × 1080 pixels.
    fn max_parts(&self) -> u32 {
        120 * 120
    }

    fn job(&self, parts: u32) -> Result<Sample, EngineError> {
        let scale = parts.isqrt();
        let (width, height) = (SIZE.0 * scale, SIZE.1 * scale);
        let job = RenderingJob {
            scene: self.scene,
            seed: SEED,
            width,
            height,
            region: Region {
                x: 0,
                y: 0,
                width,
                height,
            },
            first_frame: 0,
            frames: 1,
            samples: SAMPLES_PER_PIXEL,
            max_bounces: MAX_BOUNCES,
            max_steps: MAX_STEPS,
        };
        Ok(Sample {
            amount: job.pixels() as f64,
            spec: JobSpec::V2(JobKind::Rendering(job)),
            inputs: self.inputs.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::scene;

    #[test]
    fn the_scene_is_valid() {
        scene::daylight().validate().unwrap();
    }
}
