//! Tiles: where each lies, and the output that is joined from them.

use crate::{
    Blobs, Fault, Output, Reader, Source, Unit,
    counts::{product, sum},
    part, parts,
};
use agora_jobs::{Limits, RenderingJob, TILE_SIDE};
use alloc::vec::Vec;

/// Bytes of a pixel.
pub const PIXEL: u64 = 3;
/// Bytes of a part of the output: of an image one pixel wide it has 21,846 rows, from as many places of tiles.
const PART_BYTES: u64 = 1 << 16;

/// The side of a tile.
const SIDE: u64 = TILE_SIDE as u64;

/// A part of the region in one frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tile {
    /// Counted from the job's first.
    pub frame: u64,
    /// Where it lies in the region.
    pub x: u64,
    pub y: u64,
    pub width: u64,
    pub height: u64,
}

impl Tile {
    /// Tile `number` of a job. `None`: there is none.
    pub fn of(job: &RenderingJob, number: u64) -> Option<Self> {
        if number >= job.tiles() {
            return None;
        }
        let across = parts(job.region.width.into(), SIDE);
        let down = parts(job.region.height.into(), SIDE);
        let row = number.checked_div(across)?;
        let (x, width) = part(job.region.width.into(), SIDE, number.checked_rem(across)?)?;
        let (y, height) = part(job.region.height.into(), SIDE, row.checked_rem(down)?)?;
        Some(Self {
            frame: row.checked_div(down)?,
            x,
            y,
            width,
            height,
        })
    }

    pub fn pixels(&self) -> u64 {
        product([self.width, self.height])
    }
}

/// How many parts the output has.
pub fn output_parts(job: &RenderingJob) -> u64 {
    parts(job.max_output_bytes(), PART_BYTES)
}

/// Part `number` of the output. `None`: there is none.
pub fn output_unit(job: &RenderingJob, number: u64) -> Option<Unit> {
    let (offset, size) = part(job.max_output_bytes(), PART_BYTES, number)?;
    let row = product([PIXEL, job.region.width.into()]);
    let rows = size.checked_div(row)?.saturating_add(2);
    Some(Unit {
        output: Output::Part { offset, size },
        work: size,
        // Of each row and tile there are at most 192 bytes, one after the other.
        chunks: product([rows, parts(job.region.width.into(), SIDE), 2]),
    })
}

/// Copies the `size` bytes of the output from `offset` on from the tiles.
pub fn join(job: &RenderingJob, blobs: &dyn Blobs, offset: u64, size: u64) -> Result<Vec<u8>, Fault> {
    let mut joined = Vec::new();
    let mut at = offset;
    let end = sum([offset, size]);
    while at < end {
        let (tile, inside, rest) = place(job, at).ok_or(Fault::NoUnit)?;
        let count = rest.min(end.saturating_sub(at));
        let mut reader = Reader::new(blobs, Source::State(tile));
        joined.extend(reader.read_vec(inside, count as usize)?);
        at = sum([at, count]);
    }
    Ok(joined)
}

/// Where byte `at` of the output is from: the tile, the byte in it, and how many bytes of that row follow there, itself
/// included.
fn place(job: &RenderingJob, at: u64) -> Option<(u64, u64, u64)> {
    let (width, height) = (u64::from(job.region.width), u64::from(job.region.height));
    let row = product([PIXEL, width]);
    let (line, byte) = (at.checked_div(row)?, at.checked_rem(row)?);
    let (frame, y) = (line.checked_div(height)?, line.checked_rem(height)?);
    let (across, down) = (parts(width, SIDE), parts(height, SIDE));
    let column = byte / (SIDE * PIXEL);
    let number = sum([product([sum([product([frame, down]), y / SIDE]), across]), column]);
    let tile = Tile::of(job, number)?;
    let tile_row = product([PIXEL, tile.width]);
    let in_row = byte.checked_sub(product([PIXEL, tile.x]))?;
    let inside = sum([product([y.checked_sub(tile.y)?, tile_row]), in_row]);
    Some((number, inside, tile_row.checked_sub(in_row)?))
}
