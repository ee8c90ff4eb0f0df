//! A scene and the sums of radiances on a device.

use super::{MAX_BATCH, Studio, TILE_WORDS, Tile};
use crate::{
    engine::{
        CancelFlag,
        gpu::{batch::Batch, context::Context},
    },
    error::EngineError,
    kinds::rendering::path,
};
use agora_primitives::job::RenderingJob;
use bytemuck::{Pod, Zeroable, bytes_of, cast_slice};
use std::ops::Range;

/// The shader's parameters: see `trace.wgsl`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    position: [i32; 3],
    step: i32,
    right: [i32; 3],
    aperture: i32,
    up: [i32; 3],
    lens: i32,
    forward: [i32; 3],
    frame: u32,
    zenith: [u32; 3],
    clamp: u32,
    horizon: [u32; 3],
    max_bounces: u32,
    ground: [u32; 3],
    first_sample: u32,
    key: [u32; 2],
    nonce: [u32; 2],
    size: [u32; 2],
    samples: u32,
    nodes: u32,
    primitives: u32,
    planes: u32,
    lights: u32,
    padding: u32,
}

/// All buffers of a job.
pub(super) struct Buffers {
    params: wgpu::Buffer,
    tiles: wgpu::Buffer,
    sums: wgpu::Buffer,
    pub bind_group: wgpu::BindGroup,
}

impl Buffers {
    /// Uploads the scene. Whether that worked is for [`Context::check`] to tell.
    ///
    /// Errors: `Limit` if the scene does not fit a buffer of the device.
    pub fn new(
        context: &Context,
        pipeline: &wgpu::ComputePipeline,
        studio: &Studio<'_>,
        most_tiles: u32,
    ) -> Result<Self, EngineError> {
        use wgpu::BufferUsages as Usage;
        let world = &studio.world;
        let tables: Vec<u8> = [
            cast_slice(&world.geometry.planes),
            cast_slice(&world.lights),
            cast_slice(&world.finishes),
        ]
        .concat();
        let filled = |label: &str, content: &[u8]| {
            // A binding is never empty; the longest entry has 96 bytes.
            let buffer = context.buffer(label, (content.len() as u64).max(96), Usage::STORAGE | Usage::COPY_DST)?;
            if !content.is_empty() {
                context.queue.write_buffer(&buffer, 0, content);
            }
            Ok::<_, EngineError>(buffer)
        };
        let nodes = filled("nodes", cast_slice(&world.geometry.nodes))?;
        let primitives = filled("primitives", cast_slice(&world.geometry.primitives))?;
        let skins = filled("skins", cast_slice(&world.geometry.skins))?;
        let tables = filled("tables", &tables)?;
        let most_tiles = u64::from(most_tiles.min(MAX_BATCH));
        let sum_bytes = most_tiles * 4 * TILE_WORDS as u64;
        let params = context.buffer(
            "parameters",
            size_of::<Params>() as u64,
            Usage::UNIFORM | Usage::COPY_DST,
        )?;
        let tiles = context.buffer("tiles", most_tiles * 16, Usage::STORAGE | Usage::COPY_DST)?;
        let sums = context.buffer("sums", sum_bytes, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST)?;
        let entries: Vec<_> = (0..)
            .zip([&params, &nodes, &primitives, &skins, &tables, &tiles, &sums])
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let bind_group = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("rendering"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Ok(Self {
            params,
            tiles,
            sums,
            bind_group,
        })
    }

    /// Names the tiles of the next dispatches, and clears the sums.
    pub fn begin(&self, context: &Context, job: &RenderingJob, batch: &[Tile]) {
        let places: Vec<[u32; 4]> = batch
            .iter()
            .map(|tile| [job.region.x + tile.x, job.region.y + tile.y, tile.width, tile.height])
            .collect();
        context.queue.write_buffer(&self.tiles, 0, cast_slice(&places));
        let mut encoder = context.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&self.sums, 0, None);
        context.queue.submit([encoder.finish()]);
    }

    /// Sets the frame and the paths of the next dispatch.
    pub fn set_params(&self, context: &Context, studio: &Studio<'_>, frame: u32, samples: Range<u32>) {
        let paths = studio.paths(frame);
        let (view, world) = (paths.view, paths.world);
        let (key, nonce) = path::generator(&studio.job.seed).key_and_nonce();
        let params = Params {
            position: view.position,
            step: view.step,
            right: view.right,
            aperture: view.aperture,
            up: view.up,
            lens: view.lens,
            forward: view.forward,
            frame,
            zenith: world.sky.zenith,
            clamp: world.clamp,
            horizon: world.sky.horizon,
            max_bounces: paths.max_bounces,
            ground: world.sky.ground,
            first_sample: samples.start,
            key,
            nonce,
            size: paths.size,
            samples: samples.end - samples.start,
            // All are below 2²³.
            nodes: world.geometry.nodes.len() as u32,
            primitives: world.geometry.primitives.len() as u32,
            planes: world.geometry.planes.len() as u32,
            lights: world.lights.len() as u32,
            padding: 0,
        };
        context.queue.write_buffer(&self.params, 0, bytes_of(&params));
    }

    /// Reads the first `words` of the sums.
    pub fn read(&self, context: &Context, cancel: &CancelFlag, words: usize) -> Result<Vec<u32>, EngineError> {
        let readback = Batch::new(context, cancel).read(&[self.sums.slice(..4 * words as u64)])?;
        let mut sums = Vec::with_capacity(words);
        readback.wait(context, cancel, |_, bytes| {
            let (words, _) = bytes.as_chunks::<4>();
            sums.extend(words.iter().map(|&word| u32::from_le_bytes(word)));
        })?;
        Ok(sums)
    }
}
