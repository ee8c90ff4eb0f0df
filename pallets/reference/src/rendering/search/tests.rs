//! Which boxes rays meet, to the unit.

use super::*;
use crate::rendering::number::{ONE, ints};

/// Whether a ray along −z from the origin meets the box.
fn meets_box(low: [i32; 3], high: [i32; 3], best: i32) -> bool {
    let node = Node {
        low,
        at: 0,
        high,
        count: 1,
        axis: 0,
    };
    let axes = axes(ints([0; 3]), [ZERO, ZERO, -ONE]);
    meets(&axes, &node, int(best))
}

#[test]
fn boxes_behind_the_origin_are_not_met() {
    assert!(meets_box([-9, -9, 0], [9, 9, 5], 1000));
    assert!(!meets_box([-9, -9, 1], [9, 9, 5], 1000));
}

#[test]
fn boxes_are_larger_along_axes_to_which_the_ray_is_parallel() {
    let slack = 1 << 14;
    assert!(meets_box([slack, 0, -99], [slack + 9, 0, -9], 1000));
    assert!(!meets_box([slack + 1, 0, -99], [slack + 9, 0, -9], 1000));
    // Of such a box the farther side is at distance 0.
    assert!(meets_box([0, -slack - 9, -99], [0, -slack, 0], 1000));
    assert!(!meets_box([0, -slack - 9, -99], [0, -slack - 1, 0], 1000));
}

#[test]
fn boxes_beyond_the_best_hit_are_not_met() {
    let before = |best| meets_box([-9, -9, -3000], [9, 9, -2000], best);
    assert!(before(2000));
    assert!(!before(1990));
}

#[test]
fn directions_above_the_bound_are_not_parallel() {
    let [parallel, other] = [1 << 15, (1 << 15) + 1].map(|d| Axis::of(ZERO, int(d)));
    assert_eq!(
        (parallel.inverse, parallel.slack),
        (int((1i64 << 31) - 1), int(1 << 14))
    );
    assert_eq!(other.inverse, int((1i64 << 46) / ((1 << 15) + 1)));
    assert_eq!(other.slack, ZERO);
}

#[test]
fn of_two_hits_at_one_distance_the_lower_number_counts() {
    let mut best = Best {
        distance: int(100),
        found: None,
    };
    let plane = |material| {
        Shape::Plane(Plane::of(crate::rendering::entries::Plane {
            point: [0; 3],
            normal: [0, 1, 0],
            material,
        }))
    };
    let number = |best: &Best| best.found.map(|found| found.number);
    // The limit is exclusive.
    best.take(Some(int(100)), 0, plane(0));
    assert_eq!(number(&best), None);
    for (distance, taken, expected) in [(99, 7, 7), (99, 8, 7), (99, 3, 3), (98, 9, 9), (99, 1, 9)] {
        best.take(Some(int(distance)), taken, plane(0));
        assert_eq!(number(&best), Some(expected));
    }
}
