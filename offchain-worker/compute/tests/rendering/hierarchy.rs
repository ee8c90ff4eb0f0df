//! Hierarchies that are no tree, that lie, or that make rays expensive.

use crate::{golden::still_life, scenes::scene, *};
use agora_compute::{
    Inputs,
    scene::{MAX_BOX, MAX_DEPTH, MAX_LEAF, Node, Scene, SceneError, Sphere},
};
use proptest::{prelude::*, sample::Index};

const ALL: i32 = MAX_BOX;

fn node(at: u32, count: u16, axis: u16) -> Node {
    Node {
        low: [-ALL; 3],
        at,
        high: [ALL; 3],
        count,
        axis,
    }
}

/// Some spheres, one in each leaf, and each leaf one level below the last one.
fn chain(spheres: u32) -> Scene {
    chain_of(spheres, 1)
}

/// Some spheres, `size` in each leaf, and each leaf one level below the last one.
fn chain_of(spheres: u32, size: u32) -> Scene {
    let (inputs, blob) = still_life();
    let mut scene = Scene::decode(&inputs.get(&blob).unwrap()).unwrap();
    scene.triangles.clear();
    scene.spheres = (0..spheres as i32)
        .map(|i| Sphere {
            centre: [(i % 7 - 3) << 16, 1 << 16, (i - 20) << 14],
            radius: 1 << 16,
            material: i.cast_unsigned() % 5,
        })
        .collect();
    let leaves = spheres.div_ceil(size);
    let leaf = |i: u32| node(i * size, size.min(spheres - i * size) as u16, 0);
    scene.nodes = (0..leaves - 1)
        .flat_map(|i| [node(2 * i + 2, 0, (i % 3) as u16), leaf(i)])
        .chain([leaf(leaves - 1)])
        .collect();
    scene
}

/// What both engines say of an image of `scene`; they must say the same.
fn on_both(scene: &Scene, max_steps: u32) -> Result<Vec<u8>, EngineError> {
    let mut inputs = MemoryInputs::new();
    let job = RenderingJob {
        max_steps,
        ..job(inputs.insert(scene.encode()), 16, 12)
    };
    let [cpu, gpu] = engines().map(|engine| run(engine, job, &inputs));
    match (cpu, gpu) {
        (Ok(cpu), Ok(gpu)) => {
            assert!(cpu == gpu, "the engines differ");
            Ok(cpu.output)
        }
        (Err(cpu), Err(gpu)) => {
            assert_eq!(cpu.to_string(), gpu.to_string());
            Err(cpu)
        }
        (cpu, gpu) => panic!("the engines differ: {:?}, {:?}", cpu.err(), gpu.err()),
    }
}

/// Asserts that a change of the hierarchy over three spheres is refused because of `what`, number `index`.
fn assert_refused(what: &str, index: usize, change: impl Fn(&mut Scene)) {
    let mut scene = chain(3);
    scene.validate().unwrap();
    change(&mut scene);
    let refused = Scene::decode(&scene.encode());
    let Err(SceneError::Refused {
        what: found, index: at, ..
    }) = refused
    else {
        panic!("{what} {index}: {refused:?}")
    };
    assert_eq!((found, at), (what, index));
    let error = on_both(&scene, 100).unwrap_err();
    assert!(
        matches!(error, EngineError::Scene(SceneError::Refused { .. })),
        "{error}"
    );
}

#[test]
fn second_children_that_are_not_where_the_tree_puts_them_are_refused() {
    // Backward, at itself, its first child, beyond the end, across another branch.
    assert_refused("node", 2, |scene| scene.nodes[2].at = 1);
    assert_refused("node", 2, |scene| scene.nodes[2].at = 2);
    assert_refused("node", 0, |scene| scene.nodes[0].at = 0);
    assert_refused("node", 0, |scene| scene.nodes[0].at = 1);
    assert_refused("node", 0, |scene| scene.nodes[0].at = 5);
    assert_refused("node", 0, |scene| scene.nodes[0].at = u32::MAX);
    assert_refused("node", 1, |scene| scene.nodes[0].at = 3);
    // A parent in place of a leaf, and a leaf in place of a parent.
    assert_refused("node", 1, |scene| scene.nodes[1].count = 0);
    assert_refused("node", 2, |scene| scene.nodes[2] = node(1, 1, 0));
    // Within a branch, the second child of an outer node.
    assert_refused("node", 1, |scene| {
        scene.nodes[1] = node(2, 0, 0);
    });
}

#[test]
fn trees_that_end_too_early_or_too_late_are_refused() {
    assert_refused("node", 2, |scene| scene.nodes.truncate(4));
    assert_refused("hierarchy", 0, |scene| scene.nodes.clear());
    assert_refused("node", 4, |scene| scene.nodes.push(node(3, 1, 0)));
    assert_refused("hierarchy", 0, |scene| scene.spheres.push(scene.spheres[0]));
    assert_refused("node", 4, |scene| scene.spheres.truncate(2));
    assert_refused("node", 1, |scene| scene.spheres.clear());
}

#[test]
fn leaves_that_repeat_or_leave_out_shapes_are_refused() {
    assert_refused("node", 3, |scene| scene.nodes[3].at = 0);
    assert_refused("node", 3, |scene| scene.nodes[3].at = 2);
    assert_refused("node", 3, |scene| scene.nodes[1].count = 2);
    assert_refused("node", 1, |scene| scene.nodes[1].count = 4);
    assert_refused("node", 1, |scene| scene.nodes[1].count = MAX_LEAF + 1);
    assert_refused("node", 4, |scene| scene.nodes[4].at = u32::MAX);
    // A leaf of a triangle and a sphere.
    assert_refused("node", 0, |scene| {
        scene.triangles = Scene::decode(&still_life().0.get(&still_life().1).unwrap())
            .unwrap()
            .triangles;
        scene.triangles.truncate(1);
        scene.nodes = vec![node(0, 4, 0)];
    });
}

#[test]
fn boxes_and_axes_out_of_range_are_refused() {
    assert_refused("node", 0, |scene| scene.nodes[0].axis = 3);
    assert_refused("node", 1, |scene| scene.nodes[1].axis = 1);
    for i in 0..3 {
        assert_refused("node", 2, |scene| {
            (scene.nodes[2].low[i], scene.nodes[2].high[i]) = (1, 0)
        });
        assert_refused("node", 3, |scene| scene.nodes[3].low[i] = -ALL - 1);
        assert_refused("node", 3, |scene| scene.nodes[3].low[i] = i32::MIN);
        assert_refused("node", 4, |scene| scene.nodes[4].high[i] = ALL + 1);
    }
}

#[test]
fn trees_of_forty_levels_are_rendered_and_deeper_ones_refused() {
    for position in [[0, 2 << 16, 6 << 16], [0, 2 << 16, -30 << 16]] {
        // Seen from one side the first children are entered first, from the other one the second.
        let images = [1, 3, 8].map(|size| {
            let mut scene = chain_of(MAX_DEPTH as u32 + 1, size);
            scene.keyframes.truncate(1);
            scene.keyframes[0].position = position;
            assert_eq!(Scene::decode(&scene.encode()), Ok(scene.clone()));
            on_both(&scene, 4096).unwrap()
        });
        assert!(images[0] == images[1] && images[1] == images[2]);
    }
    let error = on_both(&chain(MAX_DEPTH as u32 + 2), 4096).unwrap_err().to_string();
    assert!(error.contains("deeper than 40"), "{error}");
}

#[test]
fn what_a_box_leaves_out_is_hidden_on_every_engine() {
    let mut lying = chain(3);
    (lying.nodes[0].low, lying.nodes[0].high) = ([ALL; 3], [ALL; 3]);
    let hidden = on_both(&lying, 1000).unwrap();
    assert!(hidden != on_both(&chain(3), 1000).unwrap());
    // Nothing is looked for beyond the root: a step for each of at most twelve rays.
    assert!(hidden == on_both(&lying, 12).unwrap());
}

proptest! {
    #![proptest_config(agora_test_support::cases(64))]

    #[test]
    fn engines_agree_on_untrue_boxes_and_few_steps(
        scene in scene(), max_steps in 1u32..200, fixed in any::<bool>(),
        changes in prop::collection::vec((any::<Index>(), 0..3usize, -ALL..=ALL, -ALL..=ALL, 0..3u16), 0..8),
    ) {
        let mut scene = scene;
        for (place, i, one, other, axis) in changes {
            let Some(last) = scene.nodes.len().checked_sub(1) else { continue };
            let node = &mut scene.nodes[place.index(last + 1)];
            let scale = if fixed { 7 } else { 0 };
            (node.low[i], node.high[i]) = (one.min(other) >> scale, one.max(other) >> scale);
            node.axis = if node.count == 0 { axis } else { 0 };
        }
        scene.validate().unwrap();
        on_both(&scene, max_steps).unwrap();
    }

    #[test]
    fn engines_agree_on_nodes_of_any_bytes(
        scene in scene(), changes in prop::collection::vec((any::<Index>(), 0..4usize, any::<u32>(), 0..6u32), 1..4),
    ) {
        let mut scene = scene;
        for (place, field, any, near) in changes {
            let Some(last) = scene.nodes.len().checked_sub(1) else { continue };
            let node = &mut scene.nodes[place.index(last + 1)];
            match field {
                0 => node.at = near,
                1 => node.at = any,
                2 => node.count = near as u16,
                _ => node.low[1] = any.cast_signed(),
            }
        }
        let valid = scene.validate();
        match on_both(&scene, 300) {
            Ok(_) => prop_assert_eq!(valid, Ok(())),
            Err(EngineError::Scene(error)) => prop_assert_eq!(valid, Err(error)),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
    }
}
