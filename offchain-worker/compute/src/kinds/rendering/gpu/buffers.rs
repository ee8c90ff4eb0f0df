//! A scene and the sums of radiances on a device.

use super::{Part, Renderer};
use crate::{
    device::{Batch, Context, DeviceError, Needs},
    kinds::rendering::{
        scene::{MAX_MATERIALS, MAX_PLANES, MAX_SPHERES, Node, most_shapes_and_nodes},
        tracer::{self, InfinitePlane, Light, PreparedMaterial, Primitive, SurfaceData},
    },
    run::CancelFlag,
};
use bytemuck::{Pod, Zeroable, bytes_of, cast_slice};

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
    first_group: u32,
    max_steps: u32,
    /// Structures in a uniform buffer are whole vectors.
    padding: [u32; 3],
}

/// Bytes of the longest entry of a table: no binding is smaller.
const LEAST_BYTES: u64 = 96;

/// The bytes of the buffers of `places` and of the sums of their `pixels`.
fn place_and_sum_bytes([places, pixels]: [u32; 2]) -> [u64; 2] {
    [16 * u64::from(places), 12 * u64::from(pixels)]
}

/// What a scene of `bytes` needs of a device, whatever it holds, with room for so many places and pixels.
pub(super) fn needs(bytes: u64, places_and_pixels: [u32; 2]) -> Needs {
    let [primitives, nodes] = most_shapes_and_nodes(bytes);
    // Planes, lights and materials are few: all that there can be.
    let tables = [
        size_of::<InfinitePlane>() as u64 * u64::from(MAX_PLANES),
        size_of::<Light>() as u64 * u64::from(MAX_SPHERES),
        size_of::<PreparedMaterial>() as u64 * u64::from(MAX_MATERIALS),
    ];
    let scene = [
        size_of::<Node>() as u64 * nodes,
        size_of::<Primitive>() as u64 * primitives,
        size_of::<SurfaceData>() as u64 * primitives,
        tables.iter().sum(),
    ];
    let [place_bytes, sum_bytes] = place_and_sum_bytes(places_and_pixels);
    Needs::default()
        .buffers_of(scene.map(|bytes| bytes.max(LEAST_BYTES)))
        // What the host uploads.
        .memory(scene.iter().sum())
        .buffers(1, size_of::<Params>() as u64)
        .buffers(2, place_bytes)
        // The sums, and they on their way to the host.
        .buffers(2, sum_bytes)
}

/// All buffers of a job.
pub(super) struct Buffers {
    params: wgpu::Buffer,
    tiles: wgpu::Buffer,
    sums: wgpu::Buffer,
    pub bind_group: wgpu::BindGroup,
}

impl Buffers {
    /// Uploads the scene, with room for so many places at a time, which together have so many pixels. The caller must ask
    /// [`Context::check`] whether that worked.
    ///
    /// Errors: `Limit` if the scene does not fit a buffer of the device.
    pub fn new(
        context: &Context,
        pipeline: &wgpu::ComputePipeline,
        renderer: &Renderer<'_>,
        places_and_pixels: [u32; 2],
    ) -> Result<Self, DeviceError> {
        use wgpu::BufferUsages as Usage;
        let scene = &renderer.prepared;
        let tables: Vec<u8> = [
            cast_slice(&scene.geometry.planes),
            cast_slice(&scene.lights),
            cast_slice(&scene.materials),
        ]
        .concat();
        let filled = |label: &str, content: &[u8]| {
            // A binding is never empty.
            let bytes = (content.len() as u64).max(LEAST_BYTES);
            let buffer = context.buffer(label, bytes, Usage::STORAGE | Usage::COPY_DST)?;
            if !content.is_empty() {
                context.queue.write_buffer(&buffer, 0, content);
            }
            Ok::<_, DeviceError>(buffer)
        };
        let nodes = filled("nodes", cast_slice(&scene.geometry.nodes))?;
        let primitives = filled("primitives", cast_slice(&scene.geometry.primitives))?;
        let surfaces = filled("surfaces", cast_slice(&scene.geometry.surfaces))?;
        let tables = filled("tables", &tables)?;
        let [place_bytes, sum_bytes] = place_and_sum_bytes(places_and_pixels);
        let params = context.buffer(
            "parameters",
            size_of::<Params>() as u64,
            Usage::UNIFORM | Usage::COPY_DST,
        )?;
        let tiles = context.buffer("tiles", place_bytes, Usage::STORAGE | Usage::COPY_DST)?;
        let sums = context.buffer("sums", sum_bytes, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST)?;
        let bound = [&params, &nodes, &primitives, &surfaces, &tables, &tiles, &sums];
        let bound = (0..).zip(bound.map(wgpu::Buffer::as_entire_binding));
        let bind_group = context.bind("rendering", pipeline, bound);
        Ok(Self {
            params,
            tiles,
            sums,
            bind_group,
        })
    }

    /// Uploads the places of the next dispatches' tiles or pixels, and clears the sums.
    pub fn begin(&self, context: &Context, places: &[[u32; 4]]) {
        context.queue.write_buffer(&self.tiles, 0, cast_slice(places));
        let mut encoder = context.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&self.sums, 0, None);
        context.queue.submit([encoder.finish()]);
    }

    /// Sets the frame and the paths of the next dispatch.
    pub fn set_params(&self, context: &Context, renderer: &Renderer<'_>, frame: u32, part: &Part) {
        let tracer = renderer.tracer(frame);
        let (view, scene) = (tracer.view, tracer.scene);
        let (key, nonce) = tracer::generator(&renderer.job.seed).key_and_nonce();
        let params = Params {
            position: view.position,
            step: view.step,
            right: view.right,
            aperture: view.aperture,
            up: view.up,
            lens: view.lens,
            forward: view.forward,
            frame,
            zenith: scene.sky.zenith,
            clamp: scene.clamp,
            horizon: scene.sky.horizon,
            max_bounces: tracer.max_bounces,
            ground: scene.sky.ground,
            first_sample: part.samples.start,
            key,
            nonce,
            size: tracer.size,
            samples: part.samples.end - part.samples.start,
            // All are below 2²³.
            nodes: scene.geometry.nodes.len() as u32,
            primitives: scene.geometry.primitives.len() as u32,
            planes: scene.geometry.planes.len() as u32,
            lights: scene.lights.len() as u32,
            first_group: part.first,
            max_steps: tracer.max_steps,
            padding: [0; 3],
        };
        context.queue.write_buffer(&self.params, 0, bytes_of(&params));
    }

    /// Reads the first `words` of the sums.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn read(
        &self,
        context: &Context,
        batch: &mut Batch<'_>,
        cancel: &CancelFlag,
        words: usize,
    ) -> Result<Vec<u32>, DeviceError> {
        let readback = batch.read(&[self.sums.slice(..4 * words as u64)])?;
        let mut sums = Vec::with_capacity(words);
        readback.wait(context, cancel, |_, bytes| {
            let (words, _) = bytes.as_chunks::<4>();
            sums.extend(words.iter().map(|&word| u32::from_le_bytes(word)));
        })?;
        Ok(sums)
    }
}
