//! Rays through pixels.

use super::*;
use agora_jobs::{BlobRef, Region};

fn camera(frame: u32, around: (Option<Keyframe>, Option<Keyframe>)) -> Camera {
    let region = Region {
        x: 0,
        y: 0,
        width: 1,
        height: 1,
    };
    let job = RenderingJob {
        scene: BlobRef::to(&[]),
        seed: [0; 32],
        width: 1,
        height: 1,
        region,
        first_frame: 0,
        frames: 1,
        samples: 1,
        max_bounces: 0,
        max_steps: 1,
    };
    Camera::of(&job, frame, around)
}

const WIDE: Keyframe = Keyframe {
    frame: 10,
    position: [0, 0, 100],
    target: [0; 3],
    tangent: 1 << 18,
    aperture: 0,
    focus: 1 << 16,
};

#[test]
fn the_upper_half_of_a_word_is_the_place_in_the_pixel() {
    let camera = camera(0, (Some(WIDE), None));
    let direction = |w0: u32, w1: u32| camera.ray(0, 0, [w0, w1, 0, 0]).direction;
    assert_eq!(direction(0xffff, 0xffff), direction(0, 0));
    assert_ne!(direction(1 << 16, 0), direction(0, 0));
    assert_ne!(direction(0, 1 << 16), direction(0, 0));
    // From left to right, and from top to bottom: the camera looks along −z.
    let ([x0, y0, _], [x1, y1, _]) = (direction(0, 0), direction(u32::MAX, u32::MAX));
    assert!(x0 < x1 && y0 > y1);
}

#[test]
fn between_keyframes_numbers_are_rounded_down() {
    let last = Keyframe {
        frame: 13,
        position: [1, -1, 100],
        ..WIDE
    };
    let position = |frame| camera(frame, (Some(WIDE), Some(last))).position;
    assert_eq!(position(10), ints([0, 0, 100]));
    assert_eq!(position(11), ints([0, -1, 100]));
    assert_eq!(position(12), ints([0, -1, 100]));
    for around in [(Some(last), None), (None, Some(last))] {
        assert_eq!(camera(99, around).position, ints([1, -1, 100]));
    }
}
