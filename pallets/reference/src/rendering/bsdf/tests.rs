//! Directions that cancel each other.

use super::*;
use crate::rendering::number::ints;

fn scattered(less: [i32; 3]) -> BsdfSample {
    let words = [123_456_789, 987_654_321, 0, 0];
    let [w0, w1, ..] = words;
    // Against the random direction, but for `less`.
    let s = add(negate(on_sphere(w0, w1)), ints(less));
    let hit = SurfaceHit {
        p: [ZERO; 3],
        d: negate(s),
        n: s,
        s,
        is_inside: false,
        material: Material {
            surface: Surface::Diffuse,
            pattern: 0,
            roughness: ZERO,
            colour: [WHITE; 3],
            other_colour: [ZERO; 3],
            index: int(1 << 16),
            emission: [ZERO; 3],
        },
    };
    let sample = hit.sample(words);
    assert!(!sample.is_direct && sample.side == s && sample.weight == [WHITE; 3]);
    BsdfSample {
        direction: sub(sample.direction, s),
        ..sample
    }
}

#[test]
fn a_sum_that_is_too_short_has_the_direction_of_the_normal() {
    for less in [[0; 3], [1023, -1023, 1023]] {
        assert_eq!(scattered(less).direction, [ZERO; 3], "{less:?}");
    }
    for less in [[1024, 0, 0], [0, -1024, 0], [0, 0, 1024]] {
        assert_ne!(scattered(less).direction, [ZERO; 3], "{less:?}");
    }
}
