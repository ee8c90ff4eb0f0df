//! Jobs at their limits, and scenes of noise.

use super::{
    made::{NODES, Scene, TRIANGLES, halves, job, job_of, words},
    work::counted,
};
use crate::{
    tests::{
        hostile::{Noise, survives_noise},
        limits::{bounded, places, run_in_the_machine, survives, up_to},
        world::{Contents, check_bounds, check_size},
    },
    *,
};
use agora_jobs::{blob::CHUNK_BYTES, *};
use proptest::prelude::*;

prop_compose! {
    /// Jobs at and near the limits, made smaller until they are within them.
    fn jobs()(
        size in (up_to(MAX_IMAGE_SIDE), up_to(MAX_IMAGE_SIDE)), side in (up_to(MAX_IMAGE_SIDE), up_to(MAX_IMAGE_SIDE)),
        first_frame in 0..MAX_FRAMES, frames in up_to(MAX_FRAMES), samples in up_to(MAX_SAMPLES),
        max_bounces in 0..=MAX_BOUNCES, max_steps in up_to(MAX_STEPS), bytes in up_to(MAX_SCENE_BYTES as u32), seed: [u8; 32],
    ) -> RenderingJob {
        let mut job = RenderingJob {
            scene: BlobRef { size: bytes.into(), ..BlobRef::to(&[]) },
            seed,
            width: size.0.min(size.1 * MAX_ASPECT),
            height: size.1,
            region: Region { x: 0, y: 0, width: side.0, height: side.1 },
            first_frame,
            frames: frames.min(MAX_FRAMES - first_frame),
            samples, max_bounces, max_steps,
        };
        shrink(&mut job);
        job
    }
}

/// Halves what is too large.
fn shrink(job: &mut RenderingJob) {
    job.region.width = job.region.width.min(job.width);
    job.region.height = job.region.height.min(job.height);
    for turn in 0..64 {
        if JobSpec::V2(JobKind::Rendering(*job)).validate().is_ok() {
            break;
        }
        let part = match turn % 4 {
            0 => &mut job.frames,
            1 => &mut job.region.width,
            2 => &mut job.region.height,
            _ => &mut job.samples,
        };
        *part = (*part / 2).max(1);
    }
    job.region.x = job.width - job.region.width;
    job.region.y = job.height - job.region.height;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn units_of_any_job_are_bounded(job in jobs(), places in places()) {
        prop_assert!(bounded(JobKind::Rendering(job), &places), "{job:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn units_survive_noise(job in jobs(), place: (u64, u64), seed: u32) {
        prop_assert!(survives(JobKind::Rendering(job), &[place], seed), "{job:?}");
    }
}

/// A scene whose header is possible, and of which the rest is noise.
struct NoisyScene {
    header: Vec<u8>,
    noise: Noise,
}

impl Blobs for NoisyScene {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let length = self.noise.chunk(source, index, chunk);
        if matches!(source, Source::Input(_)) {
            if index == 0 {
                chunk[..96].copy_from_slice(&self.header);
            }
            // Half of all words are small, so that counts and places are possible, and surfaces known.
            for word in chunk[if index == 0 { 96 } else { 0 }..].chunks_exact_mut(4) {
                if word[3] % 2 == 0 {
                    word[1..].fill(0);
                    word[0] %= 8;
                }
            }
        }
        length
    }
}

/// A scene with these counts.
fn noisy(counts: [u32; 8], seed: u32) -> (u64, NoisyScene) {
    let entries = [32, 32, 20, 28, 12, 6, 28, 40];
    let size = 96
        + counts
            .iter()
            .zip(entries)
            .map(|(&count, entry)| u64::from(count) * entry)
            .sum::<u64>();
    let mut header = Scene::small().bytes()[..96].to_vec();
    for (bytes, count) in header[8..].chunks_exact_mut(4).zip(counts) {
        bytes.copy_from_slice(&count.to_le_bytes());
    }
    let noise = Noise::new(seed, 255);
    (size, NoisyScene { header, noise })
}

/// What units of a job at the limits take and read, given such a scene.
fn is_bounded_with(counts: [u32; 8], seed: u32, unit: u64, job: RenderingJob) {
    let (size, scene) = noisy(counts, seed);
    let job = RenderingJob {
        scene: BlobRef {
            size,
            ..BlobRef::to(&[])
        },
        ..job
    };
    JobSpec::V2(JobKind::Rendering(job)).validate().unwrap();
    let step = Step::State(0);
    let unit = unit % job.units(step);
    let said = check_bounds(&job, step, unit);
    let reads = std::cell::Cell::new(0);
    let counting = Counting {
        scene: &scene,
        reads: &reads,
    };
    let (bytes, work) = counted(|| job.compute(&counting, step, unit).unwrap());
    check_size(&said, &bytes);
    assert!(work <= said.work, "{work} operations, {said:?}");
    assert!(reads.get() <= said.chunks, "{} reads, {said:?}", reads.get());
}

struct Counting<'a> {
    scene: &'a NoisyScene,
    reads: &'a std::cell::Cell<u64>,
}

impl Blobs for Counting<'_> {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        self.reads.set(self.reads.get() + 1);
        self.scene.chunk(source, index, chunk)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn paths_through_scenes_of_noise_are_bounded(
        counts in (1u32..9, 1u32..3000, 0u32..40, 0u32..17, 0u32..3000, 0u32..99, 0u32..3000, 1u32..9), seed: u32, unit: u64,
        samples in up_to(64), max_bounces in 0..=MAX_BOUNCES, max_steps in up_to(MAX_STEPS),
    ) {
        let (a, b, c, d, e, f, g, h) = counts;
        let job = RenderingJob { samples, max_bounces, max_steps, ..job(BlobRef::to(&[])) };
        is_bounded_with([a, b, c, d, e, f, g, h], seed, unit, job);
    }
}

#[test]
#[ignore = "minutes: make test-long"]
fn the_largest_units_run_in_the_machine() {
    for bytes in [1 << 10, MAX_SCENE_BYTES] {
        let job = RenderingJob {
            samples: MAX_SAMPLES,
            max_bounces: MAX_BOUNCES,
            max_steps: MAX_STEPS,
            ..job(BlobRef {
                size: bytes,
                ..BlobRef::to(&[])
            })
        };
        assert!(run_in_the_machine(JobKind::Rendering(job)), "{job:?}");
    }
}

#[test]
fn paths_at_the_limits_of_jobs_and_scenes_are_bounded() {
    let largest = RenderingJob {
        samples: MAX_SAMPLES,
        max_bounces: MAX_BOUNCES,
        max_steps: MAX_STEPS,
        ..job(BlobRef::to(&[]))
    };
    let small = RenderingJob {
        samples: 1,
        max_bounces: 0,
        max_steps: 1,
        ..largest
    };
    // 64 MiB of all that fits.
    let full = [1024, 1 << 20, 1024, 16, 1 << 17, 1 << 17, 1 << 20, 4096];
    for seed in 0..4 {
        is_bounded_with(full, seed, u64::MAX - 1, largest);
        is_bounded_with(full, seed, 1, small);
    }
}

#[test]
fn scans_of_noise_are_total() {
    let (size, scene) = noisy([3, 9000, 3, 1, 9000, 9, 9, 3000], 5);
    let job = job(BlobRef {
        size,
        ..BlobRef::to(&[])
    });
    survives_noise(&job, Step::Inputs, 0, &scene.noise);
    for unit in 0..job.units(Step::Inputs) {
        assert!(matches!(
            job.compute(&scene, Step::Inputs, unit),
            Err(Fault::Unusable { .. })
        ));
    }
}

/// A scene of several pieces, and noise as what is kept.
struct NoisyKept {
    scene: Vec<u8>,
    noise: Noise,
}

impl Blobs for NoisyKept {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let length = self.noise.chunk(source, index, chunk);
        if matches!(source, Source::Input(_)) {
            let bytes = &self.scene[index as usize * CHUNK_BYTES..];
            let bytes = &bytes[..bytes.len().min(CHUNK_BYTES)];
            chunk[..bytes.len()].copy_from_slice(bytes);
        }
        length
    }
}

#[test]
fn scans_that_go_on_from_noise_are_total() {
    let mut scene = Scene::small();
    scene.tables[TRIANGLES].resize(40_000, words(&[0, 1, 2, -1, -1, -1, 0]));
    scene.tables[NODES] = halves(40_002, 1);
    let scene = scene.bytes();
    let job = job(BlobRef::to(&scene));
    for seed in 0..20 {
        let noise = Noise::new(seed, [255, 1, 39][seed as usize % 3]);
        let blobs = NoisyKept {
            scene: scene.clone(),
            noise,
        };
        let mut unusable = 0;
        for unit in 0..job.units(Step::Inputs) {
            let said = check_bounds(&job, Step::Inputs, unit);
            match job.compute(&blobs, Step::Inputs, unit) {
                Ok(bytes) => check_size(&said, &bytes),
                Err(Fault::Unusable { .. }) => unusable += 1,
                Err(fault) => panic!("{fault}"),
            }
        }
        // The first needs nothing; nodes that are not those due are met in the others.
        assert!(unusable > 0 && unusable < job.units(Step::Inputs));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn tiles_of_scenes_that_are_unusable_have_an_output(
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![0i32..9, any::<i32>()]), 1..9), cut in 0usize..99,
    ) {
        let mut scene = Scene::small().bytes();
        for (at, word) in edits {
            let at = 4 * at.index(scene.len() / 4 - 1);
            scene[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        scene.truncate(scene.len() - cut / 3 * usize::from(cut % 3 == 0));
        let (job, contents) = job_of(scene);
        let blobs = Present(contents);
        for unit in 0..job.units(Step::State(0)) {
            let said = check_bounds(&job, Step::State(0), unit);
            check_size(&said, &job.compute(&blobs, Step::State(0), unit).unwrap());
        }
    }
}

/// Contents as they are, and zeros as what is kept.
struct Present(Contents);

impl Blobs for Present {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        *chunk = [0; CHUNK_BYTES];
        let Source::Input(blob) = source else {
            return Some(CHUNK_BYTES);
        };
        let bytes = self.0.0[blob].get(index as usize * CHUNK_BYTES..)?;
        let bytes = &bytes[..bytes.len().min(CHUNK_BYTES)];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(bytes.len())
    }
}
