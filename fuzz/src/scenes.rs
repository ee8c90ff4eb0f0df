//! What must hold of bytes that claim to be a scene: they are refused, or the one encoding of a scene within the limits of
//! `docs/protocol/rendering.md`, which are written down here a second time, and it is rendered without an overflow.

use crate::running::{compute, insert};
use agora_compute::{
    JobKind, MemoryInputs, Region, RenderingJob,
    scene::{Material, Scene},
};

/// Checks bytes as a scene, and returns it if it is one.
pub fn check_scene(bytes: &[u8]) -> Option<Scene> {
    let scene = Scene::decode(bytes).ok()?;
    assert!(scene.encode() == bytes, "one scene, one encoding");
    check_scene_limits(&scene);
    let mut inputs = MemoryInputs::new();
    let job = RenderingJob {
        scene: insert(&mut inputs, bytes.to_vec()),
        seed: [9; 32],
        width: 3,
        height: 3,
        region: Region {
            x: 0,
            y: 0,
            width: 3,
            height: 3,
        },
        first_frame: 1,
        frames: 1,
        samples: 1,
        max_bounces: 8,
        max_steps: 100,
    };
    compute(JobKind::Rendering(job), &inputs).expect("a valid scene is rendered");
    Some(scene)
}

/// Checks that an accepted scene is within the limits of `docs/protocol/rendering.md`.
pub fn check_scene_limits(scene: &Scene) {
    let [materials, vertices, normals] = [scene.materials.len(), scene.vertices.len(), scene.normals.len()];
    assert!((1..=1024).contains(&materials) && scene.spheres.len() <= 1024 && scene.planes.len() <= 16);
    assert!(vertices <= 1 << 20 && normals <= 1 << 20 && scene.triangles.len() <= 1 << 20);
    let sky = [scene.sky.zenith, scene.sky.horizon, scene.sky.ground];
    assert!(sky.iter().flatten().all(|&light| light <= 1 << 22));
    assert!((1..=1 << 22).contains(&scene.exposure) && (1..1 << 20).contains(&scene.clamp));
    scene.materials.iter().for_each(check_material);
    let is_in_space = |place: &[i32; 3]| place.iter().all(|c| (-(1 << 25)..=1 << 25).contains(c));
    let is_material = |material: u32| (material as usize) < materials;
    for sphere in &scene.spheres {
        assert!(is_in_space(&sphere.centre) && (1..=1 << 25).contains(&sphere.radius) && is_material(sphere.material));
    }
    for plane in &scene.planes {
        let most = plane.normal.iter().map(|c| c.unsigned_abs()).max();
        assert!(most.is_some_and(|most| (1..=1 << 30).contains(&most)));
        assert!(is_in_space(&plane.point) && is_material(plane.material));
    }
    assert!(scene.vertices.iter().all(is_in_space));
    check_hierarchy(scene);
    for normal in &scene.normals {
        let most = normal.iter().map(|c| c.unsigned_abs()).max();
        assert!(most.is_some_and(|most| (1..=1 << 14).contains(&most)));
    }
    for triangle in &scene.triangles {
        let exist = |places: [u32; 3], count: usize| places.iter().all(|&place| (place as usize) < count);
        assert!(exist(triangle.vertices, vertices) && is_material(triangle.material));
        assert!(triangle.normals.is_none_or(|places| exist(places, normals)));
    }
    assert!((1..=4096).contains(&scene.keyframes.len()));
    assert!(scene.keyframes.is_sorted_by(|one, next| one.frame < next.frame));
    for keyframe in &scene.keyframes {
        assert!(is_in_space(&keyframe.position) && is_in_space(&keyframe.target));
        assert!(keyframe.position != keyframe.target && (1..=1 << 18).contains(&keyframe.tangent));
        assert!((1..=1 << 25).contains(&keyframe.focus) && keyframe.aperture <= keyframe.focus);
    }
}

/// Walks the tree from its root: that needs no order, unlike the check of the engine.
fn check_hierarchy(scene: &Scene) {
    let shapes = scene.triangles.len() + scene.spheres.len();
    let (mut in_leaf, mut seen) = (vec![false; shapes], vec![false; scene.nodes.len()]);
    let mut waiting = vec![];
    waiting.extend((shapes > 0).then_some((0, 0)));
    while let Some((place, depth)) = waiting.pop() {
        let node = &scene.nodes[place];
        assert!(!std::mem::replace(&mut seen[place], true) && depth <= 40 && node.axis < 3);
        assert!((0..3).all(|i| -(1 << 27) <= node.low[i] && node.low[i] <= node.high[i] && node.high[i] <= 1 << 27));
        if node.count == 0 {
            assert!(node.at as usize > place + 1);
            waiting.extend([(place + 1, depth + 1), (node.at as usize, depth + 1)]);
            continue;
        }
        let (first, count) = (node.at as usize, usize::from(node.count));
        let is_triangle = first < scene.triangles.len();
        assert!(count <= 8 && node.axis == 0 && (first + count <= scene.triangles.len()) == is_triangle);
        for is_there in &mut in_leaf[first..first + count] {
            assert!(!std::mem::replace(is_there, true));
        }
    }
    assert!(in_leaf.iter().chain(&seen).all(|&is_there| is_there));
}

fn check_material(material: &Material) {
    let fractions = material.colour.iter().chain(&material.other_colour);
    assert!(fractions.chain([&material.roughness]).all(|&part| part <= 1 << 15));
    assert!(material.pattern <= 25 && (1 << 16..=163_840).contains(&material.index));
    assert!(material.emission.iter().all(|&light| light <= 1 << 26));
}
