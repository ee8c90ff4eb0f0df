//! Rendering on a graphics device: some tiles at a time, some paths of each pixel at a time, so that no dispatch lasts
//! long.

mod buffers;

use super::{
    Renderer,
    tiles::{Count, PIXEL, Tile, join, tiles},
};
use crate::{
    computation::Computation,
    device::{Batch, Context, DeviceError},
    kernels::{PHILOX_WGSL, WIDE_WGSL, gpu::Gpu},
    kinds::EngineError,
    run::Run,
};
use agora_primitives::job::RenderingJob;
use buffers::Buffers;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const SHADER: [&str; 5] = [
    WIDE_WGSL,
    PHILOX_WGSL,
    include_str!("gpu/arithmetic.wgsl"),
    include_str!("gpu/trace.wgsl"),
    include_str!("gpu/path.wgsl"),
];
const ENTRY_POINT: &str = "render";
/// Words of a tile in the buffer of sums: three for each of its pixels.
const TILE_WORDS: usize = 3 * 64 * 64;
/// Words of a row of a tile's sums.
const ROW_WORDS: usize = 3 * 64;
/// The most tiles of a dispatch.
const MAX_BATCH: u32 = 64;
/// How long a dispatch should last: enough to keep the device busy, too short for any watchdog.
const SHORT: Duration = Duration::from_millis(60);
const LONG: Duration = Duration::from_millis(240);

/// Renders `job`.
pub(super) fn run(job: &RenderingJob, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
    let renderer = Renderer::open(job, run.inputs)?;
    let tiles = tiles(job);
    let count = Count::new(tiles.len(), run.progress);
    let mut parts: Vec<Vec<u8>> = Vec::with_capacity(tiles.len());
    gpu.on_device(|context| {
        let mut flight = Flight::new(context, &renderer, run)?;
        while let Some(batch) = flight.next_batch(&tiles[parts.len()..]) {
            let sums = flight.render(batch)?;
            for (tile, sums) in batch.iter().zip(sums.chunks_exact(TILE_WORDS)) {
                parts.push(develop(&renderer, *tile, sums));
                count.add();
            }
        }
        Ok::<_, EngineError>(())
    })?;
    Ok(join(job, &tiles, &parts))
}

/// The bytes of a tile whose sums are in rows of 64 pixels.
fn develop(renderer: &Renderer<'_>, tile: Tile, sums: &[u32]) -> Vec<u8> {
    let mut part = Vec::with_capacity((tile.width * tile.height) as usize * PIXEL);
    for row in sums.chunks_exact(ROW_WORDS).take(tile.height as usize) {
        let (pixels, _) = row.as_chunks::<3>();
        for &pixel in &pixels[..tile.width as usize] {
            part.extend(renderer.develop(pixel));
        }
    }
    part
}

/// A job that is being rendered on a device.
struct Flight<'a> {
    context: &'a Context,
    renderer: &'a Renderer<'a>,
    run: &'a Run<'a>,
    pipeline: Arc<wgpu::ComputePipeline>,
    buffers: Buffers,
    /// The most tiles of a dispatch that the device allows.
    most: u32,
    /// Tiles times paths of each pixel that a dispatch may have: found by trying.
    pace: u32,
}

impl<'a> Flight<'a> {
    fn new(context: &'a Context, renderer: &'a Renderer<'a>, run: &'a Run<'a>) -> Result<Self, DeviceError> {
        let pipeline = compile(context);
        let most = MAX_BATCH.min(context.bounds.workgroups);
        if most < 8 {
            return Err(DeviceError::Limit {
                limit: "workgroups per dimension",
                needed: 8,
                available: most.into(),
            });
        }
        let buffers = Buffers::new(context, &pipeline, renderer, most)?;
        context.check()?;
        Ok(Self {
            context,
            renderer,
            run,
            pipeline,
            buffers,
            most,
            pace: 1,
        })
    }

    /// The tiles to render next, all of one frame.
    fn next_batch<'t>(&self, rest: &'t [Tile]) -> Option<&'t [Tile]> {
        let first = rest.first()?;
        let most = self.pace.min(self.most) as usize;
        let count = rest
            .iter()
            .take(most)
            .take_while(|tile| tile.frame == first.frame)
            .count();
        Some(&rest[..count])
    }

    /// The sums of the radiances of all paths of all pixels of `batch`.
    fn render(&mut self, batch: &[Tile]) -> Result<Vec<u32>, DeviceError> {
        let Some(first) = batch.first() else {
            return Ok(Vec::new());
        };
        let samples = self.renderer.job.samples;
        self.buffers.begin(self.context, self.renderer.job, batch);
        let mut done = 0;
        while done < samples {
            self.run.cancel.check()?;
            let tiles = batch.len() as u32;
            let now = (self.pace / tiles).clamp(1, samples - done);
            self.buffers
                .set_params(self.context, self.renderer, first.frame, done..done + now);
            let started = Instant::now();
            self.dispatch(tiles)?;
            self.adapt(started.elapsed(), tiles * now);
            done += now;
        }
        self.buffers
            .read(self.context, self.run.cancel, batch.len() * TILE_WORDS)
    }

    /// Renders so many tiles, and waits for them.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    fn dispatch(&self, tiles: u32) -> Result<(), DeviceError> {
        let mut batch = Batch::new(self.context, self.run.cancel);
        // The pace bounds how long a dispatch lasts, not its operations.
        let mut pass = batch.encoder(0)?.begin_compute_pass(&Default::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.buffers.bind_group, &[]);
        pass.dispatch_workgroups(8, 8, tiles);
        drop(pass);
        batch.finish()
    }

    /// Adapts the size of dispatches after one of `amount` that lasted `time`.
    fn adapt(&mut self, time: Duration, amount: u32) {
        if time > LONG {
            self.pace = (self.pace / 2).max(1);
        } else if time < SHORT && amount >= self.pace {
            // At most 64 tiles and 4096 paths.
            self.pace = (self.pace * 2).min(1 << 18);
        }
    }
}

#[allow(unsafe_code, reason = "a checked shader bounds its loops, at several times the cost")]
fn compile(context: &Context) -> Arc<wgpu::ComputePipeline> {
    // SAFETY: without checks the shader must keep to its buffers, end its loops and not divide by zero. What the
    // buffers hold comes from `PreparedScene`, made of a scene that was validated:
    // - `nodes`: `at` is below their number; each node's `skip` is above its own place, so that the loop ends.
    // - `primitives`, `surfaces`: leaves name places below their number (they are ranges of the hierarchy's order,
    //   which has an entry for each primitive); a hit has such a place, or the number of primitives plus that of a
    //   plane.
    // - `tables`: planes and lights are counted by `params`; `wide_product(x, lights).y < lights`, asked only if there
    //   are lights; materials of shapes exist (`Scene::validate`).
    // - `tiles`, `sums`: there are as many as workgroups along z (`Buffers::begin`), with 64 · 64 · 3 words each;
    //   `place` is below 64.
    // - Loops count up to 10, 16, `planes` ≤ 16, a leaf's at most 15 primitives, `max_bounces` ≤ 64 and
    //   `samples` ≤ 4096.
    // - Divisors: the upper half of a number shifted to have its highest bit set, so that it is 2¹⁵ or more, unless
    //   the divisor of `wide_quotient` is zero: there it is a root of at least 2²⁸, a speed or a size that was found
    //   not to be zero, or a length above 64; the root of at least 2³⁰; a throughput that is above a random number.
    // - Shifts are below 32: constants, or differences of a count of leading zeros that is below 32.
    unsafe { context.pipeline("rendering", || SHADER.concat(), ENTRY_POINT) }
}

#[cfg(test)]
mod tests;
