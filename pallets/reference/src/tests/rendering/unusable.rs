//! Which scenes are unusable.

use super::made::*;
use crate::tests::world::unusable_at;
use agora_jobs::JobKind;

/// Where the scene is unusable, if it is.
pub fn fault(scene: Vec<u8>) -> Option<u64> {
    let (job, contents) = job_of(scene);
    unusable_at(JobKind::Rendering(job), &contents)
}

/// The fault of the small scene with a change.
fn changed(change: impl Fn(&mut Scene)) -> Option<u64> {
    let mut scene = Scene::small();
    change(&mut scene);
    fault(scene.bytes())
}

/// The small scene with word `word` of entry `index` of a table changed is unusable there.
fn refuses(table: usize, index: usize, word: usize, value: i32) {
    assert_eq!(
        with(table, index, word, value),
        Some(Scene::small().place(table, index)),
        "{table} {index}: {word}"
    );
}

fn accepts(table: usize, index: usize, word: usize, value: i32) {
    assert_eq!(with(table, index, word, value), None, "{table} {index}: {word}");
}

fn with(table: usize, index: usize, word: usize, value: i32) -> Option<u64> {
    changed(|scene| {
        let entry = &mut scene.tables[table][index];
        assert_ne!(entry[4 * word..][..4], value.to_le_bytes());
        entry[4 * word..][..4].copy_from_slice(&value.to_le_bytes());
    })
}

#[test]
fn the_small_scene_is_usable() {
    assert_eq!(changed(|_| ()), None);
}

#[test]
fn headers_that_break_a_rule_are_unusable() {
    let header = |at: usize, value: i32| {
        let mut bytes = Scene::small().bytes();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        fault(bytes)
    };
    for at in 0..4 {
        let mut bytes = Scene::small().bytes();
        bytes[at] ^= 1;
        assert_eq!(fault(bytes), Some(0));
    }
    assert_eq!(header(4, 1), Some(0));
    assert_eq!(header(4, 3), Some(0));
    // Counts: other than the length, and too many.
    for table in 0..8 {
        for count in [0, 7, 1 << 22, -1] {
            assert_eq!(header(8 + 4 * table, count), Some(8), "{table}: {count}");
        }
    }
    // Nine radiances of the sky.
    for at in (40..76).step_by(4) {
        assert_eq!(header(at, (1 << 22) + 1), Some(40));
        assert_eq!(header(at, 1 << 22), None);
    }
    for (at, most) in [(76, 1 << 22), (80, (1 << 20) - 1)] {
        assert_eq!(header(at, 0), Some(at as u64));
        assert_eq!(header(at, most + 1), Some(at as u64));
        assert_eq!(header(at, most), None);
        assert_eq!(header(at, 1), None);
    }
    for at in [84, 88, 92] {
        assert_eq!(header(at, 1 << 31), Some(84));
        assert_eq!(header(at, 1), Some(84));
    }
}

#[test]
fn scenes_of_another_length_are_unusable() {
    let bytes = Scene::small().bytes();
    for length in [1, 95] {
        assert_eq!(fault(bytes[..length].to_vec()), Some(0));
    }
    for length in [96, bytes.len() - 1] {
        assert_eq!(fault(bytes[..length].to_vec()), Some(8));
    }
    assert_eq!(fault([bytes, vec![0]].concat()), Some(8));
}

#[test]
fn scenes_without_material_or_keyframe_are_unusable() {
    assert_eq!(changed(|scene| scene.tables[KEYFRAMES].clear()), Some(8));
    let nothing = |scene: &mut Scene| {
        for table in [NODES, SPHERES, PLANES, VERTICES, NORMALS, TRIANGLES] {
            scene.tables[table].clear();
        }
    };
    assert_eq!(changed(nothing), None);
    assert_eq!(
        changed(|scene| {
            nothing(scene);
            scene.tables[MATERIALS].clear();
        }),
        Some(8)
    );
}

#[test]
fn tables_of_more_entries_than_are_possible_are_unusable() {
    let most = [1024, 0, 1024, 16, 0, 0, 0, 4096];
    for (table, most) in most.into_iter().enumerate().filter(|&(_, most)| most > 0) {
        let filled = |count: usize| {
            changed(|scene| {
                let entry = scene.tables[table][0].clone();
                scene.tables[table].resize(count, entry);
                for (frame, keyframe) in (0u32..).zip(&mut scene.tables[KEYFRAMES]) {
                    keyframe[..4].copy_from_slice(&frame.to_le_bytes());
                }
                if table == SPHERES {
                    // Leaves of one, each below the one before, would be too deep: halves.
                    scene.tables[NODES] = halves(count as u32 + 2, 1);
                }
            })
        };
        assert_eq!(filled(most), None, "{table}");
        assert_eq!(filled(most + 1), Some(8), "{table}");
    }
}

#[test]
fn materials_out_of_range_are_unusable() {
    // Surface, pattern and roughness are one word.
    for value in [5, 255, 26 << 8, 255 << 8, 0x8001 << 16] {
        refuses(MATERIALS, 1, 0, value);
    }
    for value in [4, 25 << 8, 0x8000 << 16] {
        accepts(MATERIALS, 1, 0, value);
    }
    for word in 1..4 {
        refuses(MATERIALS, 0, word, 0x8001);
        refuses(MATERIALS, 0, word, 0x8001 << 16);
        accepts(MATERIALS, 0, word, 0x8000 | 0x8000 << 16);
    }
    for value in [0, 65_535, 163_841, -1] {
        refuses(MATERIALS, 2, 4, value);
    }
    for value in [65_536, 163_840] {
        accepts(MATERIALS, 2, 4, value);
    }
    for word in 5..8 {
        refuses(MATERIALS, 1, word, (1 << 26) + 1);
        accepts(MATERIALS, 1, word, 1 << 26);
    }
}

#[test]
fn coordinates_outside_of_the_space_are_unusable() {
    let far = 1 << 25;
    let places = [(SPHERES, 0), (PLANES, 0), (VERTICES, 0), (KEYFRAMES, 1), (KEYFRAMES, 4)];
    for (table, first) in places {
        for word in first..first + 3 {
            for value in [far + 1, -far - 1, i32::MAX, i32::MIN] {
                refuses(table, 0, word, value);
            }
            accepts(table, 0, word, far);
            accepts(table, 0, word, -far);
        }
    }
}

#[test]
fn spheres_planes_and_normals_out_of_range_are_unusable() {
    for value in [0, -1, (1 << 25) + 1] {
        refuses(SPHERES, 1, 3, value);
    }
    accepts(SPHERES, 1, 3, 1 << 25);
    refuses(PLANES, 0, 4, 0);
    for word in 3..6 {
        for value in [(1 << 30) + 1, -(1 << 30) - 1, i32::MIN] {
            refuses(PLANES, 0, word, value);
        }
        accepts(PLANES, 0, word, -(1 << 30));
    }
    let normal = |normal: [i16; 3]| {
        changed(|scene| scene.tables[NORMALS][1] = normal.iter().flat_map(|c| c.to_le_bytes()).collect())
    };
    let place = Some(Scene::small().place(NORMALS, 1));
    for broken in [[0; 3], [16385, 0, 0], [0, -16385, 0], [0, 0, i16::MIN]] {
        assert_eq!(normal(broken), place);
    }
    assert_eq!(normal([16384, -16384, 0]), None);
}

#[test]
fn references_to_nothing_are_unusable() {
    for (table, word) in [(SPHERES, 4), (PLANES, 6), (TRIANGLES, 6)] {
        refuses(table, 0, word, 3);
        refuses(table, 0, word, -1);
        accepts(table, 0, word, 2);
    }
    for word in 0..3 {
        refuses(TRIANGLES, 1, word, 4);
        refuses(TRIANGLES, 1, word, -1);
    }
    for word in 3..6 {
        refuses(TRIANGLES, 0, word, 2);
        // One is missing, the other two are not.
        refuses(TRIANGLES, 0, word, -1);
        refuses(TRIANGLES, 1, word, 0);
    }
}

#[test]
fn keyframes_that_break_a_rule_are_unusable() {
    refuses(KEYFRAMES, 1, 0, 0);
    assert_eq!(
        changed(|scene| {
            let first = scene.tables[KEYFRAMES][0].clone();
            scene.tables[KEYFRAMES].push(first);
        }),
        Some(Scene::small().place(KEYFRAMES, 1) + 40)
    );
    accepts(KEYFRAMES, 1, 0, -1);
    let at_target = |scene: &mut Scene| {
        let position = scene.tables[KEYFRAMES][1][4..16].to_vec();
        scene.tables[KEYFRAMES][1][16..28].copy_from_slice(&position);
    };
    assert_eq!(changed(at_target), Some(Scene::small().place(KEYFRAMES, 1)));
    for (word, value) in [
        (7, 0),
        (7, (1 << 18) + 1),
        (8, 4 * UNIT + 1),
        (9, 0),
        (9, (1 << 25) + 1),
    ] {
        refuses(KEYFRAMES, 1, word, value);
    }
    for (word, value) in [(7, 1 << 18), (8, 4 * UNIT), (9, 1 << 25)] {
        accepts(KEYFRAMES, 1, word, value);
    }
}

/// A node of the small scene's hierarchy, changed, is refused there.
fn hierarchy(nodes: &[(u32, u16, u16)]) -> Option<u64> {
    let place = changed(|scene| {
        scene.tables[NODES] = nodes.iter().map(|&(at, count, axis)| node(at, count, axis)).collect();
    });
    place.map(|at| (at - Scene::small().place(NODES, 0)) / 32)
}

#[test]
fn hierarchies_that_are_no_tree_are_unusable() {
    let good = [(2, 0, 1), (0, 2, 0), (4, 0, 0), (2, 1, 0), (3, 1, 0)];
    assert_eq!(hierarchy(&good), None);
    let with = |place: usize, node: (u32, u16, u16)| {
        let mut nodes = good;
        nodes[place] = node;
        hierarchy(&nodes)
    };
    // Second children: itself, the first child, another's, beyond the end.
    for (place, at, fault) in [
        (0, 0, 0),
        (0, 1, 0),
        (0, 5, 0),
        (0, u32::MAX, 0),
        (0, 3, 1),
        (2, 2, 2),
        (2, 5, 2),
    ] {
        assert_eq!(with(place, (at, 0, 1)), Some(fault), "{place}: {at}");
    }
    // Axes.
    assert_eq!(with(0, (2, 0, 3)), Some(0));
    assert_eq!(with(1, (0, 2, 1)), Some(1));
    // Shapes: left out, repeated, too many, of both tables.
    for (place, node) in [
        (1, (0, 1, 0)),
        (1, (1, 1, 0)),
        (1, (0, 3, 0)),
        (3, (3, 1, 0)),
        (3, (1, 1, 0)),
        (4, (2, 1, 0)),
        (4, (3, 2, 0)),
        (4, (3, 9, 0)),
        (4, (u32::MAX, 1, 0)),
    ] {
        let fault = with(place, node).unwrap();
        assert!(fault >= place as u64, "{place}: {fault}");
    }
    // Too early, too late, nothing.
    assert_eq!(hierarchy(&[(0, 2, 0)]), Some(0));
    assert_eq!(hierarchy(&[good[0], good[1], (2, 1, 0)]), Some(2));
    assert_eq!(hierarchy(&good[..4]), Some(2));
    assert_eq!(hierarchy(&[good.as_slice(), &[(4, 1, 0)]].concat()), Some(4));
    assert_eq!(changed(|scene| scene.tables[NODES].clear()), Some(12));
    // Spheres before triangles are as good.
    assert_eq!(
        hierarchy(&[(4, 0, 1), (3, 0, 0), (2, 1, 0), (3, 1, 0), (0, 2, 0)]),
        None
    );
}

#[test]
fn boxes_that_are_none_or_too_large_are_unusable() {
    let all = 1 << 27;
    for word in 0..3 {
        refuses(NODES, 3, word, -all - 1);
        refuses(NODES, 3, word, i32::MIN);
        refuses(NODES, 3, 4 + word, all + 1);
        refuses(NODES, 3, 4 + word, -all - 1);
        accepts(NODES, 3, 4 + word, -all);
    }
}

/// Spheres, one in each leaf, and each leaf one level below the last one.
fn chain(spheres: u32) -> Vec<u8> {
    let mut scene = Scene::small();
    scene.tables[TRIANGLES].clear();
    scene.tables[SPHERES] = (0..spheres).map(|i| sphere([i as i32, 0, 0], 5, 0)).collect();
    scene.tables[NODES] = (0..spheres - 1)
        .flat_map(|i| [node(2 * i + 2, 0, 0), node(i, 1, 0)])
        .chain([node(spheres - 1, 1, 0)])
        .collect();
    scene.bytes()
}

#[test]
fn nodes_deeper_than_forty_are_unusable() {
    assert_eq!(fault(chain(41)), None);
    assert_eq!(fault(chain(42)), Some(Scene::small().place(NODES, 0) + 80 * 32));
}
