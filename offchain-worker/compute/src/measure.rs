//! How fast an engine computes each kind of job.
//!
//! Everything is generated, so that all engines are measured with the same work. What is first done once is not counted:
//! shaders are compiled and threads started by then. What every job takes, such as reading a model and the digests, is.

mod scene;
mod workloads;

use crate::{
    engine::{CancelFlag, Engine, NoProgress},
    error::EngineError,
    inputs::MemoryInputs,
};
use agora_primitives::job::JobSpec;
use serde::Serialize;
use std::time::Instant;

pub use workloads::SAMPLES_PER_PIXEL;

/// A run of so many seconds tells the speed.
const LONG_ENOUGH: f64 = 0.4;
/// The next run is aimed to be a little longer than that.
const AIM: f64 = 1.25 * LONG_ENOUGH;
/// The next run is so many times as long as the last at least, and at most: a short one is no good guide.
const GROWTH: (f64, f64) = (2.0, 16.0);

/// How fast an engine is.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Measurement {
    /// Billions of multiplications and additions per second, in chains of products of 512 × 512 matrices over F_251.
    pub synthetic_gops: f64,
    /// Billions of multiplications and additions per second, in 1024 rows of 1024 bytes times vectors.
    pub matmul_gops: f64,
    /// Sentences of 32 tokens per second, by a model as large as all-MiniLM-L6-v2: 6 layers, 384 wide, with 1536 units
    /// between. Its weights and tokens are random, which changes nothing about the work.
    pub sentences_per_second: f64,
    /// Images of 8 × 8 pixels per second that are classified by a perceptron of 128 hidden units.
    pub images_per_second: f64,
    /// Steps per second of training that perceptron, with 32 images each.
    pub training_steps_per_second: f64,
    /// Pixels per second of [`SAMPLES_PER_PIXEL`] samples, of a picture of a thousand triangles and four spheres in daylight.
    pub pixels_per_second: f64,
    /// Samples of these pixels per second: paths of up to 6 bounces.
    pub samples_per_second: f64,
}

/// Measures `engine` with work of each kind: a second or two for each, compiling shaders included.
///
/// Errors: what [`Engine::run`] returns.
pub fn measure(engine: &dyn Engine) -> Result<Measurement, EngineError> {
    let pixels_per_second = per_second(engine, &workloads::Rendering::new()?)?;
    Ok(Measurement {
        synthetic_gops: per_second(engine, &workloads::Synthetic)? / 1e9,
        matmul_gops: per_second(engine, &workloads::Matmul::new()?)? / 1e9,
        sentences_per_second: per_second(engine, &workloads::Embedding::new()?)?,
        images_per_second: per_second(engine, &workloads::Classification::new()?)?,
        training_steps_per_second: per_second(engine, &workloads::Training::new()?)?,
        pixels_per_second,
        samples_per_second: pixels_per_second * f64::from(SAMPLES_PER_PIXEL),
    })
}

/// The capability that a worker with `engine` should declare: whole billions of multiplications and additions per second in
/// jobs of the kind `synthetic`, at least 1.
///
/// Errors: what [`Engine::run`] returns.
pub fn capability(engine: &dyn Engine) -> Result<u32, EngineError> {
    let gops = per_second(engine, &workloads::Synthetic)? / 1e9;
    // The cast saturates.
    Ok((gops as u32).max(1))
}

/// Work of one kind, as long as it is wanted.
trait Workload {
    /// The most parts of a job.
    const MAX_PARTS: u32;

    /// A job of so many parts.
    ///
    /// Errors: none but those of sizes beyond the limits of jobs.
    fn job(&self, parts: u32) -> Result<Made, EngineError>;
}

/// A job to be computed.
struct Made {
    spec: JobSpec,
    inputs: MemoryInputs,
    /// How much it is, in whatever is measured.
    amount: f64,
}

impl Made {
    /// How long `engine` takes for it, in seconds.
    fn time(&self, engine: &dyn Engine) -> Result<f64, EngineError> {
        let started = Instant::now();
        engine.run(&self.spec, &self.inputs, &NoProgress, &CancelFlag::new())?;
        Ok(started.elapsed().as_secs_f64())
    }
}

/// How much of `workload` the engine does in a second: longer and longer jobs are computed until one is long enough.
fn per_second<W: Workload>(engine: &dyn Engine, workload: &W) -> Result<f64, EngineError> {
    workload.job(1)?.time(engine)?;
    let mut parts = 1;
    loop {
        let job = workload.job(parts)?;
        let seconds = job.time(engine)?.max(f64::EPSILON);
        if seconds >= LONG_ENOUGH || parts == W::MAX_PARTS {
            return Ok(job.amount / seconds);
        }
        let factor = (AIM / seconds).clamp(GROWTH.0, GROWTH.1);
        parts = ((f64::from(parts) * factor) as u32).min(W::MAX_PARTS);
    }
}

#[cfg(test)]
mod tests;
