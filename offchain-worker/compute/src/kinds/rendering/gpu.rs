//! Rendering on a graphics device: some tiles at a time, some paths of each pixel at a time, or a part of a tile, so that
//! no submission lasts long.

mod buffers;
mod pixels;

use super::{
    Renderer,
    tiles::{Count, PIXEL, Tile, join, tiles},
};
use crate::{
    computation::Computation,
    device::{Batch, Bounds, Context, DeviceError, Needs, Pacer},
    kernels::{PHILOX_WGSL, WIDE_WGSL, gpu::Gpu},
    kinds::EngineError,
    run::Run,
};
use agora_primitives::job::{Region, RenderingJob};
use buffers::Buffers;
pub(super) use pixels::render_pixels;
use std::{ops::Range, sync::Arc};

const SHADER: [&str; 5] = [
    WIDE_WGSL,
    PHILOX_WGSL,
    include_str!("gpu/arithmetic.wgsl"),
    include_str!("gpu/trace.wgsl"),
    include_str!("gpu/path.wgsl"),
];
/// Pixels of a tile, and its words in the buffer of sums: three for each pixel.
const TILE_PIXELS: u32 = 64 * 64;
const TILE_WORDS: usize = 3 * TILE_PIXELS as usize;
/// Workgroups of a tile, and of a row of them.
const TILE_GROUPS: u32 = 64;
const ROW_GROUPS: u32 = 8;
/// Words of a row of a tile's sums.
const ROW_WORDS: usize = 3 * 64;
/// The most tiles of a dispatch.
const MAX_BATCH: u32 = 64;
/// The work of the first submission. Work is counted in workgroups, of 64 pixels, times paths of each pixel.
const FIRST_WORK: u64 = 8;

/// What `job` needs of a device with `bounds`, whatever its scene is.
pub(super) fn needs(job: &RenderingJob, bounds: &Bounds) -> Needs {
    let most = most_tiles(bounds);
    buffers::needs(job.scene.size, [most, most * TILE_PIXELS]).workgroups(ROW_GROUPS)
}

/// The most tiles of a dispatch.
fn most_tiles(bounds: &Bounds) -> u32 {
    MAX_BATCH.min(bounds.workgroups)
}

/// Renders `job`.
pub(super) fn run(job: &RenderingJob, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
    let renderer = Renderer::open(job, run.inputs)?;
    let tiles = tiles(job);
    let order = spread(&tiles);
    let count = Count::new(tiles.len(), run.progress);
    let mut parts: Vec<Vec<u8>> = vec![Vec::new(); tiles.len()];
    let mut done = 0;
    gpu.on_device(|context| {
        let mut flight = Flight::of_tiles(context, &renderer, run)?;
        loop {
            let places = flight.next_places(&tiles, &order[done..]);
            if places.is_empty() {
                return Ok::<_, EngineError>(());
            }
            let batch: Vec<Tile> = places.iter().map(|&place| tiles[place]).collect();
            let sums = flight.render_tiles(&batch)?;
            for (&place, sums) in places.iter().zip(sums.chunks_exact(TILE_WORDS)) {
                parts[place] = develop(&renderer, tiles[place], sums);
                count.add();
            }
            done += places.len();
        }
    })?;
    Ok(join(job, &tiles, &parts))
}

/// The places of `tiles` in the order in which they are rendered: frame by frame, and spread over each frame, so that
/// tiles that are rendered together are as expensive as those before, wherever sky and objects are.
fn spread(tiles: &[Tile]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tiles.len()).collect();
    // Multiples of the golden ratio, in units of 2⁻³². A job has at most 2¹⁶ tiles.
    order.sort_by_key(|&place| (tiles[place].frame, (place as u32).wrapping_mul(0x9e37_79b9)));
    order
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

/// Which paths a dispatch adds up: a part of the workgroups of a batch of tiles, and of the paths of each pixel.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    /// The first workgroup, counted through all tiles, each of which has 8 rows of 8.
    first: u32,
    /// Workgroups in a row, rows, and tiles.
    workgroups: [u32; 3],
    samples: Range<u32>,
}

impl Part {
    /// The part that goes on after `done` paths of each pixel, and after `first` workgroups with one more, with at most
    /// `amount` of work, but at least one workgroup with one path. `tiles` and `samples` say what there is in all.
    fn after(done: u32, first: u32, amount: u64, tiles: u32, samples: u32) -> Self {
        // More than 32 bits hold is all there is.
        let amount = u32::try_from(amount).unwrap_or(u32::MAX);
        if first == 0 && amount >= tiles * TILE_GROUPS {
            let count = (amount / (tiles * TILE_GROUPS)).min(samples - done);
            return Self {
                first,
                workgroups: [ROW_GROUPS, ROW_GROUPS, tiles],
                samples: done..done + count,
            };
        }
        let [column, row] = [first % ROW_GROUPS, first % TILE_GROUPS / ROW_GROUPS];
        let workgroups = if first.is_multiple_of(TILE_GROUPS) && amount >= TILE_GROUPS {
            let rest = tiles - first / TILE_GROUPS;
            [ROW_GROUPS, ROW_GROUPS, (amount / TILE_GROUPS).min(rest)]
        } else if column == 0 && amount >= ROW_GROUPS {
            [ROW_GROUPS, (amount / ROW_GROUPS).min(ROW_GROUPS - row), 1]
        } else {
            [amount.clamp(1, ROW_GROUPS - column), 1, 1]
        };
        Self {
            first,
            workgroups,
            samples: done..done + 1,
        }
    }

    /// As [`Self::after`], for the pixels of a list of so many `groups` of 64.
    fn after_of_list(done: u32, first: u32, amount: u64, groups: u32, samples: u32) -> Self {
        let amount = u32::try_from(amount).unwrap_or(u32::MAX);
        let (count, paths) = match first {
            0 if amount >= groups => (groups, amount / groups),
            _ => (amount.clamp(1, groups - first), 1),
        };
        Self {
            first,
            workgroups: [count, 1, 1],
            samples: done..done + paths.min(samples - done),
        }
    }

    /// Workgroups.
    fn groups(&self) -> u32 {
        self.workgroups.iter().product()
    }

    /// Workgroups times paths of each pixel.
    fn work(&self) -> u64 {
        u64::from(self.groups()) * self.samples.len() as u64
    }
}

/// A job that is being rendered on a device.
struct Flight<'a> {
    context: &'a Context,
    renderer: &'a Renderer<'a>,
    run: &'a Run<'a>,
    pipeline: Arc<wgpu::ComputePipeline>,
    buffers: Buffers,
    /// The most tiles or pixels of a dispatch.
    most: u32,
    batch: Batch<'a>,
    /// The frame of the last dispatch.
    frame: Option<u32>,
}

impl<'a> Flight<'a> {
    /// For tiles.
    fn of_tiles(context: &'a Context, renderer: &'a Renderer<'a>, run: &'a Run<'a>) -> Result<Self, DeviceError> {
        let most = most_tiles(&context.bounds);
        if most < ROW_GROUPS {
            return Err(DeviceError::Limit {
                limit: "workgroups per dimension",
                needed: ROW_GROUPS.into(),
                available: most.into(),
            });
        }
        Self::new(
            context,
            renderer,
            run,
            compile(context, "render"),
            [most, most * TILE_PIXELS],
        )
    }

    /// For so many places at a time, tiles or single pixels, which have so many pixels in all.
    fn new(
        context: &'a Context,
        renderer: &'a Renderer<'a>,
        run: &'a Run<'a>,
        pipeline: Arc<wgpu::ComputePipeline>,
        [places, pixels]: [u32; 2],
    ) -> Result<Self, DeviceError> {
        let buffers = Buffers::new(context, &pipeline, renderer, [places, pixels])?;
        context.check()?;
        Ok(Self {
            context,
            renderer,
            run,
            pipeline,
            buffers,
            most: places,
            batch: Batch::paced(context, run.cancel, Pacer::new(FIRST_WORK, context.submission_work)),
            frame: None,
        })
    }

    /// Notes that `frame` is rendered next. The pace of another frame says little.
    fn turn_to(&mut self, frame: Option<u32>) {
        if frame != self.frame {
            self.batch.slow_down();
            self.frame = frame;
        }
    }

    /// The first of `order` to render next, all of one frame.
    fn next_places<'t>(&mut self, tiles: &[Tile], order: &'t [usize]) -> &'t [usize] {
        let frame_of = |&place: &usize| tiles[place].frame;
        let frame = order.first().map(frame_of);
        self.turn_to(frame);
        // The cast saturates nothing: at most 64.
        let most = (self.batch.max_work() / u64::from(TILE_GROUPS)).clamp(1, self.most.into()) as usize;
        let count = order
            .iter()
            .take(most)
            .take_while(|place| Some(frame_of(place)) == frame);
        &order[..count.count()]
    }

    /// The sums of the radiances of all paths of all pixels of `tiles`.
    fn render_tiles(&mut self, tiles: &[Tile]) -> Result<Vec<u32>, DeviceError> {
        let Some(&Tile { frame, .. }) = tiles.first() else {
            return Ok(Vec::new());
        };
        let Region { x, y, .. } = self.renderer.job.region;
        let places = tiles
            .iter()
            .map(|tile| [x + tile.x, y + tile.y, tile.width, tile.height]);
        self.buffers.begin(self.context, &places.collect::<Vec<_>>());
        let (count, samples) = (tiles.len() as u32, self.renderer.job.samples);
        self.add_paths(frame, count * TILE_GROUPS, |done, first, amount| {
            Part::after(done, first, amount, count, samples)
        })?;
        self.read(tiles.len() * TILE_WORDS)
    }

    /// Submits all paths of `groups` workgroups: the parts that `after` gives, each after so many paths of each pixel, so many
    /// workgroups with one more, and for an amount of work.
    fn add_paths(&mut self, frame: u32, groups: u32, after: impl Fn(u32, u32, u64) -> Part) -> Result<(), DeviceError> {
        let (mut done, mut first) = (0, 0);
        while done < self.renderer.job.samples {
            let part = after(done, first, self.batch.max_work());
            self.submit(frame, &part)?;
            first += part.groups();
            if first == groups {
                (done, first) = (part.samples.end, 0);
            }
        }
        Ok(())
    }

    /// Reads the first `words` of the sums.
    fn read(&mut self, words: usize) -> Result<Vec<u32>, DeviceError> {
        self.buffers.read(self.context, &mut self.batch, self.run.cancel, words)
    }

    /// Submits `part`, after all that was recorded before.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    fn submit(&mut self, frame: u32, part: &Part) -> Result<(), DeviceError> {
        self.buffers.set_params(self.context, self.renderer, frame, part);
        let mut pass = self.batch.encoder(part.work())?.begin_compute_pass(&Default::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.buffers.bind_group, &[]);
        let [x, y, z] = part.workgroups;
        pass.dispatch_workgroups(x, y, z);
        drop(pass);
        // At once: the parameters are those of this part.
        self.batch.submit()?;
        Ok(())
    }
}

#[allow(unsafe_code, reason = "a checked shader bounds its loops, at several times the cost")]
fn compile(context: &Context, entry_point: &str) -> Arc<wgpu::ComputePipeline> {
    // SAFETY: without checks the shader must keep to its buffers, end its loops and not divide by zero. What the
    // buffers hold comes from `PreparedScene`, made of a scene that was validated:
    // - `nodes`: `at` is below their number, for `Scene::validate` has found both children of a node there; the loop
    //   ends because each turn takes a step, and a path has `max_steps`.
    // - `waiting`: a place for each level of the hierarchy, which has at most 40 (`Scene::validate`), and one node of
    //   a level waits at a time.
    // - `primitives`, `surfaces`: leaves name shapes that exist (`Scene::validate`); a hit has such a place, or the
    //   number of primitives plus that of a plane.
    // - `tables`: planes and lights are counted by `params`; `wide_product(x, lights).y < lights`, asked only if there
    //   are lights; materials of shapes exist (`Scene::validate`).
    // - `tiles`, `sums`: the workgroups of a part end with those of the batch's last tile (`Part::after`), and there are
    //   as many tiles as in the batch (`Buffers::begin`), with 64 · 64 · 3 words each; `place` is below 64, because a
    //   part does not go beyond the end of a row of workgroups, nor of a tile. Of a list, parts end with its last
    //   workgroup (`Part::after_of_list`), and each invocation has a pixel in `tiles` and three words in `sums`.
    // - Loops count up to 10, 16, `planes` ≤ 16, a leaf's at most 8 primitives, `max_bounces` ≤ 64 and
    //   `samples` ≤ 4096.
    // - Divisors: the upper half of a number shifted to have its highest bit set, so that it is 2¹⁵ or more, unless
    //   the divisor of `wide_quotient` is zero: there it is a root of at least 2²⁸, a speed or a size that was found
    //   not to be zero, or a length above 64; the root of at least 2³⁰; a throughput that is above a random number.
    // - Shifts are below 32: constants, or differences of a count of leading zeros that is below 32.
    unsafe { context.pipeline(entry_point, || SHADER.concat(), entry_point) }
}

#[cfg(test)]
mod tests;
