//! Disputes: every tile is a state of its own.

use super::tiles::Tile;
use crate::{
    inputs::Inputs,
    kinds::{EngineError, Part, Trace, dispute::compute},
};
use agora_primitives::job::{JobKind, Region, RenderingJob};

/// A state for each tile, joined to the output.
pub(super) fn trace(job: &RenderingJob) -> Trace {
    // A job has at most 2¹⁶ tiles.
    Trace::joined(job.tiles() as u32)
}

/// The tile that byte `at` of `outputs` belongs to.
pub(super) fn part(
    job: &RenderingJob,
    inputs: &dyn Inputs,
    outputs: [&[u8]; 2],
    at: usize,
) -> Result<Part, EngineError> {
    let number = Tile::number_at(job, at);
    let tile = Tile::of(job, number);
    Ok(Part {
        number: number.into(),
        right: render(job, inputs, tile)?,
        claims: outputs.map(|output| tile.rows(job).flat_map(|row| &output[row]).copied().collect()),
    })
}

/// The bytes of a tile: a job for that part of that frame.
pub(super) fn render(job: &RenderingJob, inputs: &dyn Inputs, tile: Tile) -> Result<Vec<u8>, EngineError> {
    let one = RenderingJob {
        region: Region {
            x: job.region.x + tile.x,
            y: job.region.y + tile.y,
            width: tile.width,
            height: tile.height,
        },
        first_frame: tile.frame,
        frames: 1,
        ..*job
    };
    compute(JobKind::Rendering(one), inputs, None)
}
