use super::*;
use crate::{
    CancelFlag, CpuEngine, Engine, GpuEngine, GpuOptions, JobKind, JobSpec, MemoryInputs,
    device::testing::{BreakAt, first_device},
};
use agora_primitives::job::{BlobRef, Region};

/// The scene of the first golden vector.
fn still_life() -> (MemoryInputs, BlobRef) {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../../../../tests/vectors/rendering.json")).unwrap();
    let mut inputs = MemoryInputs::new();
    let blob = inputs.insert(hex::decode(vectors[0]["scene"].as_str().unwrap()).unwrap());
    (inputs, blob.unwrap())
}

#[test]
fn tiles_that_are_done_survive_the_loss_of_the_device() {
    let (inputs, scene) = still_life();
    let job = JobSpec::V1(JobKind::Rendering(RenderingJob {
        scene,
        seed: [5; 32],
        width: 200,
        height: 130,
        region: Region {
            x: 3,
            y: 1,
            width: 197,
            height: 129,
        },
        first_frame: 4,
        frames: 1,
        samples: 1,
        max_bounces: 4,
    }));
    let engine = GpuEngine::open(&first_device(), &GpuOptions::default()).unwrap();
    let right = CpuEngine::new()
        .run(&job, &inputs, &crate::NoProgress, &CancelFlag::new())
        .unwrap();
    for at in [0, 1, 7] {
        let mut device = None;
        engine
            .gpu()
            .on_device(|context| {
                device = Some(context.device.clone());
                Ok::<_, EngineError>(())
            })
            .unwrap();
        let progress = BreakAt::new(at, device.unwrap());
        let computed = engine.run(&job, &inputs, &progress, &CancelFlag::new()).unwrap();
        assert!(progress.is_broken());
        assert!(computed == right);
    }
}

#[test]
fn a_scene_larger_than_the_devices_buffers_is_refused() {
    let (inputs, scene) = still_life();
    let job = JobSpec::V1(JobKind::Rendering(RenderingJob {
        scene,
        seed: [5; 32],
        width: 8,
        height: 8,
        region: Region {
            x: 0,
            y: 0,
            width: 8,
            height: 8,
        },
        first_frame: 0,
        frames: 1,
        samples: 1,
        max_bounces: 1,
    }));
    let options = GpuOptions {
        max_buffer_bytes: Some(512),
        ..Default::default()
    };
    let engine = GpuEngine::open(&first_device(), &options).unwrap();
    let error = engine
        .run(&job, &inputs, &crate::NoProgress, &CancelFlag::new())
        .unwrap_err();
    assert!(
        matches!(
            error,
            EngineError::Device(DeviceError::Limit {
                limit: "bytes per buffer",
                ..
            })
        ),
        "{error}"
    );
}
