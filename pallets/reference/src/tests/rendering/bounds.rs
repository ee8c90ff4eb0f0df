//! Scenes that cost as much as any: what is said of units is kept, and is not far more than what they take.

use super::{made::*, work::counted};
use crate::{
    Reference, Step, Unit,
    tests::world::{Contents, check_size},
    *,
};
use agora_jobs::{Limits, MAX_BOUNCES, MAX_STEPS, RenderingJob, blob::CHUNK_BYTES};
use std::cell::Cell;

struct Counting<'a> {
    contents: &'a Contents,
    reads: Cell<u64>,
}

impl Blobs for Counting<'_> {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        self.reads.set(self.reads.get() + 1);
        let Source::Input(blob) = source else { return None };
        let bytes = &self.contents.0[blob][index as usize * CHUNK_BYTES..];
        let bytes = &bytes[..bytes.len().min(CHUNK_BYTES)];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(bytes.len())
    }
}

/// What the first unit of the first tile takes and reads, and what is said of it. The scene is usable.
fn measured(scene: &Scene, change: impl Fn(RenderingJob) -> RenderingJob) -> (u64, u64, Unit) {
    let (job, contents) = job_of(scene.bytes());
    let job = change(job);
    job.validate().unwrap();
    let blobs = Counting {
        contents: &contents,
        reads: Cell::new(0),
    };
    let mut kept = Contents::default();
    for unit in 0..job.units(Step::Inputs) {
        let before = Kept {
            scene: &blobs,
            kept: unit
                .checked_sub(1)
                .map(|_| kept.0.values().next_back().unwrap().clone()),
        };
        let bytes = job.compute(&before, Step::Inputs, unit).unwrap();
        kept = Contents::default();
        kept.insert(bytes);
    }
    blobs.reads.set(0);
    let said = job.unit(Step::State(0), 0).unwrap();
    let (bytes, work) = counted(|| job.compute(&blobs, Step::State(0), 0).unwrap());
    check_size(&said, &bytes);
    let reads = blobs.reads.get();
    assert!(work <= said.work, "{work} operations, {said:?}");
    assert!(reads <= said.chunks, "{reads} reads, {said:?}");
    (work, reads, said)
}

/// The scene, and what the scan before kept.
struct Kept<'a> {
    scene: &'a Counting<'a>,
    kept: Option<Vec<u8>>,
}

impl Blobs for Kept<'_> {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let Source::Kept(..) = source else {
            return self.scene.chunk(source, index, chunk);
        };
        let kept = self.kept.as_ref()?;
        chunk[..kept.len()].copy_from_slice(kept);
        Some(kept.len())
    }
}

/// Triangles, eight in each of so many leaves, all with a box that every ray meets, with vertices that each lie in two chunks.
fn scattered(leaves: u32) -> Scene {
    let mut scene = Scene::small();
    let vertices = 30_000;
    scene.tables[SPHERES].truncate(0);
    scene.tables[NODES] = (0..2 * leaves - 1).map(|_| Vec::from([0; 32])).collect();
    scene.tables[VERTICES] = (0..vertices)
        .map(|i| words(&[i * 7919 % 99_991, i * 50_021 % 99_989, i]))
        .collect();
    let place = |i: i32| scene.place(VERTICES, 0) + 12 * i as u64;
    let cut: Vec<i32> = (0..vertices).filter(|&i| place(i) % 1024 > 1012).collect();
    assert!(cut.len() > 200);
    let vertex = |i: usize| cut[i * 37 % cut.len()];
    scene.tables[TRIANGLES] = (0..8 * leaves as usize)
        .map(|i| words(&[vertex(3 * i), vertex(3 * i + 1), vertex(3 * i + 2), 0, 1, 0, 0]))
        .collect();
    scene.tables[NODES] = halves(leaves, 8);
    scene
}

#[test]
fn triangles_in_as_many_chunks_as_possible_are_within_what_is_said() {
    // Some, and as many as there may be: 2²⁰.
    for leaves in [1500, 1 << 17] {
        let (work, reads, said) = measured(&scattered(leaves), |job| RenderingJob {
            samples: 1,
            max_steps: MAX_STEPS,
            ..job
        });
        // One path: of what is said of it, so much is taken.
        assert!(4 * reads > 3 * said.chunks, "{reads} reads, {said:?}");
        assert!(2 * work > said.work, "{work} operations, {said:?}");
    }
}

/// A room of six white planes with a lamp in it, and ten planes further away.
fn room() -> Scene {
    let mut scene = Scene::small();
    let far = |i: i32| if i < 6 { 4 * UNIT } else { (4 + i) * UNIT };
    scene.tables[PLANES] = (0..16)
        .map(|i| {
            let mut point = [0; 3];
            let mut normal = [3, 2, 1];
            let axis = (i % 3) as usize;
            point[axis] = if i % 2 == 0 { far(i) } else { -far(i) };
            if i < 6 {
                normal = [0; 3];
            }
            normal[axis] = 50;
            words(&[point, normal].concat().into_iter().chain([0]).collect::<Vec<_>>())
        })
        .collect();
    scene.tables[TRIANGLES].clear();
    scene.tables[SPHERES] = vec![sphere([UNIT, 2 * UNIT, UNIT], 1, 2)];
    scene.tables[NODES] = vec![node(0, 1, 0)];
    scene.tables[MATERIALS][0][4..10].copy_from_slice(&[0, 0x80, 0, 0x80, 0, 0x80]);
    scene.tables[KEYFRAMES].truncate(1);
    scene.tables[KEYFRAMES][0] = keyframe(0, [0, 0, UNIT], [0, UNIT, 0]);
    scene
}

#[test]
fn paths_of_many_segments_are_within_what_is_said() {
    for surface in [0, 4] {
        let mut scene = room();
        scene.tables[MATERIALS][0][0] = surface;
        let (work, _, said) = measured(&scene, |job| RenderingJob {
            samples: 64,
            max_bounces: MAX_BOUNCES,
            max_steps: 400,
            ..job
        });
        assert!(6 * work > said.work, "{surface}: {work} operations, {said:?}");
    }
}

#[test]
fn paths_without_steps_are_within_what_is_said() {
    let mut scene = room();
    scene.tables[SPHERES].clear();
    scene.tables[NODES].clear();
    let (work, _, said) = measured(&scene, |job| RenderingJob {
        samples: 64,
        max_bounces: MAX_BOUNCES,
        max_steps: 1,
        ..job
    });
    assert!(7 * work > said.work, "{work} operations, {said:?}");
}
