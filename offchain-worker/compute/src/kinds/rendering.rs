//! Rendering: a path tracer in fixed-point arithmetic. Specified to the bit in `docs/protocol/rendering.md`.
//!
//! A pixel's colour follows from the scene, the seed, the image's size, its place and frame, and the numbers of samples,
//! bounces and steps alone: tiles can be rendered in any order, anywhere, and single pixels can be checked.

mod check;
mod cpu;
mod gpu;
pub mod scene;
mod tiles;
mod tracer;
mod workload;

pub(crate) use workload::Pictures;

use super::{EngineError, Kind, On, Verdict};
use crate::{
    computation::Computation,
    device::{Bounds, Needs},
    digest::output_digest,
    inputs::Inputs,
    kernels::gpu::Gpu,
    run::Run,
};
use agora_math::merkle::Hash;
use agora_primitives::job::RenderingJob;
use scene::Scene;
use tiles::Tile;
use tracer::{PathTracer, PreparedScene, View};

impl Kind for RenderingJob {
    fn on_cpu(&self, run: &Run<'_>) -> Result<Computation, EngineError> {
        cpu::run(self, run)
    }

    fn on_gpu(&self, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
        gpu::run(self, gpu, run)
    }

    fn needs(&self, bounds: &Bounds) -> Needs {
        gpu::needs(self, bounds)
    }

    fn ensure_usable(&self, inputs: &dyn Inputs) -> Result<(), EngineError> {
        Renderer::open(self, inputs).map(drop)
    }

    fn check(&self, on: On<'_>, inputs: &dyn Inputs, output: &[u8], seed: &[u8; 32]) -> Result<Verdict, EngineError> {
        check::check(self, on, inputs, output, seed)
    }

    fn states_in(&self, output: &[u8]) -> Option<Vec<Hash>> {
        let bytes = |tile: Tile| tile.rows(self).map(|row| &output[row]).collect::<Vec<_>>().concat();
        let tiles = tiles::tiles(self).into_iter();
        Some(tiles.map(|tile| output_digest(&bytes(tile))).collect())
    }
}

/// A job with its scene, ready to be rendered.
pub(crate) struct Renderer<'a> {
    job: &'a RenderingJob,
    scene: Scene,
    prepared: PreparedScene,
}

impl<'a> Renderer<'a> {
    /// Fetches and prepares the scene of `job`.
    ///
    /// Errors: `Input`, `Scene`.
    pub fn open(job: &'a RenderingJob, inputs: &dyn Inputs) -> Result<Self, EngineError> {
        let scene = Scene::decode(&inputs.get(&job.scene)?)?;
        let prepared = PreparedScene::new(&scene);
        Ok(Self { job, scene, prepared })
    }

    /// The tracer of the paths of a frame.
    pub fn tracer(&self, frame: u32) -> PathTracer<'_> {
        PathTracer {
            scene: &self.prepared,
            view: View::new(&self.scene.keyframes, frame, self.job.height),
            generator: tracer::generator(&self.job.seed),
            size: [self.job.width, self.job.height],
            frame,
            max_bounces: self.job.max_bounces,
            max_steps: self.job.max_steps,
        }
    }

    /// The colour of a pixel of the whole image.
    pub fn colour(&self, tracer: &PathTracer<'_>, pixel: [u32; 2]) -> [u8; 3] {
        self.develop(tracer.sum(pixel, self.job.samples))
    }

    /// The colour for the sums of the radiances of a pixel's paths.
    pub fn develop(&self, sums: [u32; 3]) -> [u8; 3] {
        tracer::develop(sums, self.job.samples, self.scene.exposure)
    }
}
