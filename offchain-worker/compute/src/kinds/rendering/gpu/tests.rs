mod crowd;

use super::{super::tiles::Pixel, *};
use crate::{
    CancelFlag, CpuEngine, Engine, GpuEngine, GpuOptions, JobKind, JobSpec, MemoryInputs,
    device::testing::{BreakAt, first_device},
};
use agora_primitives::job::{BlobRef, Region};
use proptest::prelude::*;

/// The scene of the first golden vector.
fn still_life() -> (MemoryInputs, BlobRef) {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../../../../tests/vectors/rendering.json")).unwrap();
    let mut inputs = MemoryInputs::new();
    let blob = inputs.insert(hex::decode(vectors[0]["scene"].as_str().unwrap()).unwrap());
    (inputs, blob)
}

#[test]
fn tiles_that_are_done_survive_the_loss_of_the_device() {
    let (inputs, scene) = still_life();
    let job = JobSpec::V2(JobKind::Rendering(RenderingJob {
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
        max_steps: 1024,
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

/// Some pixels of each of three frames, a few of them twice.
fn pixels(job: &RenderingJob) -> Vec<Pixel> {
    let numbers = (0..job.pixels() as usize).filter(|number| number * number % 7 < 3);
    numbers.map(|number| Pixel::of(job, number - number % 2)).collect()
}

#[test]
fn single_pixels_are_rendered_as_on_the_processor() {
    let (inputs, scene) = still_life();
    let job = RenderingJob {
        scene,
        seed: [6; 32],
        width: 90,
        height: 70,
        region: Region {
            x: 5,
            y: 3,
            width: 80,
            height: 61,
        },
        first_frame: 2,
        frames: 3,
        samples: 3,
        max_bounces: 3,
        max_steps: 1024,
    };
    let renderer = Renderer::open(&job, &inputs).unwrap();
    let pixels = pixels(&job);
    let colour = |pixel: &Pixel| renderer.colour(&renderer.tracer(pixel.frame), pixel.place);
    let right: Vec<u8> = pixels.iter().flat_map(colour).collect();
    let cancel = CancelFlag::new();
    let run = Run {
        inputs: &inputs,
        progress: &crate::NoProgress,
        cancel: &cancel,
    };
    for (max_workgroups, nanoseconds) in [(None, None), (None, Some(1_000_000_000)), (Some(5), None)] {
        let options = GpuOptions {
            max_workgroups,
            ..Default::default()
        };
        let engine = GpuEngine::open(&first_device(), &options).unwrap();
        let context = engine.gpu().device().context().unwrap();
        if let Some(nanoseconds) = nanoseconds {
            context.watch.pretend(nanoseconds);
        }
        let render = || render_pixels(engine.gpu(), &renderer, &pixels, &run).unwrap();
        assert!(render() == right, "{max_workgroups:?} {nanoseconds:?}");
        let work: u64 = context.watch.take().iter().sum();
        // Each frame ends with a workgroup that is not full.
        let least = 3 * (pixels.len() / 64) as u64;
        assert!((least..least + 3 * 30).contains(&work), "{work}");
        context.device.destroy();
        assert!(render() == right);
    }
    assert_eq!(
        render_pixels(
            GpuEngine::open(&first_device(), &GpuOptions::default()).unwrap().gpu(),
            &renderer,
            &[],
            &run
        )
        .unwrap(),
        [0; 0]
    );
}

#[test]
fn a_scene_larger_than_the_devices_buffers_is_refused() {
    let (inputs, scene) = still_life();
    let job = JobSpec::V2(JobKind::Rendering(RenderingJob {
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
        max_steps: 1024,
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

proptest! {
    #[test]
    fn parts_add_up_each_path_of_each_pixel_once_and_keep_to_the_amount(
        tiles in 1u32..7, samples in 1u32..9, amounts in prop::collection::vec(1u64..4000, 1..40),
    ) {
        let mut count = vec![0u8; (tiles * TILE_GROUPS * samples) as usize];
        let (mut done, mut first) = (0, 0);
        for amount in amounts.into_iter().cycle() {
            if done == samples {
                break;
            }
            let part = Part::after(done, first, amount, tiles, samples);
            prop_assert!((1..=amount).contains(&part.work()), "{part:?}");
            let [x, y, z] = part.workgroups;
            prop_assert!(part.first % ROW_GROUPS + x <= ROW_GROUPS);
            prop_assert!(part.first % TILE_GROUPS / ROW_GROUPS + y <= ROW_GROUPS);
            prop_assert!(part.first / TILE_GROUPS + z <= tiles);
            for group in 0..part.groups() {
                // As the shader does.
                let [column, row, tile] = [group % x, group / x % y, group / x / y];
                let place = part.first + tile * TILE_GROUPS + row * ROW_GROUPS + column;
                for sample in part.samples.clone() {
                    count[(place * samples + sample) as usize] += 1;
                }
            }
            first += part.groups();
            if first == tiles * TILE_GROUPS {
                (done, first) = (part.samples.end, 0);
            }
        }
        prop_assert!(count.iter().all(|&times| times == 1));
    }
}

proptest! {
    #[test]
    fn parts_of_a_list_add_up_each_path_of_each_pixel_once_and_keep_to_the_amount(
        groups in 1u32..50, samples in 1u32..9, amounts in prop::collection::vec(1u64..4000, 1..40),
    ) {
        let mut count = vec![0u8; (groups * samples) as usize];
        let (mut done, mut first) = (0, 0);
        for amount in amounts.into_iter().cycle() {
            if done == samples {
                break;
            }
            let part = Part::after_of_list(done, first, amount, groups, samples);
            prop_assert!((1..=amount).contains(&part.work()), "{part:?}");
            prop_assert_eq!(part.workgroups[1..].to_vec(), [1, 1]);
            for group in part.first..part.first + part.groups() {
                for sample in part.samples.clone() {
                    count[(group * samples + sample) as usize] += 1;
                }
            }
            first += part.groups();
            if first == groups {
                (done, first) = (part.samples.end, 0);
            }
        }
        prop_assert!(count.iter().all(|&times| times == 1));
    }
}

#[test]
fn expensive_paths_come_in_small_submissions_and_cheap_ones_in_large_ones() {
    let (inputs, scene) = still_life();
    let job = JobSpec::V2(JobKind::Rendering(RenderingJob {
        scene,
        seed: [5; 32],
        width: 192,
        height: 128,
        region: Region {
            x: 0,
            y: 0,
            width: 192,
            height: 128,
        },
        first_frame: 0,
        frames: 1,
        samples: 4,
        max_bounces: 2,
        max_steps: 1024,
    }));
    let right = CpuEngine::new()
        .run(&job, &inputs, &crate::NoProgress, &CancelFlag::new())
        .unwrap();
    let engine = GpuEngine::open(&first_device(), &GpuOptions::default()).unwrap();
    let context = engine.gpu().device().context().unwrap();
    // Six tiles of 64 workgroups, four paths: a unit of work each.
    let all: u64 = 6 * 64 * 4;
    let mut counts = Vec::new();
    for nanoseconds in [1, 4_000_000, 1_000_000_000] {
        context.watch.pretend(nanoseconds);
        context.watch.take();
        let computed = engine
            .run(&job, &inputs, &crate::NoProgress, &CancelFlag::new())
            .unwrap();
        assert!(computed == right, "{nanoseconds}");
        let submissions: Vec<u64> = context.watch.take().into_iter().filter(|&work| work > 0).collect();
        assert_eq!(submissions.iter().sum::<u64>(), all);
        // At first nothing is known: two submissions of eight.
        let late = submissions.iter().skip(2);
        assert!(
            late.clone().all(|work| work * nanoseconds <= 50_000_000 || *work == 1),
            "{submissions:?}"
        );
        counts.push(submissions.len());
    }
    // The pace doubles, or is eight workgroups, or one.
    assert!(
        counts[0] < 40 && (all / 12..all / 4).contains(&(counts[1] as u64)),
        "{counts:?}"
    );
    assert!(counts[2] as u64 > all - 20, "{counts:?}");
}
