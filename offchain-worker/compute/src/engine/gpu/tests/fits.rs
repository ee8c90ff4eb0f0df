//! What fits: what a job is said to need of a device, against what it allocates there.

use super::*;
use crate::{device::Bounds, device::testing::held_bytes, kinds};

/// A job of each workload that graphics devices compute, of so many parts.
fn samples(parts: u32) -> Vec<(&'static str, Sample)> {
    let workloads = workloads().unwrap();
    let samples = workloads.iter().map(|workload| {
        let parts = parts.min(workload.max_parts());
        (workload.name(), workload.job(parts).unwrap())
    });
    samples
        .filter(|(_, sample)| !kinds::of(&sample.spec).is_for_processor())
        .collect()
}

/// An engine with a device of its own, which nobody has used.
fn fresh(max_buffer_bytes: u64) -> GpuEngine {
    open(GpuOptions {
        max_buffer_bytes: Some(max_buffer_bytes),
        ..Default::default()
    })
}

/// Bytes of small things that no formula counts: parameters of dispatches.
const PARAMETERS: u64 = 1 << 20;

#[test]
fn no_job_holds_more_on_the_device_than_it_is_said_to_need() {
    for parts in [1, 3] {
        for (name, Sample { spec, inputs, .. }) in samples(parts) {
            let engine = fresh(64 << 20);
            let context = context(&engine);
            let before = held_bytes(&context.device);
            engine.run(&spec, &inputs, &NoProgress, &CancelFlag::new()).unwrap();
            let held = context.watch.most_held() - before;
            let needs = kinds::of(&spec).needs(&context.bounds);
            assert!(held > 0, "the allocator of the device tells what is held");
            assert!(
                held <= needs.memory_bytes + PARAMETERS,
                "{name}: {held} bytes are held, and {needs:?}"
            );
            assert!(
                needs.memory_bytes <= 4 * held + PARAMETERS,
                "{name}: only {held} bytes are held, and {needs:?}"
            );
            assert!(engine.fits(&spec));
        }
    }
}

/// The smallest buffers with which `spec` is said to fit, in bytes.
fn least_buffers(spec: &JobSpec, bounds: &Bounds) -> u64 {
    let fits = |vectors: u64| {
        let bounds = Bounds {
            buffer_bytes: 16 * vectors,
            ..*bounds
        };
        kinds::of(spec).needs(&bounds).fit(&bounds, None)
    };
    let (mut without, mut with) = (0, 1 << 24);
    assert!(fits(with));
    while with - without > 1 {
        let middle = u64::midpoint(without, with);
        if fits(middle) {
            with = middle;
        } else {
            without = middle;
        }
    }
    16 * with
}

#[test]
fn the_smallest_device_that_a_job_is_said_to_fit_computes_it_and_the_next_smaller_one_cannot() {
    let bounds = *open(GpuOptions::default()).gpu().bounds();
    for (name, Sample { spec, inputs, .. }) in samples(1) {
        let least = least_buffers(&spec, &bounds);
        let engine = fresh(least);
        assert!(engine.fits(&spec), "{name}: {least}");
        // With the first part done, all is there that is needed; to do it all in such small parts takes long.
        let cancel = CancelFlag::new();
        let begun = |done: u32, _: u32| {
            if done > 0 {
                cancel.cancel();
            }
        };
        let ran = engine.run(&spec, &inputs, &begun, &cancel).map(drop);
        assert!(matches!(ran, Ok(()) | Err(EngineError::Cancelled)), "{name}: {ran:?}");

        let smaller = fresh(least - 16);
        assert!(!smaller.fits(&spec), "{name}: {least}");
        // How much a scene is on a device depends on what is in its bytes: the most is counted.
        if !matches!(spec, JobSpec::V2(JobKind::Rendering(_))) {
            let refused = smaller.run(&spec, &inputs, &NoProgress, &CancelFlag::new());
            assert!(
                matches!(refused, Err(EngineError::Device(DeviceError::Limit { .. }))),
                "{name}: {least} bytes are more than it needs"
            );
        }
    }
}

#[test]
fn a_device_with_too_few_workgroups_says_so_before() {
    for (name, Sample { spec, inputs, .. }) in samples(1) {
        let bounds = *open(GpuOptions::default()).gpu().bounds();
        let workgroups = kinds::of(&spec).needs(&bounds).workgroups;
        assert!(workgroups > 0, "{name}");
        if workgroups == 1 {
            continue;
        }
        let engine = open(GpuOptions {
            max_workgroups: Some(workgroups - 1),
            ..Default::default()
        });
        assert!(!engine.fits(&spec), "{name}: {workgroups}");
        let refused = engine.run(&spec, &inputs, &NoProgress, &CancelFlag::new());
        assert!(
            matches!(refused, Err(EngineError::Device(DeviceError::Limit { .. }))),
            "{name}"
        );
    }
}

#[test]
fn what_is_more_than_the_memory_of_a_device_does_not_fit() {
    let engine = open(GpuOptions::default());
    let memory = engine.device().limits.memory_bytes.expect("Vulkan tells");
    assert!(memory >= 1 << 28, "{memory} bytes are no device of today");
    // The widest and deepest transformer: each buffer is small, and all of them are tens of gigabytes.
    let shape = agora_primitives::job::TransformerShape {
        vocabulary: 4,
        positions: 4,
        hidden: 4096,
        layers: 128,
        heads: 64,
        key_value_heads: 64,
        head_size: 64,
        intermediate: 16_384,
        dense: 16_384,
    };
    let blob = |size| agora_primitives::job::BlobRef {
        size,
        ..agora_primitives::job::BlobRef::to(&[])
    };
    let spec = JobSpec::V2(JobKind::Inference(agora_primitives::job::InferenceJob {
        model: blob(shape.package_bytes()),
        input: blob(8),
        network: agora_primitives::job::InferenceNetwork::Embedding { shape, tokens: 1 },
        items: 1,
    }));
    spec.validate().unwrap();
    let needs = kinds::of(&spec).needs(engine.gpu().bounds());
    assert!(
        needs.buffer_bytes < 1 << 27 && needs.memory_bytes > 1 << 34,
        "{needs:?}"
    );
    assert!(needs.fit(engine.gpu().bounds(), None));
    assert_eq!(engine.fits(&spec), needs.memory_bytes <= memory / 8 * 7);
    assert!(!needs.fit(engine.gpu().bounds(), Some(16 << 30)));
}

#[test]
fn a_job_outside_of_the_limits_fits_nowhere() {
    let engine = open(GpuOptions::default());
    assert!(engine.fits(&job(16, 1)));
    assert!(!engine.fits(&job(0, 1)));
    assert!(!engine.fits(&job(16, 0)));
}
