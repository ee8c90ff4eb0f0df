//! Rendering: the golden vectors on every engine, random scenes on both, the check, and hostile scenes.

mod check;
mod engines;
mod golden;
mod hostile;
#[path = "../../../../fuzz/src/scenes.rs"]
mod properties;
#[path = "../../../../fuzz/src/running.rs"]
mod running;
mod scenes;

use agora_compute::{
    BlobRef, CancelFlag, Computation, CpuEngine, DeviceInfo, Engine, EngineError, GpuEngine, GpuOptions, JobKind,
    JobSpec, MemoryInputs, NoProgress, Region, RenderingJob, find_device,
};
use std::sync::LazyLock;

fn first_device() -> DeviceInfo {
    find_device("auto").unwrap_or_else(|error| panic!("these tests need an adapter: {error}"))
}

static GPU: LazyLock<GpuEngine> = LazyLock::new(|| GpuEngine::open(&first_device(), &GpuOptions::default()).unwrap());
static CPU: CpuEngine = CpuEngine::new();

fn engines() -> [&'static dyn Engine; 2] {
    [&CPU, &*GPU]
}

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
    }
}

fn spec(job: RenderingJob) -> JobSpec {
    JobSpec::V1(JobKind::Rendering(job))
}

fn run(engine: &dyn Engine, job: RenderingJob, inputs: &MemoryInputs) -> Result<Computation, EngineError> {
    engine.run(&spec(job), inputs, &NoProgress, &CancelFlag::new())
}
