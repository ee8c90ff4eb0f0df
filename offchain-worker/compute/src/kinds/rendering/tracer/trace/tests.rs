use super::*;
use crate::kinds::rendering::{
    scene::{Keyframe, Material, Plane, Scene, Sky, Sphere, Surface, Triangle},
    tracer::fixed::normalise,
};
use proptest::prelude::*;

const UNIT: i32 = 1 << 16;

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
    }
}

/// What `ray` hits first, found by trying everything.
fn by_trying_all(geometry: &Geometry, ray: &Ray) -> Option<Hit> {
    let primitives = (0..).zip(&geometry.primitives).filter_map(|(place, primitive)| {
        let distance = ray.to_primitive(primitive)?;
        Some(Hit {
            distance,
            id: primitive.id,
            place,
        })
    });
    let planes = (geometry.primitives.len() as u32..)
        .zip(&geometry.planes)
        .filter_map(|(place, plane)| {
            let distance = ray.to_infinite_plane(plane)?;
            Some(Hit {
                distance,
                id: plane.id,
                place,
            })
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
    ) {
        let scene = scene(vertices, spheres, planes);
        scene.validate().unwrap();
        let geometry = Geometry::new(&scene);
        for (origin, mut direction, target) in rays {
            if let Some(triangle) = scene.triangles.get(target.index(scene.triangles.len() + 1)) {
                // Aimed at a corner, where rounding matters most.
                direction = normalise(sub(scene.vertices[triangle.vertices[0] as usize], origin));
            }
            let ray = Ray::new(origin, direction);
            let hit = geometry.first_hit(&ray);
            prop_assert_eq!(hit, by_trying_all(&geometry, &ray));
            let far = hit.map_or(MAX_DISTANCE, |hit| hit.distance);
            prop_assert!(!geometry.is_hit_before(&ray, far));
            if hit.is_some() {
                prop_assert!(geometry.is_hit_before(&ray, far + 1));
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
        prop_assume!(flat.primitives.len() == 1);
        let [x, y, z, _] = flat.primitives[0].planes[0];
        // Seen from the edge, the distance is not well defined.
        let slope = f64::from(dot([x, y, z], ray.direction).abs()) / f64::from(1 << 30);
        prop_assume!(slope > 0.01);
        let hit = flat.first_hit(&ray);
        prop_assert!(hit.is_some_and(|hit| (f64::from(hit.distance) - exact).abs() < 4.0 / slope), "{:?} {}", hit, exact);

        let radius = 1000;
        let round = Geometry::new(&scene(vec![], vec![(target, radius)], vec![]));
        if exact > 1100.0 {
            let hit = round.first_hit(&ray).unwrap();
            prop_assert!((f64::from(hit.distance) - (exact - 1000.0)).abs() < 6.0);
        }
    }
}
