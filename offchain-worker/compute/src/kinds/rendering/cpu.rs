//! Rendering on the processor, tile by tile on all cores.

use super::{
    Renderer,
    tiles::{Count, Tile, join, tiles},
};
use crate::{
    computation::Computation,
    kinds::EngineError,
    run::{CancelFlag, Run},
};
use agora_primitives::job::RenderingJob;
use rayon::prelude::*;

/// Renders `job`.
pub(super) fn run(job: &RenderingJob, run: &Run<'_>) -> Result<Computation, EngineError> {
    render_all(&Renderer::open(job, run.inputs)?, run)
}

/// Renders the job of `renderer`.
pub(super) fn render_all(renderer: &Renderer<'_>, run: &Run<'_>) -> Result<Computation, EngineError> {
    let job = renderer.job;
    let tiles = tiles(job);
    let count = Count::new(tiles.len(), run.progress);
    let parts: Vec<Vec<u8>> = tiles
        .par_iter()
        .map(|&tile| {
            let part = render(renderer, tile, run.cancel)?;
            count.add();
            Ok(part)
        })
        .collect::<Result<_, EngineError>>()?;
    run.cancel.check()?;
    Ok(join(job, &tiles, &parts))
}

fn render(renderer: &Renderer<'_>, tile: Tile, cancel: &CancelFlag) -> Result<Vec<u8>, EngineError> {
    let tracer = renderer.tracer(tile.frame);
    let mut part = Vec::with_capacity((tile.width * tile.height) as usize * super::tiles::PIXEL);
    for pixel in tile.pixels(renderer.job) {
        cancel.check()?;
        part.extend(renderer.colour(&tracer, pixel));
    }
    Ok(part)
}
