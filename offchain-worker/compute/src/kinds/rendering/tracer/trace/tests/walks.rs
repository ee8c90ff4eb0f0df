//! How many steps the rays of ordinary scenes take.

use super::*;
use crate::kinds::rendering::tracer::fixed::on_sphere;
use agora_math::field::Generator;

/// A ball with dents in a room: `2 · rings · facets` triangles, and the room's twelve.
fn ball_in_a_room(rings: u32, facets: u32) -> Geometry {
    use std::f64::consts::{PI, TAU};
    let vertex = |ring: u32, facet: u32| {
        let (latitude, longitude) = (
            PI * f64::from(ring) / f64::from(rings),
            TAU * f64::from(facet) / f64::from(facets),
        );
        let radius = (2.0 + 0.1 * (8.0 * latitude).sin() * (8.0 * longitude).cos()) * f64::from(UNIT);
        [
            latitude.sin() * longitude.cos(),
            latitude.cos(),
            latitude.sin() * longitude.sin(),
        ]
        .map(|c| (c * radius) as i32)
    };
    let faces = (0..rings * facets).flat_map(|i| {
        let (ring, facet) = (i / facets, i % facets);
        let [a, b] = [vertex(ring, facet), vertex(ring, facet + 1)];
        let [c, d] = [vertex(ring + 1, facet), vertex(ring + 1, facet + 1)];
        [a, b, c, b, d, c]
    });
    let side = 4 * UNIT;
    let corner = |i: u32| [0, 1, 2].map(|axis| if (i >> axis) & 1 == 0 { -side } else { side });
    let walls = (0..3).flat_map(|axis| {
        let [u, v] = [1u32 << ((axis + 1) % 3), 1 << ((axis + 2) % 3)];
        [0, 1u32 << axis]
            .into_iter()
            .flat_map(move |w| [w, w + u, w + v, w + u, w + u + v, w + v])
    });
    let vertices = faces.chain(walls.map(corner)).collect();
    Geometry::new(&scene(vertices, vec![([3 * UNIT, 3 * UNIT, 0], 1 << 15)], vec![]))
}

/// Small triangles anywhere, as the leaves of a wood: few rays get far, and boxes overlap.
fn leaves(count: u32) -> Geometry {
    let mut word = 1u64;
    let mut random = |range: i32| {
        // Knuth's generator.
        word = word
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((word >> 33) as i32).rem_euclid(2 * range) - range
    };
    let size = 4 * UNIT / (f64::from(count).sqrt() as i32);
    let vertices = (0..count).flat_map(|_| {
        let centre = [0; 3].map(|_: i32| random(4 * UNIT));
        [0; 3].map(|_: i32| centre.map(|c| c + random(size)))
    });
    Geometry::new(&scene(vertices.collect(), vec![], vec![]))
}

/// The steps of `count` rays, ascending: each begins where the last one ended, in any direction.
fn steps_of_walks(geometry: &Geometry, count: u32) -> Vec<u32> {
    let generator = Generator::new(&[7; 32], b"walk");
    let start = [3 * UNIT, UNIT / 2, -3 * UNIT];
    let mut origin = start;
    let mut steps: Vec<u32> = (0..count)
        .map(|i| {
            let words = generator.words(i.into());
            let ray = Ray::new(origin, on_sphere(words[0], words[1]));
            let mut best = Hit::none(MAX_DISTANCE + 1);
            let mut left = MANY;
            let search = geometry.visit(&ray, best.distance, &mut left, |place, primitive| {
                if let Some(distance) = ray.to_primitive(primitive) {
                    best = best.min(Hit { distance, place });
                }
                Some(best.distance)
            });
            origin = if best.distance > MAX_DISTANCE {
                start
            } else {
                ray.at(best.distance.saturating_sub(32))
            };
            search.unwrap();
            MANY - left
        })
        .collect();
    steps.sort_unstable();
    steps
}

#[test]
fn rays_through_ordinary_scenes_take_few_steps() {
    let scenes = [
        ("24,576 triangles in a room", ball_in_a_room(96, 128)),
        ("2^17 triangles in a room", ball_in_a_room(256, 256)),
        ("2^15 leaves", leaves(1 << 15)),
    ];
    for (name, geometry) in scenes {
        let steps = steps_of_walks(&geometry, 20_000);
        let [median, most] = [steps[steps.len() / 2], steps[steps.len() - 1]];
        eprintln!(
            "{name}: {} nodes; mean {}, median {median}, 99 % {}, 99.9 % {}, most {most}",
            geometry.nodes.len(),
            steps.iter().sum::<u32>() as usize / steps.len(),
            steps[steps.len() * 99 / 100],
            steps[steps.len() * 999 / 1000],
        );
        assert!(median < 128 && most < 1024, "{name}: {median}, {most}");
    }
}
