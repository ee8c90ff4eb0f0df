//! Where shapes end, to the unit.

use super::*;
use crate::rendering::number::ONE;

const UNIT: i32 = 1 << 16;

/// A ray along −z from above (x, y).
fn down(x: i32, y: i32) -> Ray {
    Ray {
        origin: ints([x, y, UNIT]),
        direction: [ZERO, ZERO, -ONE],
    }
}

fn triangle(vertices: [[i32; 2]; 3]) -> Triangle {
    Triangle::of(vertices.map(|[x, y]| ints([x, y, 0])), None, 0)
}

#[test]
fn a_triangle_is_hit_up_to_two_beyond_its_edges() {
    let triangle = triangle([[0, 0], [UNIT, 0], [0, UNIT]]);
    // A unit normal is a little shorter than 1.
    assert_eq!(triangle.hit(&down(99, 5)), Some(int(UNIT - 1)));
    assert_eq!(triangle.hit(&down(99, -2)), Some(int(UNIT - 1)));
    assert_eq!(triangle.hit(&down(99, -3)), None);
    assert_eq!(triangle.hit(&down(-2, 99)), Some(int(UNIT - 1)));
    assert_eq!(triangle.hit(&down(-3, 99)), None);
    // From below as well, but not from behind.
    let up = |z: i32| Ray {
        origin: ints([9, 9, z]),
        direction: [ZERO, ZERO, ONE],
    };
    assert_eq!(triangle.hit(&up(-5)), Some(int(5)));
    assert_eq!(triangle.hit(&up(5)), None);
    assert_eq!(triangle.hit(&up(0)), None);
}

#[test]
fn a_sharp_corner_ends_eight_beyond_its_vertex() {
    let triangle = triangle([[0, 0], [UNIT, -50], [UNIT, 50]]);
    assert_eq!(triangle.hit(&down(-8, 0)), Some(int(UNIT - 1)));
    assert_eq!(triangle.hit(&down(-9, 0)), None);
}

#[test]
fn triangles_less_than_one_high_are_never_hit() {
    let high = |y: i32| triangle([[0, 0], [UNIT, 0], [0, y]]).hit(&down(5, 0));
    assert_eq!(high(2), Some(int(UNIT - 1)));
    assert_eq!(high(1), None);
    assert_eq!(high(0), None);
}

#[test]
fn planes_end_and_spheres_are_hit_from_within() {
    let end = 1 << 26;
    let plane = Plane::of(entries::Plane {
        point: [0; 3],
        normal: [0, 0, 3],
        material: 0,
    });
    assert_eq!(plane.hit(&down(end, 0)), Some(int(UNIT - 1)));
    assert_eq!(plane.hit(&down(end + 1, 0)), None);
    let sphere = Sphere::of(entries::Sphere {
        centre: [0; 3],
        radius: 3 * UNIT.cast_unsigned(),
        material: 0,
    });
    assert_eq!(sphere.hit(&down(0, 0)), Some(int(4 * UNIT)));
    assert_eq!(sphere.hit(&down(3 * UNIT, 0)), Some(int(UNIT)));
    assert_eq!(sphere.hit(&down(3 * UNIT + 1, 0)), None);
}
