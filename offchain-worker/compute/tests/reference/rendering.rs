//! Rendering, of random scenes and of scenes that break rules.

use super::{Contents, scenes::scene};
use agora_compute::{
    BlobRef, JobKind, Region, RenderingJob,
    scene::{MAX_BOX, Scene, Triangle},
};
use agora_primitives::job::Claim;
use proptest::{prelude::*, sample::Index, strategy::ValueTree};

prop_compose! {
    /// Small images, some of them of several tiles.
    fn jobs()(
        size in prop_oneof![4 => (1u32..9, 1u32..9), 1 => (65u32..140, 1u32..3), 1 => (1u32..3, 65u32..140)],
        (left, above, right, below) in (0u32..5, 0u32..5, 0u32..5, 0u32..5),
        first_frame in 0u32..4, frames in 1u32..3, samples in 1u32..4, max_bounces in prop_oneof![0u32..8, Just(64)],
        max_steps in prop_oneof![1u32..300, Just(4096)], seed: [u8; 32],
    ) -> RenderingJob {
        let (width, height) = size;
        let (whole_width, whole_height) = (left + width + right, above + height + below);
        RenderingJob {
            scene: BlobRef::to(&[]),
            seed,
            // At most 16 times as wide as high.
            width: whole_width,
            height: whole_height.max(whole_width.div_ceil(16)),
            region: Region { x: left, y: above, width, height },
            first_frame,
            frames,
            samples,
            max_bounces,
            max_steps,
        }
    }
}

/// What engine and reference say of `job` with `scene`.
fn compute(job: RenderingJob, scene: Vec<u8>) -> Claim {
    let mut contents = Contents::default();
    let job = RenderingJob {
        scene: contents.insert(scene),
        ..job
    };
    contents
        .compute(JobKind::Rendering(job))
        .expect("within the limits")
        .claim
}

/// A small job for scenes that may be unusable.
fn tiny() -> RenderingJob {
    RenderingJob {
        scene: BlobRef::to(&[]),
        seed: [3; 32],
        width: 4,
        height: 3,
        region: Region {
            x: 0,
            y: 0,
            width: 4,
            height: 3,
        },
        first_frame: 1,
        frames: 1,
        samples: 1,
        max_bounces: 4,
        max_steps: 200,
    }
}

/// Numbers, and those near the bounds of some field.
fn words() -> impl Strategy<Value = u32> {
    prop_oneof![
        0u32..9,
        any::<u32>(),
        (0u32..32, 0u32..3).prop_map(|(bit, by)| (1u32 << bit).wrapping_add(by).wrapping_sub(1)),
    ]
}

proptest! {
    #![proptest_config(agora_test_support::cases(192))]

    #[test]
    fn rendering_is_that_of_the_reference(job in jobs(), scene in scene()) {
        prop_assert!(compute(job, scene.encode()) != Claim::Unusable);
    }

    #[test]
    fn rendering_with_untrue_boxes_is_that_of_the_reference(
        job in jobs(), scene in scene(),
        changes in prop::collection::vec((any::<Index>(), 0..3usize, -MAX_BOX..=MAX_BOX, -MAX_BOX..=MAX_BOX, 0..3u16), 0..8),
        is_near: bool,
    ) {
        let mut scene = scene;
        for (place, i, one, other, axis) in changes {
            let Some(last) = scene.nodes.len().checked_sub(1) else { continue };
            let node = &mut scene.nodes[place.index(last + 1)];
            let scale = if is_near { 7 } else { 0 };
            (node.low[i], node.high[i]) = (one.min(other) >> scale, one.max(other) >> scale);
            node.axis = if node.count == 0 { axis } else { 0 };
        }
        prop_assert!(compute(job, scene.encode()) != Claim::Unusable);
    }
}

proptest! {
    #![proptest_config(agora_test_support::cases(768))]

    #[test]
    fn changed_scenes_are_refused_alike(
        scene in scene(), words in prop::collection::vec((any::<Index>(), words()), 1..3),
        header in prop::option::of((0usize..24, words())), cut in 0usize..40, is_cut in prop::bool::weighted(0.1),
    ) {
        let mut bytes = scene.encode();
        let count = bytes.len() / 2;
        for (at, word) in words {
            // Normals are of two bytes each, so words begin at even places.
            let at = (2 * at.index(count)).min(bytes.len() - 4);
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        if let Some((at, word)) = header {
            bytes[4 * at..4 * at + 4].copy_from_slice(&word.to_le_bytes());
        }
        if is_cut {
            bytes.truncate(bytes.len() - cut);
        }
        let expected = Scene::decode(&bytes).is_ok();
        prop_assert_eq!(compute(tiny(), bytes) != Claim::Unusable, expected);
    }

    #[test]
    fn changed_hierarchies_are_refused_alike(
        scene in scene(), changes in prop::collection::vec((any::<Index>(), 0..6usize, any::<u32>(), 0..9u32), 1..4),
    ) {
        let mut scene = scene;
        for (place, field, any, near) in changes {
            let Some(last) = scene.nodes.len().checked_sub(1) else { continue };
            let place = place.index(last + 1);
            let node = &mut scene.nodes[place];
            match field {
                0 => node.at = near,
                1 => node.at = any,
                2 => node.count = near as u16,
                3 => node.axis = near as u16,
                4 => {
                    scene.nodes.remove(place);
                }
                _ => node.low[1] = any.cast_signed(),
            }
        }
        let expected = scene.validate().is_ok();
        prop_assert_eq!(compute(tiny(), scene.encode()) != Claim::Unusable, expected);
    }
}

/// So many triangles that each table has many chunks, and the nodes and triangles more than one scan.
#[test]
fn a_large_scene_is_that_of_the_reference() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let small = scene().new_tree(&mut runner).unwrap().current();
    let number = |at: u32| (at.wrapping_mul(2_654_435_761) >> 15) as i32 % (3 << 16);
    let vertices: Vec<[i32; 3]> = (0..30_000)
        .map(|i| [number(3 * i), number(3 * i + 1), number(3 * i + 2)])
        .collect();
    let triangles = (0..40_000u32).map(|i| Triangle {
        vertices: [i % 30_000, (i * 7 + 1) % 30_000, (i * 13 + 2) % 30_000],
        normals: (i % 3 == 0).then_some([0; 3]),
        material: i % small.materials.len() as u32,
    });
    let scene = Scene {
        vertices,
        triangles: triangles.collect(),
        ..small
    };
    let bytes = scene.arranged().encode();
    assert!(bytes.len() > 2 << 20);
    assert!(
        compute(
            RenderingJob {
                max_steps: 2048,
                ..tiny()
            },
            bytes
        ) != Claim::Unusable
    );
}
