//! Rendering: paths of light through a scene. Specified in `docs/protocol/rendering.md`, whose letters are used here.
//!
//! [`Step::Inputs`] scans the scene. Each tile is a state, whose units are described in [`plan`]; the last state, the
//! output, is joined from them.

mod bsdf;
mod camera;
mod colours;
mod entries;
mod hierarchy;
mod number;
mod path;
mod plan;
mod scan;
mod scene;
mod search;
mod shapes;
mod tables;
mod tiles;

use crate::{Blobs, Fault, Output, Reader, Reference, Source, Step, Unit, counts::product};
use agora_jobs::{Limits, RenderingJob};
use alloc::vec::Vec;
use core::ops::Range;
use path::PathTracer;
use plan::{Plan, SUMS, Task};
use scene::{Scene, read_header};
use tiles::{PIXEL, Tile};

impl Reference for RenderingJob {
    fn states(&self) -> u64 {
        self.tiles().saturating_add(1)
    }

    fn state_size(&self, state: u64) -> u64 {
        match Tile::of(self, state) {
            Some(tile) => product([tile.pixels(), PIXEL]),
            None => self.max_output_bytes(),
        }
    }

    fn units(&self, step: Step) -> u64 {
        match step {
            Step::Inputs => scan::scans(self),
            Step::State(state) => match Tile::of(self, state) {
                Some(tile) => Plan::new(self, tile).units(),
                None if state == self.tiles() => tiles::output_parts(self),
                None => 0,
            },
        }
    }

    fn unit(&self, step: Step, unit: u64) -> Option<Unit> {
        match step {
            Step::Inputs => scan::unit(self, unit),
            Step::State(state) => match Tile::of(self, state) {
                Some(tile) => {
                    let plan = Plan::new(self, tile);
                    Some(plan.unit(&plan.task(unit)?))
                }
                None if state == self.tiles() => tiles::output_unit(self, unit),
                None => None,
            },
        }
    }

    fn compute(&self, blobs: &dyn Blobs, step: Step, unit: u64) -> Result<Vec<u8>, Fault> {
        let known = self.unit(step, unit).ok_or(Fault::NoUnit)?;
        let Step::State(state) = step else {
            return scan::scan(self, blobs, unit);
        };
        let Some(tile) = Tile::of(self, state) else {
            let Output::Part { offset, size } = known.output else {
                return Err(Fault::NoUnit);
            };
            return tiles::join(self, blobs, offset, size);
        };
        let plan = Plan::new(self, tile);
        match plan.task(unit).ok_or(Fault::NoUnit)? {
            Task::Paths { pixels, samples } => {
                let before = match unit.checked_sub(1) {
                    Some(before) if samples.start > 0 => {
                        let mut kept = Reader::new(blobs, Source::Kept(step, before));
                        read_sums(&mut kept, 0)?
                    }
                    _ => [0; 3],
                };
                trace(&plan, blobs, pixels, samples, before)
            }
            Task::Colours => develop(&plan, blobs, step),
        }
    }
}

/// Sums the radiances of these samples of each of these pixels, and `before`.
fn trace(
    plan: &Plan<'_>,
    blobs: &dyn Blobs,
    pixels: Range<u64>,
    samples: Range<u64>,
    before: [u32; 3],
) -> Result<Vec<u8>, Fault> {
    let (job, tile) = (plan.job, plan.tile);
    let scene = Scene::open(blobs, job.scene)?;
    // Frames are below 4096.
    let frame = job.first_frame.saturating_add(tile.frame as u32);
    let mut tracer = PathTracer::new(job, scene, frame);
    let mut kept = Vec::new();
    for pixel in pixels {
        let (Some(column), Some(row)) = (pixel.checked_rem(tile.width), pixel.checked_div(tile.width)) else {
            return Err(Fault::NoUnit);
        };
        // Places are below 8192.
        let place =
            |start: u32, tile: u64, inside: u64| start.saturating_add(tile as u32).saturating_add(inside as u32);
        let place = [place(job.region.x, tile.x, column), place(job.region.y, tile.y, row)];
        let mut sums = before;
        for sample in samples.clone() {
            // Samples are below 4096.
            let radiance = tracer.radiance(place, sample as u32)?;
            for (sum, radiance) in sums.iter_mut().zip(radiance) {
                // At most 4096 samples below 2²⁰ each, unless what was kept is false.
                *sum = sum.saturating_add(radiance.0 as u32);
            }
        }
        kept.extend(sums.into_iter().flat_map(u32::to_le_bytes));
    }
    Ok(kept)
}

/// The sums of a pixel.
fn read_sums(kept: &mut Reader<'_>, pixel: u64) -> Result<[u32; 3], Fault> {
    let mut bytes = [0; SUMS as usize];
    kept.read(product([pixel, SUMS]), &mut bytes)?;
    let mut sums = [0; 3];
    for (sum, &bytes) in sums.iter_mut().zip(bytes.as_chunks().0) {
        *sum = u32::from_le_bytes(bytes);
    }
    Ok(sums)
}

/// The colours of a tile.
fn develop(plan: &Plan<'_>, blobs: &dyn Blobs, step: Step) -> Result<Vec<u8>, Fault> {
    let job = plan.job;
    let mut scene = Reader::new(blobs, Source::Input(job.scene));
    let exposure = read_header(&mut scene, job.scene)?.exposure;
    let mut colours = Vec::new();
    for (unit, pixels) in plan.summed() {
        let mut kept = Reader::new(blobs, Source::Kept(step, unit));
        for pixel in 0..pixels {
            let sums = read_sums(&mut kept, pixel)?;
            colours.extend(sums.map(|sum| colours::develop(sum, job.samples, exposure)));
        }
    }
    Ok(colours)
}
