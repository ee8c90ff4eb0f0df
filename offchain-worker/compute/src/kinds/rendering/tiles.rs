//! Tiles: the parts in which a job is computed, told of and committed to.

use crate::{
    digest::output_digest,
    engine::{Computation, Progress},
};
use agora_primitives::job::{RenderingJob, TILE_SIDE};
use std::sync::{Mutex, PoisonError};

/// Bytes of a pixel: red, green, blue.
pub(super) const PIXEL: usize = 3;

/// A part of the region in one frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tile {
    pub frame: u32,
    /// Place in the region.
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Tile {
    /// The pixels of the whole image that are in it, row by row.
    pub fn pixels(self, job: &RenderingJob) -> impl Iterator<Item = [u32; 2]> + use<> {
        let (left, top) = (job.region.x + self.x, job.region.y + self.y);
        (0..self.width * self.height).map(move |i| [left + i % self.width, top + i / self.width])
    }
}

/// The tiles of a job: frame by frame, row by row; the last of a row and of a column may be smaller.
pub(super) fn tiles(job: &RenderingJob) -> Vec<Tile> {
    let region = job.region;
    let side = TILE_SIDE as usize;
    let mut tiles = Vec::new();
    for frame in job.first_frame..job.first_frame + job.frames {
        for y in (0..region.height).step_by(side) {
            tiles.extend((0..region.width).step_by(side).map(|x| Tile {
                frame,
                x,
                y,
                width: TILE_SIDE.min(region.width - x),
                height: TILE_SIDE.min(region.height - y),
            }));
        }
    }
    tiles
}

/// Joins the bytes of all tiles to the output, and takes the digests of all.
pub(super) fn join(job: &RenderingJob, tiles: &[Tile], parts: &[Vec<u8>]) -> Computation {
    let row = job.region.width as usize * PIXEL;
    let mut output = vec![0; row * job.region.height as usize * job.frames as usize];
    for (tile, part) in tiles.iter().zip(parts) {
        let first_row = ((tile.frame - job.first_frame) * job.region.height + tile.y) as usize;
        let from = tile.x as usize * PIXEL;
        for (y, line) in part.chunks_exact(tile.width as usize * PIXEL).enumerate() {
            let start = (first_row + y) * row + from;
            output[start..start + line.len()].copy_from_slice(line);
        }
    }
    let parts = parts.iter().map(|part| output_digest(part)).collect();
    Computation::of_parts(parts, output)
}

/// Counts the tiles that are done, from any thread.
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

    /// Counts one more. Told under the lock, so that the number never falls.
    pub fn add(&self) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        self.progress.update(*done, self.total);
    }
}
