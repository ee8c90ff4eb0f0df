//! Networks on graphics devices: the shaders that apply them, and the buffers that classification and training share.

mod classify;
mod kernel;

pub use classify::classify_on_gpu;
pub(crate) use classify::needs as needs_to_classify;
pub(crate) use kernel::{Entry, Kernel};

use super::{InputTable, Shape};
use crate::device::{Context, DeviceError, Needs};
use bytemuck::{Pod, Zeroable, bytes_of, cast_slice};
use wgpu::BufferUsages as Usage;

/// Invocations of a workgroup.
const LANES: u64 = 64;
/// Bytes between the parameters of two steps: the strictest alignment that there is.
const STEP_STRIDE: u64 = 256;

/// The places of the shader's buffers.
pub(crate) mod binding {
    pub const STEP: u32 = 0;
    pub const IMAGES: u32 = 1;
    pub const BATCHES: u32 = 2;
    pub const FEATURES: u32 = 3;
    pub const CLASS_ERRORS: u32 = 4;
    pub const FEATURE_ERRORS: u32 = 5;
    pub const STATE: u32 = 6;
    pub const WEIGHTS: u32 = 7;
    pub const LOSSES: u32 = 8;
    pub const GRADIENTS: u32 = 9;
}

/// The parameters of a batch of images, or of a step of training: see `forward.wgsl`.
#[derive(Clone, Copy, Pod, Zeroable, Default)]
#[repr(C)]
pub(crate) struct Step {
    pub key: [u32; 2],
    pub nonce: [u32; 2],
    pub first_image: u32,
    pub loss: u32,
    pub step: u32,
    pub first_shift: u32,
    pub last_shift: u32,
    pub momentum_shift: u32,
    pub batch: u32,
    pub width: u32,
    pub pixels: u32,
    pub window_width: u32,
    pub window_height: u32,
    pub wide: u32,
    pub high: u32,
    pub positions: u32,
    pub pool: u32,
    pub inputs: u32,
    pub features: u32,
    pub classes: u32,
    pub first_weights: u32,
    pub weights: u32,
    pub shift: u32,
    pub position_bits: u32,
}

/// A network, and how many images the shaders take at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub shape: Shape,
    /// Images that the shaders take at a time.
    pub batch: u32,
    /// The first layer's sums are divided by two to this power.
    pub shift: u8,
}

impl Sizes {
    /// Parameters with these sizes, and nothing else.
    pub fn step(&self) -> Step {
        let Self { shape, batch, shift } = *self;
        let (wide, high) = shape.pooled();
        // `Shape::validate` keeps all of them below 2³¹.
        Step {
            batch,
            width: shape.padded().0,
            pixels: shape.padded_pixels() as u32,
            window_width: shape.window_width,
            window_height: shape.window_height,
            wide,
            high,
            positions: shape.positions() as u32,
            pool: shape.pool,
            inputs: shape.inputs() as u32,
            features: shape.features() as u32,
            classes: shape.classes,
            first_weights: shape.first_weights() as u32,
            weights: shape.weights() as u32,
            shift: shift.into(),
            position_bits: shape.positions().next_power_of_two().ilog2(),
            ..Step::default()
        }
    }
}

/// The buffers of a network on a device.
pub(crate) struct Buffers {
    pub steps: wgpu::Buffer,
    pub images: wgpu::Buffer,
    pub batches: wgpu::Buffer,
    pub features: wgpu::Buffer,
    pub weights: wgpu::Buffer,
}

/// The bytes of the buffers for so many images, and slots of batches.
#[derive(Clone, Copy)]
struct Bytes {
    steps: u64,
    images: u64,
    batches: u64,
    features: u64,
    weights: u64,
}

impl Bytes {
    fn of(sizes: &Sizes, images: u64, slots: u64) -> Self {
        let Sizes { shape, batch, .. } = sizes;
        let batch = u64::from(*batch);
        let images = images.saturating_mul(shape.padded_pixels() as u64);
        Self {
            steps: slots * STEP_STRIDE,
            images: images.checked_next_multiple_of(4).unwrap_or(u64::MAX),
            // A place and a class for each image.
            batches: 8 * slots * batch,
            features: 4 * batch * shape.features() as u64,
            weights: 4 * shape.weights() as u64,
        }
    }
}

/// What the buffers for so many `images`, and `slots` batches of them with their parameters, need of a device.
pub(crate) fn needs(sizes: &Sizes, images: u64, slots: u64) -> Needs {
    let bytes = Bytes::of(sizes, images, slots);
    Needs::default()
        .workgroups(1)
        .buffers_of([bytes.steps, bytes.images, bytes.batches, bytes.features, bytes.weights])
        // What the host uploads.
        .memory(bytes.images.saturating_add(bytes.steps + bytes.batches + bytes.weights))
}

impl Buffers {
    /// Buffers for so many `images`, and `slots` batches of them with their parameters.
    ///
    /// Errors: `Limit` when one would be larger than the device allows.
    pub fn new(context: &Context, sizes: &Sizes, images: u64, slots: u64) -> Result<Self, DeviceError> {
        let upload = Usage::STORAGE | Usage::COPY_DST;
        let bytes = Bytes::of(sizes, images, slots);
        Ok(Self {
            steps: context.buffer("steps", bytes.steps, Usage::UNIFORM | Usage::COPY_DST)?,
            images: context.buffer("images", bytes.images, upload)?,
            batches: context.buffer("batches", bytes.batches, upload)?,
            features: context.buffer("features", bytes.features, Usage::STORAGE)?,
            weights: context.buffer("weights", bytes.weights, upload)?,
        })
    }

    /// Uploads the inputs for `pixels`, image after image.
    pub fn upload_images(&self, context: &Context, shape: &Shape, maximum: u8, pixels: &[u8]) {
        let table = InputTable::new(maximum);
        let mut padded = vec![0; shape.padded_pixels()];
        let mut inputs = Vec::with_capacity(self.images.size() as usize);
        for image in pixels.chunks_exact(shape.pixels()) {
            table.fill(shape, image, &mut padded);
            // 0 ..= 127.
            inputs.extend(padded.iter().map(|&input| input as u8));
        }
        inputs.resize(inputs.len().next_multiple_of(4), 0);
        context.queue.write_buffer(&self.images, 0, &inputs);
    }

    /// Uploads the weights that are multiplied with.
    pub fn upload_weights(&self, context: &Context, weights: &[i8]) {
        let weights: Vec<i32> = weights.iter().map(|&weight| weight.into()).collect();
        context.queue.write_buffer(&self.weights, 0, cast_slice(&weights));
    }

    /// Uploads the parameters of the first slots.
    pub fn upload_steps(&self, context: &Context, steps: &[Step]) {
        let mut bytes = vec![0; steps.len() * STEP_STRIDE as usize];
        for (to, step) in bytes.chunks_exact_mut(STEP_STRIDE as usize).zip(steps) {
            to[..size_of::<Step>()].copy_from_slice(bytes_of(step));
        }
        context.queue.write_buffer(&self.steps, 0, &bytes);
    }
}

/// The shader that applies networks.
pub(crate) const FORWARD_WGSL: &str = include_str!("gpu/forward.wgsl");
