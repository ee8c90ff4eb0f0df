//! A small picture, rendered before a job is published, to see whether the job's pictures show anything.

use agora_compute::{
    CancelFlag, CpuEngine, Engine, EngineError, JobKind, JobSpec, MemoryInputs, NoProgress, Region, RenderingJob,
};
use std::sync::Arc;

/// Pixels along the longer side.
const SIDE: u32 = 32;
/// Paths of a pixel: 32 768 of a square picture.
const SAMPLES: u32 = 32;

/// Whether a small copy of the first frame of `job`, a rendering of `scene`, is black all over: nothing in view gives light or is
/// lit, as from within a closed mesh.
///
/// Takes some hundredths of a second. Errors: those of the engine, such as for bytes that are no scene.
pub fn is_black(scene: impl Into<Arc<[u8]>>, job: &RenderingJob) -> Result<bool, EngineError> {
    let longer = job.width.max(job.height).max(1);
    // At most `SIDE`.
    let shrunk = |side: u32| (u64::from(side) * u64::from(SIDE) / u64::from(longer)).max(1) as u32;
    let (width, height) = (shrunk(job.width), shrunk(job.height));
    let mut inputs = MemoryInputs::new();
    let trial = RenderingJob {
        scene: inputs.insert(scene),
        width,
        height,
        region: Region {
            x: 0,
            y: 0,
            width,
            height,
        },
        frames: 1,
        samples: SAMPLES,
        ..*job
    };
    let trial = JobSpec::V2(JobKind::Rendering(trial));
    let computed = CpuEngine::new().run(&trial, &inputs, &NoProgress, &CancelFlag::new())?;
    Ok(computed.output.iter().all(|&channel| channel == 0))
}
