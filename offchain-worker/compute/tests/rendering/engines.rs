use crate::{golden::still_life, scenes::scene, *};
use proptest::prelude::*;
use std::sync::Mutex;

proptest! {
    #![proptest_config(agora_test_support::cases(64))]

    #[test]
    fn both_engines_render_the_same_bits(
        scene in scene(), seed: [u8; 32], first_frame in 0u32..4, samples in 1u32..6, max_bounces in 0u32..12,
        width in 1u32..24, height in 2u32..24,
    ) {
        scene.validate().unwrap();
        let mut inputs = MemoryInputs::new();
        let blob = inputs.insert(scene.encode());
        let job = RenderingJob { seed, first_frame, samples, max_bounces, ..job(blob, width, height) };
        let [cpu, gpu] = engines().map(|engine| run(engine, job, &inputs).unwrap());
        prop_assert!(cpu == gpu, "{:?}", cpu.output.iter().zip(&gpu.output).position(|(a, b)| a != b));
    }

    #[test]
    fn scenes_are_the_same_after_encoding_and_decoding(scene in scene()) {
        prop_assert_eq!(agora_compute::scene::Scene::decode(&scene.encode()), Ok(scene));
    }
}

#[test]
fn a_region_of_some_frames_is_cut_out_of_the_whole() {
    let (inputs, scene) = still_life();
    let whole = RenderingJob {
        frames: 3,
        samples: 1,
        ..job(scene, 150, 20)
    };
    let region = Region {
        x: 61,
        y: 3,
        width: 70,
        height: 9,
    };
    let part = RenderingJob {
        region,
        first_frame: 1,
        frames: 2,
        ..whole
    };
    for engine in engines() {
        let [whole, part] = [whole, part].map(|job| run(engine, job, &inputs).unwrap());
        assert_eq!(part.state_digests.len(), 2 * 2 + 1);
        let row = |frame: usize, y: usize| (frame * 20 + y) * 150 * 3 + 61 * 3;
        let cut: Vec<u8> = (1..3)
            .flat_map(|frame| (3..12).map(move |y| row(frame, y)))
            .flat_map(|start| whole.output[start..start + 210].to_vec())
            .collect();
        assert!(part.output == cut);
    }
}

#[test]
fn progress_counts_tiles_without_falling_back() {
    let (inputs, scene) = still_life();
    let job = RenderingJob {
        frames: 2,
        samples: 1,
        ..job(scene, 130, 65)
    };
    for engine in engines() {
        let seen = Mutex::new(Vec::new());
        let listen = |done: u32, total: u32| seen.lock().unwrap().push((done, total));
        engine.run(&spec(job), &inputs, &listen, &CancelFlag::new()).unwrap();
        let expected: Vec<_> = (0..=12).map(|done| (done, 12)).collect();
        assert_eq!(*seen.lock().unwrap(), expected, "{}", engine.name());
    }
}

#[test]
fn a_cancelled_job_stops_and_leaves_the_engine_usable() {
    let (inputs, scene) = still_life();
    let long = RenderingJob {
        frames: 50,
        samples: 64,
        ..job(scene, 128, 128)
    };
    for engine in engines() {
        let cancel = CancelFlag::new();
        let stop_at_two = |done: u32, _: u32| {
            if done == 2 {
                cancel.cancel();
            }
        };
        let result = engine.run(&spec(long), &inputs, &stop_at_two, &cancel);
        assert!(matches!(result, Err(EngineError::Cancelled)), "{}", engine.name());
        run(engine, job(scene, 8, 8), &inputs).unwrap();
    }
}

#[test]
fn jobs_without_their_scene_are_refused() {
    let mut inputs = MemoryInputs::new();
    let nonsense = inputs.insert(*b"AGSD");
    let missing = BlobRef {
        hash: [1; 32].into(),
        size: 100,
    };
    for engine in engines() {
        let error = run(engine, job(missing, 8, 8), &inputs).unwrap_err();
        assert!(matches!(error, EngineError::Input(_)), "{error}");
        let error = run(engine, job(nonsense, 8, 8), &inputs).unwrap_err();
        assert!(matches!(error, EngineError::Scene(_)), "{error}");
        assert!(!error.is_recoverable());
        let error = run(engine, job(nonsense, 8, 0), &inputs).unwrap_err();
        assert!(matches!(error, EngineError::Job(_)), "{error}");
    }
}
