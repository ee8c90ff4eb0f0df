mod walks;

use super::*;
use crate::kinds::rendering::{
    scene::{Keyframe, Material, Plane, Scene, Sky, Sphere, Surface, Triangle},
    tracer::fixed::normalise,
};
use proptest::prelude::*;

const UNIT: i32 = 1 << 16;
/// More steps than any ray in these tests can take.
const MANY: u32 = 4096;

fn scene(vertices: Vec<[i32; 3]>, spheres: Vec<([i32; 3], u32)>, planes: Vec<([i32; 3], [i32; 3])>) -> Scene {
    let material = Material {
        surface: Surface::Diffuse,
        pattern: 0,
        roughness: 0,
        colour: [1 << 14; 3],
        other_colour: [0; 3],
        index: 1 << 16,
        emission: [0; 3],
    };
    Scene {
        sky: Sky {
            zenith: [0; 3],
            horizon: [0; 3],
            ground: [0; 3],
        },
        exposure: 1 << 16,
        clamp: 1 << 19,
        materials: vec![material],
        spheres: spheres
            .into_iter()
            .map(|(centre, radius)| Sphere {
                centre,
                radius,
                material: 0,
            })
            .collect(),
        planes: planes
            .into_iter()
            .map(|(point, normal)| Plane {
                point,
                normal,
                material: 0,
            })
            .collect(),
        triangles: (0..vertices.len() as u32 / 3)
            .map(|i| Triangle {
                vertices: [3 * i, 3 * i + 1, 3 * i + 2],
                normals: None,
                material: 0,
            })
            .collect(),
        vertices,
        normals: vec![],
        keyframes: vec![Keyframe {
            frame: 0,
            position: [0; 3],
            target: [0, 0, 1],
            tangent: 1 << 16,
            aperture: 0,
            focus: 1,
        }],
        nodes: vec![],
    }
    .arranged()
}

fn first_hit(geometry: &Geometry, ray: &Ray) -> Option<Hit> {
    geometry.first_hit(ray, &mut { MANY }).unwrap()
}

fn is_hit_before(geometry: &Geometry, ray: &Ray, distance: u32) -> bool {
    geometry.is_hit_before(ray, distance, &mut { MANY }).unwrap()
}

/// What `ray` hits first, found by trying everything.
fn by_trying_all(geometry: &Geometry, ray: &Ray) -> Option<Hit> {
    let primitives = (0..).zip(&geometry.primitives).filter_map(|(place, primitive)| {
        let distance = ray.to_primitive(primitive)?;
        Some(Hit { distance, place })
    });
    let planes = (geometry.primitives.len() as u32..)
        .zip(&geometry.planes)
        .filter_map(|(place, plane)| {
            let distance = ray.to_infinite_plane(plane)?;
            Some(Hit { distance, place })
        });
    primitives.chain(planes).min()
}

/// Coordinates near and far, and such that are equal for several points.
fn coordinate() -> impl Strategy<Value = i32> {
    prop_oneof![
        -4 * UNIT..4 * UNIT,
        -(1 << 25)..1 << 25,
        (-3..3i32).prop_map(|i| i * UNIT),
        Just(0)
    ]
}

fn position() -> impl Strategy<Value = [i32; 3]> {
    prop::array::uniform3(coordinate())
}

fn radius() -> impl Strategy<Value = u32> {
    prop_oneof![1..20u32, 1..2 * UNIT as u32, 1..=1u32 << 25]
}

fn direction() -> impl Strategy<Value = [i32; 3]> {
    let component = || prop_oneof![-(1 << 28)..1 << 28, -40_000..40_000, Just(0)];
    prop::array::uniform3(component()).prop_map(normalise)
}

proptest! {
    #![proptest_config(agora_test_support::cases(2000))]

    #[test]
    fn the_hierarchy_hides_no_hit(
        vertices in prop::collection::vec(position(), 0..90),
        spheres in prop::collection::vec((position(), radius()), 0..12),
        planes in prop::collection::vec((position(), direction()), 0..3),
        rays in prop::collection::vec((position(), direction(), any::<prop::sample::Index>()), 20),
        leaf_size in 1..=8usize,
    ) {
        let scene = scene(vertices, spheres, planes).with_leaves(leaf_size);
        prop_assert!(scene.nodes.iter().all(|node| usize::from(node.count) <= leaf_size));
        scene.validate().unwrap();
        let geometry = Geometry::new(&scene);
        for (origin, mut direction, target) in rays {
            if let Some(triangle) = scene.triangles.get(target.index(scene.triangles.len() + 1)) {
                // Aimed at a corner, where rounding matters most.
                direction = normalise(sub(scene.vertices[triangle.vertices[0] as usize], origin));
            }
            let ray = Ray::new(origin, direction);
            let hit = first_hit(&geometry, &ray);
            prop_assert_eq!(hit, by_trying_all(&geometry, &ray));
            let far = hit.map_or(MAX_DISTANCE, |hit| hit.distance);
            prop_assert!(!is_hit_before(&geometry, &ray, far));
            if hit.is_some() {
                prop_assert!(is_hit_before(&geometry, &ray, far + 1));
            }
        }
    }

    #[test]
    fn rays_at_a_point_of_a_triangle_or_sphere_hit_it_there(
        corners in prop::array::uniform3(prop::array::uniform3(-4 * UNIT..4 * UNIT)),
        origin in prop::array::uniform3(-8 * UNIT..8 * UNIT),
        weights in (1..100i64, 1..100i64, 1..100i64),
    ) {
        let (u, v, w) = weights;
        let target = [0, 1, 2].map(|i| {
            ((i64::from(corners[0][i]) * u + i64::from(corners[1][i]) * v + i64::from(corners[2][i]) * w) / (u + v + w)) as i32
        });
        let way = sub(target, origin);
        let exact = way.iter().map(|&c| f64::from(c).powi(2)).sum::<f64>().sqrt();
        prop_assume!(exact > 100.0);
        let ray = Ray::new(origin, normalise(way));
        let flat = Geometry::new(&scene(corners.to_vec(), vec![], vec![]));
        let [x, y, z, _] = flat.primitives[0].planes[0];
        prop_assume!([x, y, z] != [0; 3]);
        // Seen from the edge, the distance is not well defined.
        let slope = f64::from(dot([x, y, z], ray.direction).abs()) / f64::from(1 << 30);
        prop_assume!(slope > 0.01);
        let hit = first_hit(&flat, &ray);
        prop_assert!(hit.is_some_and(|hit| (f64::from(hit.distance) - exact).abs() < 4.0 / slope), "{:?} {}", hit, exact);

        let radius = 1000;
        let round = Geometry::new(&scene(vec![], vec![(target, radius)], vec![]));
        if exact > 1100.0 {
            let hit = first_hit(&round, &ray).unwrap();
            prop_assert!((f64::from(hit.distance) - (exact - 1000.0)).abs() < 6.0);
        }
    }
}

/// Triangles as large as the scene, all through its middle: no box keeps a ray from any.
fn crowd(count: i32) -> Geometry {
    let far = 1 << 25;
    let vertices = (0..count).flat_map(|i| {
        let shift = i * (far / count);
        [
            [-far, shift - far, -far + shift],
            [far - shift, far, shift],
            [shift, -far, far - shift / 2],
        ]
    });
    Geometry::new(&scene(vertices.collect(), vec![], vec![]))
}

/// How many boxes and primitives a search tries, and how many steps it says it took.
fn tried(geometry: &Geometry, ray: &Ray, max_steps: u32) -> (u32, u32) {
    let mut primitives = 0;
    let mut left = max_steps;
    let end = geometry.visit(ray, MAX_DISTANCE + 1, &mut left, |_, _| {
        primitives += 1;
        Some(MAX_DISTANCE + 1)
    });
    // Short of the limit by what a leaf takes at most.
    assert!(end.is_ok() || left < 16);
    (primitives, max_steps - left)
}

#[test]
fn a_ray_takes_no_more_steps_than_it_may_whatever_the_scene() {
    for count in [1 << 8, 1 << 12, 1 << 15] {
        let geometry = crowd(count);
        for i in 1..40 {
            let ray = Ray::new([i << 16, -i << 15, -(1 << 20)], normalise([i, 40 - i, 100]));
            let (all, steps) = tried(&geometry, &ray, u32::MAX);
            assert!(all > count as u32 / 4 && steps >= 2 * all, "{all} of {count}");
            for max_steps in [1, 2, 40, 256, 4096] {
                let (primitives, steps) = tried(&geometry, &ray, max_steps);
                assert!(
                    steps <= max_steps && 2 * primitives <= max_steps,
                    "{steps}, {primitives}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(agora_test_support::cases(300))]

    #[test]
    fn a_ray_takes_the_same_steps_whatever_it_may_take(
        vertices in prop::collection::vec(position(), 30..90),
        planes in prop::collection::vec((position(), direction()), 0..2),
        ray in (position(), direction()),
    ) {
        let geometry = Geometry::new(&scene(vertices, vec![], planes));
        let ray = Ray::new(ray.0, ray.1);
        let mut left = MANY;
        let hit = geometry.first_hit(&ray, &mut left).unwrap();
        prop_assert_eq!(hit, by_trying_all(&geometry, &ray));
        let steps = MANY - left;
        for fewer in 0..steps {
            prop_assert_eq!(geometry.first_hit(&ray, &mut { fewer }), Err(OutOfSteps));
        }
        let mut just_enough = steps;
        prop_assert_eq!(geometry.first_hit(&ray, &mut just_enough), Ok(hit));
        prop_assert_eq!(just_enough, 0);
    }
}
