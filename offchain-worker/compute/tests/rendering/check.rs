use crate::{golden::still_life, scenes::scene, *};
use agora_compute::{Place, Verdict};
use proptest::prelude::*;

proptest! {
    #![proptest_config(agora_test_support::cases(48))]

    #[test]
    fn honest_images_pass(scene in scene(), seed: [u8; 32], width in 1u32..40, height in 3u32..40) {
        let mut inputs = MemoryInputs::new();
        let blob = inputs.insert(scene.encode());
        let job = job(blob, width, height);
        let output = run(&CPU, job, &inputs).unwrap().output;
        prop_assert_eq!(opened::check(&spec(job), &inputs, &output, &seed), Verdict::Right);
    }
}

#[test]
fn in_small_images_every_wrong_byte_is_found_and_the_first_is_named() {
    let (inputs, scene) = still_life();
    let job = RenderingJob {
        frames: 2,
        ..job(scene, 8, 16)
    };
    let output = run(&CPU, job, &inputs).unwrap().output;
    let check = |output: &[u8]| CPU.check_output(&spec(job), &inputs, output, &[3; 32]).unwrap();
    for place in 0..output.len() {
        let mut wrong = output.clone();
        wrong[place] ^= 1;
        assert_eq!(check(&wrong), Verdict::Wrong(Place::Byte(place as u64)));
        // A later wrong byte changes nothing.
        if let Some(last) = wrong[place + 1..].last_mut() {
            *last ^= 4;
            assert_eq!(check(&wrong), Verdict::Wrong(Place::Byte(place as u64)));
        }
    }
    for length in [0, output.len() - 1, output.len() + 1] {
        let mut other = output.clone();
        other.resize(length, 0);
        let (expected, found) = (output.len() as u64, length as u64);
        assert_eq!(check(&other), Verdict::Wrong(Place::Length { expected, found }));
    }
}

/// A device renders the drawn pixels here: 320 of each frame.
#[test]
fn both_engines_name_the_same_place_in_large_images() {
    let (inputs, scene) = still_life();
    let job = RenderingJob {
        region: Region {
            x: 10,
            y: 20,
            width: 160,
            height: 128,
        },
        first_frame: 3,
        frames: 3,
        samples: 1,
        max_bounces: 2,
        ..job(scene, 200, 150)
    };
    let right = run(&CPU, job, &inputs).unwrap().output;
    let check = |output: &[u8], seed: u8| opened::check(&spec(job), &inputs, output, &[seed; 32]);
    assert_eq!(check(&right, 0), Verdict::Right);
    for seed in 0..8 {
        // From some place on, every third pixel is wrong.
        let from = right.len() / 8 * usize::from(seed);
        let mut wrong = right.clone();
        wrong[from..].iter_mut().step_by(9).for_each(|byte| *byte ^= 0x40);
        let Verdict::Wrong(Place::Byte(at)) = check(&wrong, seed) else {
            panic!("seed {seed}: nothing was found");
        };
        assert!(
            at >= from as u64 && wrong[at as usize] != right[at as usize],
            "seed {seed}: byte {at}"
        );
    }
}

#[test]
fn in_large_images_wrong_pixels_are_found_as_often_as_is_said() {
    let (inputs, scene) = still_life();
    // 256 of 4096 pixels are drawn.
    let job = RenderingJob {
        samples: 1,
        max_bounces: 2,
        ..job(scene, 64, 64)
    };
    let output = run(&CPU, job, &inputs).unwrap().output;
    let found = |wrong_pixels: usize| {
        let mut wrong = output.clone();
        for pixel in 0..wrong_pixels {
            wrong[3 * (pixel * 4096 / wrong_pixels)] ^= 0x80;
        }
        let seeds = (0..200u8).map(|i| [i; 32]);
        seeds
            .filter(|seed| !CPU.check_output(&spec(job), &inputs, &wrong, seed).unwrap().is_right())
            .count()
    };
    // 1 in 16: mean 12.5, standard deviation 3.4.
    let single = found(1);
    assert!((2..28).contains(&single), "{single}");
    // 1 % of the pixels: passes with a probability of (1 − 0.01)²⁵⁶ = 0.08 at most.
    let some = found(41);
    assert!(some > 170, "{some}");
    assert_eq!(found(400), 200);
}
