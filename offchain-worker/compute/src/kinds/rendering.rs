//! Rendering: a path tracer in fixed-point arithmetic. Specified to the bit in `docs/protocol/rendering.md`.
//!
//! A pixel's colour follows from the scene, the seed, the image's size, its place and frame, and the numbers of samples and
//! bounces alone: tiles can be rendered in any order, anywhere, and single pixels can be checked.

mod bvh;
mod camera;
mod check;
mod cpu;
mod fixed;
mod geometry;
mod gpu;
mod path;
pub mod scene;
pub(crate) mod tiles;
mod tone;
mod trace;
mod world;

use super::{Kind, Run, Verdict};
use crate::{
    engine::{Computation, gpu::GpuEngine},
    error::EngineError,
    inputs::Inputs,
};
use agora_primitives::job::RenderingJob;
use camera::View;
use path::Paths;
use scene::Scene;
use world::World;

impl Kind for RenderingJob {
    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError> {
        cpu::run(self, run)
    }

    fn on_gpu(&self, gpu: &GpuEngine, run: &Run<'_>) -> Result<Computation, EngineError> {
        gpu::run(self, gpu, run)
    }

    fn check(&self, inputs: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError> {
        check::check(self, inputs, output, seed)
    }
}

/// A job with its scene, ready to be rendered.
pub(crate) struct Studio<'a> {
    job: &'a RenderingJob,
    scene: Scene,
    world: World,
}

impl<'a> Studio<'a> {
    /// Fetches and prepares the scene of `job`.
    ///
    /// Errors: `Input`, `Scene`.
    pub fn open(job: &'a RenderingJob, inputs: &dyn Inputs) -> Result<Self, EngineError> {
        let scene = Scene::decode(&inputs.get(&job.scene)?)?;
        let world = World::new(&scene);
        Ok(Self { job, scene, world })
    }

    /// The paths of a frame.
    pub fn paths(&self, frame: u32) -> Paths<'_> {
        Paths {
            world: &self.world,
            view: View::new(&self.scene.keyframes, frame, self.job.height),
            generator: path::generator(&self.job.seed),
            size: [self.job.width, self.job.height],
            frame,
            max_bounces: self.job.max_bounces,
        }
    }

    /// The colour of a pixel of the whole image.
    pub fn colour(&self, paths: &Paths<'_>, pixel: [u32; 2]) -> [u8; 3] {
        self.develop(paths.sum(pixel, self.job.samples))
    }

    /// The colour for the sums of the radiances of a pixel's paths.
    pub fn develop(&self, sums: [u32; 3]) -> [u8; 3] {
        tone::develop(sums, self.job.samples, self.scene.exposure)
    }
}
