//! How the work of a tile is cut into units. All of it follows from the job.
//!
//! | units | output |
//! | --- | --- |
//! | paths of some pixels, or of a part of one pixel's samples | kept: of each pixel and channel the sum of the radiances of its paths so far, `u32` |
//! | the colours | the tile |
//!
//! If one unit cannot have all paths of a pixel, each unit of that pixel adds to what the one before it kept.

use super::{
    colours,
    scene::held_chunks,
    tiles::{PIXEL, Tile},
};
use crate::{
    MAX_UNIT_CHUNKS, MAX_UNIT_WORK, Output, Unit,
    counts::{product, sum, touched},
    part, parts,
};
use agora_jobs::RenderingJob;
use core::ops::Range;

/// Bytes that are kept of a pixel.
pub const SUMS: u64 = 12;
/// What a step of a search takes at most: a box, which is 6 multiplications; or half a triangle, of which all is prepared
/// each time (9 divisions and roots, and 87 multiplications).
const STEP_WORK: u64 = 512;
/// What a segment of a path takes at most besides its steps: 16 planes for each of two rays, with a division and 9
/// multiplications each; 24 other divisions and roots; 8 random words; fewer than 300 other multiplications. This is half
/// of it; the rest is for what is only added and compared.
const SEGMENT_WORK: u64 = 8192;
/// What the materials, spheres, planes and keyframes, of at most 218 KiB, take once for each unit.
const HELD_WORK: u64 = 1 << 18;

/// A tile of a job, and how its work is cut.
pub struct Plan<'a> {
    pub job: &'a RenderingJob,
    pub tile: Tile,
    /// Samples of a pixel that a unit has, except the last.
    samples: u64,
    /// Pixels of a unit, except the last.
    pixels: u64,
}

/// What a unit does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Task {
    /// Sums radiances of these samples of these pixels of the tile.
    Paths { pixels: Range<u64>, samples: Range<u64> },
    /// Makes the tile.
    Colours,
}

/// What a path takes at most. Its camera ray counts as a segment.
fn path_work(job: &RenderingJob) -> u64 {
    let segments = u64::from(job.max_bounces).saturating_add(2);
    sum([
        product([segments, SEGMENT_WORK]),
        product([job.max_steps.into(), STEP_WORK]),
    ])
}

/// Chunks that a path reads at most. A leaf of `c` triangles takes `1 + 2c` steps, and reads one chunk for the node, two
/// for its entries, and two for each of their vertices: three for each step. A surface has three normals.
fn path_chunks(job: &RenderingJob) -> u64 {
    let surfaces = u64::from(job.max_bounces).saturating_add(1);
    sum([product([job.max_steps.into(), 3]), product([surfaces, 6])])
}

/// How many paths a unit can have.
fn paths(job: &RenderingJob) -> u64 {
    let work = MAX_UNIT_WORK.saturating_sub(HELD_WORK).checked_div(path_work(job));
    // Two chunks for what the unit before kept.
    let chunks = MAX_UNIT_CHUNKS.saturating_sub(sum([held_chunks(), 2]));
    let chunks = chunks.checked_div(path_chunks(job));
    work.unwrap_or(1).min(chunks.unwrap_or(1)).max(1)
}

impl<'a> Plan<'a> {
    pub fn new(job: &'a RenderingJob, tile: Tile) -> Self {
        let all = u64::from(job.samples).max(1);
        let samples = paths(job).min(all);
        Self {
            job,
            tile,
            samples,
            pixels: if samples < all {
                1
            } else {
                paths(job).checked_div(all).unwrap_or(1).min(tile.pixels()).max(1)
            },
        }
    }

    /// Units of a group of pixels.
    fn units_per_group(&self) -> u64 {
        parts(self.job.samples.into(), self.samples)
    }

    fn groups(&self) -> u64 {
        parts(self.tile.pixels(), self.pixels)
    }

    fn path_units(&self) -> u64 {
        product([self.groups(), self.units_per_group()])
    }

    pub fn units(&self) -> u64 {
        sum([self.path_units(), 1])
    }

    /// What unit `unit` does. `None`: there is no such unit.
    pub fn task(&self, unit: u64) -> Option<Task> {
        if unit >= self.path_units() {
            return (unit == self.path_units()).then_some(Task::Colours);
        }
        let group = unit.checked_div(self.units_per_group())?;
        let (pixel, pixels) = part(self.tile.pixels(), self.pixels, group)?;
        let number = unit.checked_rem(self.units_per_group())?;
        let (sample, samples) = part(self.job.samples.into(), self.samples, number)?;
        Some(Task::Paths {
            pixels: pixel..sum([pixel, pixels]),
            samples: sample..sum([sample, samples]),
        })
    }

    /// What follows from the job about a unit that does `task`.
    pub fn unit(&self, task: &Task) -> Unit {
        match task {
            Task::Paths { pixels, samples } => {
                let length = |range: &Range<u64>| range.end.saturating_sub(range.start);
                let paths = product([length(pixels), length(samples)]);
                Unit {
                    output: Output::Kept {
                        size: product([length(pixels), SUMS]),
                    },
                    work: sum([HELD_WORK, product([paths, path_work(self.job)])]),
                    chunks: sum([held_chunks(), 2, product([paths, path_chunks(self.job)])]),
                }
            }
            Task::Colours => Unit {
                output: Output::Part {
                    offset: 0,
                    size: product([self.tile.pixels(), PIXEL]),
                },
                work: product([self.tile.pixels(), PIXEL, colours::CHANNEL_WORK]),
                chunks: sum([1, product([self.groups(), touched(product([self.pixels, SUMS]))])]),
            },
        }
    }

    /// The units that have kept the sums of all paths, in the order of their pixels, each with its number of pixels.
    pub fn summed(&self) -> impl Iterator<Item = (u64, u64)> {
        let last = self.units_per_group().saturating_sub(1);
        (0..self.groups()).filter_map(move |group| {
            let (_, pixels) = part(self.tile.pixels(), self.pixels, group)?;
            Some((sum([product([group, self.units_per_group()]), last]), pixels))
        })
    }
}
