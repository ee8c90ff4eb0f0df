//! Rendering: the golden vectors on every engine, random scenes on both, the check, hostile scenes and hierarchies.

mod check;
mod engines;
mod golden;
mod hierarchy;
mod hostile;
#[path = "../opened/mod.rs"]
mod opened;
#[path = "../../../../fuzz/src/scenes.rs"]
mod properties;
#[path = "../../../../fuzz/src/running.rs"]
mod running;
mod scenes;

use agora_compute::{
    BlobRef, CancelFlag, Computation, Engine, EngineError, JobKind, JobSpec, MemoryInputs, NoProgress, Region,
    RenderingJob,
};
use opened::{CPU, engines};

/// A job for the whole of one small image.
fn job(scene: BlobRef, width: u32, height: u32) -> RenderingJob {
    RenderingJob {
        scene,
        seed: [9; 32],
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
        samples: 2,
        max_bounces: 5,
        max_steps: 1024,
    }
}

fn spec(job: RenderingJob) -> JobSpec {
    JobSpec::V2(JobKind::Rendering(job))
}

fn run(engine: &dyn Engine, job: RenderingJob, inputs: &MemoryInputs) -> Result<Computation, EngineError> {
    engine.run(&spec(job), inputs, &NoProgress, &CancelFlag::new())
}
