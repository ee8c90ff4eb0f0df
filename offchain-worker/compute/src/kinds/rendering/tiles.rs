//! Tiles: the parts in which a job is computed, reported as progress, and committed to.

use crate::{computation::Computation, digest::output_digest, run::Progress};
use agora_primitives::job::{RenderingJob, TILE_SIDE};
use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// Bytes of a pixel: red, green, blue.
pub(super) const PIXEL: usize = 3;

/// A pixel of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pixel {
    pub frame: u32,
    /// Where it lies in the whole image.
    pub place: [u32; 2],
}

impl Pixel {
    /// Pixel `number` of the output.
    pub fn of(job: &RenderingJob, number: usize) -> Self {
        let region = job.region;
        let (width, height) = (region.width as usize, region.height as usize);
        // All are below the job's own numbers.
        let [x, y, frame] = [number % width, number / width % height, number / width / height].map(|n| n as u32);
        Self {
            frame: job.first_frame + frame,
            place: [region.x + x, region.y + y],
        }
    }
}

/// A part of the region in one frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tile {
    pub frame: u32,
    /// Where it lies in the region.
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Tile {
    /// Tile `number` of a job: frame by frame, row by row; the last of a row and of a column may be smaller.
    pub fn of(job: &RenderingJob, number: u32) -> Self {
        let region = job.region;
        let [across, down] = [region.width, region.height].map(|side| side.div_ceil(TILE_SIDE));
        let [x, y] = [number % across, number / across % down].map(|place| place * TILE_SIDE);
        Self {
            frame: job.first_frame + number / across / down,
            x,
            y,
            width: TILE_SIDE.min(region.width - x),
            height: TILE_SIDE.min(region.height - y),
        }
    }

    /// The pixels of the whole image that are in it, row by row.
    pub fn pixels(self, job: &RenderingJob) -> impl Iterator<Item = [u32; 2]> + use<> {
        let (left, top) = (job.region.x + self.x, job.region.y + self.y);
        (0..self.width * self.height).map(move |i| [left + i % self.width, top + i / self.width])
    }

    /// The bytes of the output that hold its rows, row by row.
    pub fn rows(self, job: &RenderingJob) -> impl Iterator<Item = Range<usize>> + use<> {
        let row = job.region.width as usize * PIXEL;
        let first_row = ((self.frame - job.first_frame) * job.region.height + self.y) as usize;
        let first = first_row * row + self.x as usize * PIXEL;
        let length = self.width as usize * PIXEL;
        (0..self.height as usize).map(move |y| first + y * row..first + y * row + length)
    }
}

/// The tiles of a job, in order.
pub(super) fn tiles(job: &RenderingJob) -> Vec<Tile> {
    // A job has at most 2¹⁶ tiles.
    (0..job.tiles() as u32).map(|number| Tile::of(job, number)).collect()
}

/// Joins the bytes of all tiles to the output, and takes the digests of all.
pub(super) fn join(job: &RenderingJob, tiles: &[Tile], parts: &[Vec<u8>]) -> Computation {
    let pixels = job.region.width as usize * job.region.height as usize * job.frames as usize;
    let mut output = vec![0; pixels * PIXEL];
    for (tile, part) in tiles.iter().zip(parts) {
        for (row, line) in tile.rows(job).zip(part.chunks_exact(tile.width as usize * PIXEL)) {
            output[row].copy_from_slice(line);
        }
    }
    let parts = parts.iter().map(|part| output_digest(part)).collect();
    Computation::of_parts(parts, output)
}

/// Counts the finished tiles, from any thread.
pub(super) struct Count<'a> {
    done: Mutex<u32>,
    total: u32,
    progress: &'a dyn Progress,
}

impl<'a> Count<'a> {
    /// Begins to count to `total`.
    pub fn new(total: usize, progress: &'a dyn Progress) -> Self {
        // A job has at most 2¹⁶ tiles.
        let total = total as u32;
        progress.update(0, total);
        Self {
            done: Mutex::new(0),
            total,
            progress,
        }
    }

    /// Counts one more. Progress is reported under the lock, so that the number never falls.
    pub fn add(&self) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        self.progress.update(*done, self.total);
    }
}
