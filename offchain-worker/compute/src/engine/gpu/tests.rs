use super::*;
use crate::{CpuEngine, NoInputs, NoProgress, Progress};
use agora_primitives::job::JobKind;
use std::sync::atomic::{AtomicBool, Ordering};

fn job(matrix_size: u32, iterations: u32) -> JobSpec {
    JobSpec::V1(JobKind::Synthetic(SyntheticJob {
        seed: [3; 32],
        matrix_size,
        iterations,
    }))
}

/// The first adapter; in CI the software one that the set-up installs.
fn first_device() -> DeviceInfo {
    find_device("auto").unwrap_or_else(|error| panic!("these tests need an adapter: {error}"))
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

/// Breaks the device, once, when iteration `at` is done.
struct BreakAt {
    at: u32,
    device: wgpu::Device,
    broken: AtomicBool,
}

impl Progress for BreakAt {
    fn update(&self, done: u32, _: u32) {
        if done == self.at && !self.broken.swap(true, Ordering::Relaxed) {
            self.device.destroy();
        }
    }
}

#[test]
fn every_tile_gives_the_same_bits() {
    for tile in Tile::ALL {
        let engine = open(GpuOptions {
            tile: Some(tile),
            ..Default::default()
        });
        for n in [1, 4, 15, 16, 17, 65] {
            assert_equals_the_reference(&engine, &job(n, 3));
        }
    }
}

#[test]
fn a_lost_device_is_opened_again_and_the_job_goes_on() {
    let engine = open(GpuOptions::default());
    for at in [0, 1, 4, 7] {
        let device = engine.context.lock().unwrap().as_ref().unwrap().device.clone();
        let progress = BreakAt {
            at,
            device,
            broken: AtomicBool::new(false),
        };
        let computed = engine
            .run(&job(40, 8), &NoInputs, &progress, &CancelFlag::new())
            .unwrap();
        assert!(progress.broken.load(Ordering::Relaxed));
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
    engine.context.lock().unwrap().as_ref().unwrap().device.destroy();
    assert_equals_the_reference(&engine, &job(33, 3));
}

#[test]
fn small_limits_are_kept_to_by_cutting_the_matrices() {
    // The device refuses larger buffers and dispatches, and tells.
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
        Err(EngineError::Limit {
            limit: "bytes per buffer",
            needed: 8192,
            available: 4096
        })
    ));
    // The engine can still be used.
    assert_equals_the_reference(&engine, &job(100, 1));
}

#[test]
fn the_fastest_tile_is_found_by_trying() {
    let tile = fastest_tile(&first_device(), &GpuOptions::default()).unwrap();
    let engine = open(GpuOptions {
        tile: Some(tile),
        ..Default::default()
    });
    assert_equals_the_reference(&engine, &job(50, 2));
}
