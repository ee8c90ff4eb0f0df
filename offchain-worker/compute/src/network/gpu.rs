//! Networks on graphics processors: the shaders, and the buffers that classification and training share.

mod classify;

pub use classify::classify_on_gpu;

use super::{InputTable, Shape};
use crate::{engine::gpu::context::Context, error::EngineError};
use bytemuck::{Pod, Zeroable, bytes_of, cast_slice};
use std::sync::Arc;
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
}

/// The parameters of a step: see `network.wgsl`.
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

impl Buffers {
    /// Buffers for so many `images`, and `slots` batches of them with their parameters.
    ///
    /// Errors: `Limit` when one would be larger than the device allows.
    pub fn new(context: &Context, sizes: &Sizes, images: u64, slots: u64) -> Result<Self, EngineError> {
        let Sizes { shape, batch, .. } = sizes;
        let batch = u64::from(*batch);
        let words = |count: u64| 4 * count;
        let upload = Usage::STORAGE | Usage::COPY_DST;
        let image_bytes = (images * shape.padded_pixels() as u64).next_multiple_of(4);
        let features = words(batch * shape.features() as u64);
        Ok(Self {
            steps: buffer(context, "steps", slots * STEP_STRIDE, Usage::UNIFORM | Usage::COPY_DST)?,
            images: buffer(context, "images", image_bytes, upload)?,
            batches: buffer(context, "batches", 2 * words(slots * batch), upload)?,
            features: buffer(context, "features", features, Usage::STORAGE)?,
            weights: buffer(context, "weights", words(shape.weights() as u64), upload)?,
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

/// A zeroed buffer.
///
/// Errors: `Limit` when it would be larger than the device allows.
pub(crate) fn buffer(
    context: &Context,
    label: &'static str,
    size: u64,
    usage: Usage,
) -> Result<wgpu::Buffer, EngineError> {
    // The shaders count bytes in 32 bits.
    let available = context.bounds.buffer_bytes.min(u32::MAX.into());
    if size > available {
        return Err(EngineError::Limit {
            limit: "bytes in a buffer",
            needed: size,
            available,
        });
    }
    context.buffer(label, size, usage)
}

/// One of the shader's entry points with its buffers, for each slot of parameters.
pub(crate) struct Kernel {
    pipeline: Arc<wgpu::ComputePipeline>,
    slots: Vec<wgpu::BindGroup>,
    workgroups: [u32; 2],
}

impl Kernel {
    /// The kernel `entry` for `invocations`, with `bound` besides the parameters in `steps`.
    ///
    /// Errors: `Limit` when that is more than the device can dispatch at once.
    #[allow(unsafe_code, reason = "the indices are proven")]
    pub fn new(
        context: &Context,
        entry: &'static str,
        invocations: u64,
        steps: &wgpu::Buffer,
        bound: &[(u32, &wgpu::Buffer)],
    ) -> Result<Self, EngineError> {
        // SAFETY: the parameters are those of `Sizes::step`: `Shape::validate` bounds all sizes, each is at least 1, and the
        // host makes every buffer as large as they say. The images' indices in `batches` are below the number of
        // images, so that an image's inputs are there; a window lies within its padded image, since
        // `wide · pool + window_width − 1 ≤ width` and likewise for its rows. Features are written, with the offset of a
        // position within its square, before they are read. Invocations beyond `batch · features`, `batch` and `weights`
        // return. `weights` and `state` are indexed by what is below `weights` and `2 · weights`, workgroup arrays by what
        // is below `classes ≤ 256`, and 8 of 64 lanes. Every loop counts up by at least 1 to a size. Divisors are sizes,
        // and in `compute_errors` a sum of at least 2¹⁶, as the power of the largest logit is that. Shifts are by less
        // than 32. No index wraps: all buffers are smaller than 2³² bytes, which `buffer` sees to.
        let pipeline = unsafe { context.pipeline(entry, || include_str!("network.wgsl").to_owned(), entry) };
        let layout = pipeline.get_bind_group_layout(0);
        let bind = |slot: u64| {
            let step = wgpu::BindGroupEntry {
                binding: binding::STEP,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: steps,
                    offset: slot * STEP_STRIDE,
                    size: std::num::NonZeroU64::new(size_of::<Step>() as u64),
                }),
            };
            let others = bound.iter().map(|&(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            });
            let entries: Vec<_> = std::iter::once(step).chain(others).collect();
            context.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(entry),
                layout: &layout,
                entries: &entries,
            })
        };
        Ok(Self {
            slots: (0..steps.size() / STEP_STRIDE).map(bind).collect(),
            workgroups: workgroups(context, invocations.div_ceil(LANES))?,
            pipeline,
        })
    }

    /// The kernel that computes the features.
    ///
    /// Errors: `Limit`.
    pub fn features(context: &Context, sizes: &Sizes, buffers: &Buffers) -> Result<Self, EngineError> {
        let bound = [
            (binding::IMAGES, &buffers.images),
            (binding::BATCHES, &buffers.batches),
            (binding::FEATURES, &buffers.features),
            (binding::WEIGHTS, &buffers.weights),
        ];
        let invocations = u64::from(sizes.batch) * sizes.shape.features() as u64;
        Self::new(context, "compute_features", invocations, &buffers.steps, &bound)
    }

    /// Records the kernel with the parameters in `slot`.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, slot: usize) {
        let [x, y] = self.workgroups;
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.slots[slot], &[]);
        pass.dispatch_workgroups(x, y, 1);
    }
}

/// At least `count` workgroups in two dimensions.
///
/// Errors: `Limit`.
fn workgroups(context: &Context, count: u64) -> Result<[u32; 2], EngineError> {
    let most = u64::from(context.bounds.workgroups);
    let (x, y) = (count.min(most), count.div_ceil(most));
    if y > most {
        return Err(EngineError::Limit {
            limit: "workgroups",
            needed: count,
            available: most * most,
        });
    }
    // Both are at most the limit, which has 32 bits.
    Ok([x as u32, y as u32])
}
