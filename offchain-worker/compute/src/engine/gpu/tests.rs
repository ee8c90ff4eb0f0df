mod check;
mod fits;

use super::*;
use crate::{
    CpuEngine, DeviceError, DeviceType, NoInputs, NoProgress,
    device::{
        Batch, Caps, Context,
        testing::{BreakAt, Sabotage, first_device},
    },
    kernels::gpu::{Configuration, Tuning, remember},
    kinds::{Sample, Workload, workloads},
    self_test,
};
use agora_primitives::job::{JobKind, SyntheticJob};
use std::sync::Arc;

fn job(matrix_size: u32, iterations: u32) -> JobSpec {
    JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [3; 32],
        matrix_size,
        iterations,
    }))
}

fn open(options: GpuOptions) -> GpuEngine {
    GpuEngine::open(&first_device(), &options).unwrap()
}

fn assert_equals_the_reference(engine: &GpuEngine, job: &JobSpec) {
    let computed = engine.run(job, &NoInputs, &NoProgress, &CancelFlag::new()).unwrap();
    let reference = CpuEngine::new()
        .run(job, &NoInputs, &NoProgress, &CancelFlag::new())
        .unwrap();
    assert!(computed == reference, "the device computes something else for {job:?}");
}

/// The open device of `engine`.
fn context(engine: &GpuEngine) -> Arc<Context> {
    engine.gpu().device().context().unwrap()
}

#[test]
fn every_configuration_gives_the_same_bits() {
    for configuration in Configuration::ALL {
        let engine = open(GpuOptions {
            configuration: Some(configuration),
            ..Default::default()
        });
        for n in [1, 4, 15, 16, 17, 65] {
            assert_equals_the_reference(&engine, &job(n, 3));
        }
    }
}

#[test]
fn states_are_hashed_on_the_device_as_on_the_processor() {
    let engine = open(GpuOptions {
        hash_on_device: Some(true),
        ..Default::default()
    });
    assert!(engine.gpu().hashes());
    // Sizes that are no multiple of four are hashed by the processor.
    for (n, iterations) in [(4, 1), (12, 130), (20, 64), (33, 3), (100, 65), (516, 2)] {
        assert_equals_the_reference(&engine, &job(n, iterations));
    }
    // Panels, too.
    let cut = open(GpuOptions {
        hash_on_device: Some(true),
        max_buffer_bytes: Some(16 << 10),
        ..Default::default()
    });
    assert_equals_the_reference(&cut, &job(256, 3));
}

#[test]
fn a_device_that_is_lost_while_it_hashes_goes_on_from_the_last_state_that_was_read() {
    let engine = open(GpuOptions {
        hash_on_device: Some(true),
        ..Default::default()
    });
    for at in [0, 1, 63, 64, 70, 130] {
        let progress = BreakAt::new(at, context(&engine).device.clone());
        let computed = engine
            .run(&job(40, 133), &NoInputs, &progress, &CancelFlag::new())
            .unwrap();
        assert!(progress.is_broken());
        let reference = CpuEngine::new()
            .run(&job(40, 133), &NoInputs, &NoProgress, &CancelFlag::new())
            .unwrap();
        assert!(computed == reference);
    }
}

#[test]
fn a_lost_device_is_opened_again_and_the_job_goes_on() {
    let engine = open(GpuOptions::default());
    for at in [0, 1, 4, 7] {
        let progress = BreakAt::new(at, context(&engine).device.clone());
        let computed = engine
            .run(&job(40, 8), &NoInputs, &progress, &CancelFlag::new())
            .unwrap();
        assert!(progress.is_broken());
        let reference = CpuEngine::new()
            .run(&job(40, 8), &NoInputs, &NoProgress, &CancelFlag::new())
            .unwrap();
        assert!(computed == reference);
    }
    assert_equals_the_reference(&engine, &job(20, 2));
}

#[test]
fn a_device_lost_between_jobs_is_opened_again() {
    let engine = open(GpuOptions::default());
    context(&engine).device.destroy();
    assert_equals_the_reference(&engine, &job(33, 3));
}

#[test]
fn small_limits_are_kept_to_by_cutting_the_matrices() {
    // The device refuses every buffer and dispatch above its limits, and the job would fail.
    for (kibibytes, max_workgroups) in [(8, 1), (16, 2), (64, 65535)] {
        let engine = open(GpuOptions {
            max_buffer_bytes: Some(kibibytes << 10),
            max_workgroups: Some(max_workgroups),
            ..Default::default()
        });
        for n in [1, 30, 100, 257] {
            assert_equals_the_reference(&engine, &job(n, 2));
        }
    }
}

#[test]
fn long_products_are_cut_into_short_submissions() {
    let engine = open(GpuOptions {
        max_work: Some(1 << 16),
        ..Default::default()
    });
    assert_equals_the_reference(&engine, &job(130, 3));
}

#[test]
fn limits_below_the_smallest_part_are_reported() {
    let engine = open(GpuOptions {
        max_buffer_bytes: Some(4096),
        ..Default::default()
    });
    assert!(matches!(
        engine.run(&job(512, 1), &NoInputs, &NoProgress, &CancelFlag::new()),
        Err(EngineError::Device(DeviceError::Limit {
            limit: "bytes per buffer",
            needed: 8192,
            available: 4096
        }))
    ));
    // The engine can still be used.
    assert_equals_the_reference(&engine, &job(100, 1));
}

#[test]
fn jobs_run_side_by_side_on_one_device() {
    let engine = open(GpuOptions::default());
    std::thread::scope(|scope| {
        for n in [33, 70, 130] {
            let engine = &engine;
            scope.spawn(move || assert_equals_the_reference(engine, &job(n, 3)));
        }
    });
}

#[test]
fn a_device_lost_under_several_jobs_is_opened_again_for_all() {
    let engine = open(GpuOptions::default());
    let (first, second) = (job(40, 8), job(50, 6));
    std::thread::scope(|scope| {
        let breaking = scope.spawn(|| {
            let progress = BreakAt::new(3, context(&engine).device.clone());
            engine.run(&first, &NoInputs, &progress, &CancelFlag::new()).unwrap()
        });
        assert_equals_the_reference(&engine, &second);
        let computed = breaking.join().unwrap();
        let reference = CpuEngine::new().run(&first, &NoInputs, &NoProgress, &CancelFlag::new());
        assert!(computed == reference.unwrap());
    });
    assert_equals_the_reference(&engine, &job(20, 2));
}

#[test]
fn a_device_is_given_up_after_a_panic() {
    let engine = open(GpuOptions::default());
    let before = context(&engine);
    let work = || {
        engine
            .gpu()
            .on_device(|_| -> Result<(), EngineError> { panic!("a defect in a kind of jobs") })
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err());
    assert!(!Arc::ptr_eq(&before, &context(&engine)));
    assert_equals_the_reference(&engine, &job(20, 2));
}

#[test]
fn buffers_are_used_again_and_a_cancelled_job_gives_them_back() {
    let engine = open(GpuOptions::default());
    assert_equals_the_reference(&engine, &job(64, 5));
    let open = context(&engine);
    let idle = open.idle_bytes();
    assert!(idle > 0);
    assert_equals_the_reference(&engine, &job(64, 5));
    assert_eq!(open.idle_bytes(), idle, "the second job needed no more buffers");

    let cancel = CancelFlag::new();
    let progress = |done: u32, _: u32| {
        if done == 2 {
            cancel.cancel();
        }
    };
    let cancelled = engine.run(&job(64, 500), &NoInputs, &progress, &cancel);
    assert!(matches!(cancelled, Err(EngineError::Cancelled)));
    assert_eq!(open.idle_bytes(), idle);
    assert_equals_the_reference(&engine, &job(64, 5));
}

#[test]
fn a_job_that_is_cancelled_before_its_result_is_asked_for_leaves_the_device_in_order() {
    let engine = open(GpuOptions::default());
    let open = context(&engine);
    let buffer = open.storage(64).unwrap();
    let cancel = CancelFlag::new();
    cancel.cancel();
    let read = Batch::new(&open, &cancel).read(&[buffer.slice(..)]);
    assert!(matches!(read.map(drop), Err(DeviceError::Cancelled)));
    assert!(open.check().is_ok());
}

#[test]
fn too_large_a_buffer_is_an_error_of_its_job_alone() {
    let engine = open(GpuOptions::default());
    let open = context(&engine);
    let needed = open.bounds.buffer_bytes + 16;
    assert!(matches!(open.storage(needed), Err(DeviceError::Limit { .. })));
    assert!(matches!(open.storage(u64::MAX), Err(DeviceError::Limit { .. })));
    assert_equals_the_reference(&engine, &job(20, 2));
    assert!(Arc::ptr_eq(&open, &context(&engine)));
}

#[test]
fn the_fastest_configurations_are_found_by_trying() {
    let device = first_device();
    let engine = open(GpuOptions::default());
    let all = Configuration::ALL.into_iter();
    let right: Vec<_> = all.filter(|one| one.fits(&device.limits)).collect();
    let tuning = Tuning::fastest(&context(&engine), &right).unwrap().unwrap();
    for rows in [1, 1024] {
        assert!(tuning.in_order(rows).iter().all(|one| right.contains(one)));
    }
    assert_eq!(Tuning::fastest(&context(&engine), &[]).unwrap(), None);
    assert_eq!(
        Tuning::fastest(&context(&engine), &[Configuration::SPLIT]).unwrap(),
        None
    );
}

/// Sixteen images of two classes, and forty steps.
fn training() -> (JobSpec, crate::MemoryInputs) {
    training_of(10)
}

/// The same, with four segments of so many steps.
fn training_of(segment_steps: u32) -> (JobSpec, crate::MemoryInputs) {
    let data = crate::training::Dataset {
        maximum: 255,
        width: 4,
        height: 4,
        classes: 2,
        pixels: (0..=255).collect(),
        labels: (0..16).map(|i| i % 2).collect(),
    };
    let mut inputs = crate::MemoryInputs::new();
    let job = crate::TrainingJob {
        data: inputs.insert(data.encode().unwrap()),
        width: 4,
        height: 4,
        classes: 2,
        network: crate::NetworkShape::Perceptron { hidden: 8 },
        seed: [5; 32],
        batch: 6,
        segments: 4,
        segment_steps,
        state_interval: 2,
        rate_shift: 4,
        halve_after: 0,
        momentum_shift: 2,
        start: None,
    };
    (JobSpec::V2(JobKind::Training(job)), inputs)
}

#[test]
fn training_goes_on_when_the_device_is_lost() {
    // Three steps in a submission, so that some submissions end after a step after which the job has no state.
    let max_work = Some(3 * 3 * 6 * (8 * 17 + 2 * 9));
    let engine = open(GpuOptions {
        max_work,
        ..Default::default()
    });
    let (job, inputs) = training();
    let reference = CpuEngine::new()
        .run(&job, &inputs, &NoProgress, &CancelFlag::new())
        .unwrap();
    for at in [0, 3, 12, 39] {
        let progress = BreakAt::new(at, context(&engine).device.clone());
        let computed = engine.run(&job, &inputs, &progress, &CancelFlag::new()).unwrap();
        assert!(progress.is_broken(), "{at}");
        assert!(computed == reference, "{at}");
    }
}

#[test]
fn submissions_of_training_and_of_products_are_as_long_as_their_work_is_slow() {
    let engine = open(GpuOptions::default());
    let context = context(&engine);
    let (training, inputs) = training_of(100);
    let reference = CpuEngine::new()
        .run(&training, &inputs, &NoProgress, &CancelFlag::new())
        .unwrap();
    let submissions = |nanoseconds| {
        context.watch.pretend(nanoseconds);
        context.watch.take();
        let computed = engine.run(&training, &inputs, &NoProgress, &CancelFlag::new()).unwrap();
        assert!(computed == reference);
        context.watch.take()
    };
    let fast = submissions(1);
    let slow = submissions(1_000_000_000);
    // At most 64 steps in a submission.
    assert!(fast.len() < 10, "{fast:?}");
    // Once that is known, each of the four kernels of a step is a submission of its own.
    assert!(slow.len() >= 4 * (400 - 4 * 64), "{slow:?}");
    assert!(slow.iter().skip(20).all(|&work| work < fast[0] / 50), "{slow:?}");
    assert_eq!(fast.iter().sum::<u64>(), slow.iter().sum::<u64>());

    // Eight iterations of a product that is one dispatch: never two in a submission, as they are read one by one.
    context.watch.pretend(1_000_000_000);
    assert_equals_the_reference(&engine, &job(40, 8));
    assert!(context.watch.take().len() >= 8);
}

#[test]
fn remembered_configurations_are_used_without_trying_any() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tuning.json");
    // On a software adapter the remembered configurations would not be used.
    let device = DeviceInfo {
        device_type: DeviceType::Discrete,
        ..first_device()
    };
    let tuning = Tuning::only(Configuration::SMALL);
    remember(&path, &device, tuning);
    let options = GpuOptions {
        tuning_cache: Some(path),
        ..GpuOptions::default()
    };
    let engine = GpuEngine::open(&device, &options).unwrap();
    assert_eq!(engine.gpu().tuning(), tuning);
    assert_equals_the_reference(&engine, &job(33, 2));
}
