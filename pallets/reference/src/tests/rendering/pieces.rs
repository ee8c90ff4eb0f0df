//! Scenes of more than one piece.

use super::{made::*, unusable::fault};

#[test]
fn what_lies_in_later_pieces_is_scanned() {
    let mut scene = Scene::small();
    // More than two pieces before the rest.
    scene.tables[VERTICES].resize(200_000, words(&[1, 2, 3]));
    assert_eq!(fault(scene.bytes()), None);
    let edges = |scene: &Scene, index: usize| {
        let mut scene = scene.clone();
        scene.tables[VERTICES][index] = words(&[0, 0, (1 << 25) + 1]);
        assert_eq!(fault(scene.bytes()), Some(scene.place(VERTICES, index)));
    };
    let start = scene.place(VERTICES, 0);
    // The entry that crosses the border, and its neighbours.
    let border = ((1 << 20) - start) as usize / 12;
    for index in [border - 1, border, border + 1, 199_999] {
        edges(&scene, index);
    }
}

#[test]
fn keyframes_ascend_from_one_piece_to_the_next() {
    let mut scene = Scene::small();
    scene.tables[VERTICES].resize(87_000, words(&[1, 2, 3]));
    scene.tables[KEYFRAMES] = (0..2000).map(|frame| keyframe(frame, [9; 3], [0; 3])).collect();
    assert_eq!(fault(scene.bytes()), None);
    let border = ((1 << 20) - scene.place(KEYFRAMES, 0)).div_ceil(40) as usize;
    assert!(border < 1990);
    for index in [border - 1, border, border + 1] {
        let mut scene = scene.clone();
        scene.tables[KEYFRAMES][index] = scene.tables[KEYFRAMES][index - 1].clone();
        assert_eq!(fault(scene.bytes()), Some(scene.place(KEYFRAMES, index)));
    }
}

#[test]
fn a_hierarchy_is_checked_on_from_one_piece_to_the_next() {
    let triangles = 40_000;
    let mut scene = Scene::small();
    scene.tables[TRIANGLES].resize(triangles, words(&[0, 1, 2, -1, -1, -1, 0]));
    scene.tables[NODES] = halves(triangles as u32 + 2, 1);
    assert!(scene.place(SPHERES, 0) > 2 << 20);
    assert_eq!(fault(scene.bytes()), None);
    let last = scene.tables[NODES].len() - 1;
    for index in [1, 32_764, 32_765, 32_766, 50_001, last] {
        let mut broken = scene.clone();
        let node = &mut broken.tables[NODES][index];
        // A shape or a second child further on.
        node[12] ^= 1;
        assert!(fault(broken.bytes()).is_some(), "{index}");
    }
}
