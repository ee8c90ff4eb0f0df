//! The kernels of a network, cut into dispatches that are short on every device.

use super::{Buffers, FORWARD_WGSL, LANES, STEP_STRIDE, Sizes, Step, binding};
use crate::device::{Batch, Context, DeviceError};
use std::sync::Arc;

/// The most work of one dispatch: some ten milliseconds on slow devices.
const MAX_PART_WORK: u64 = 1 << 26;
/// The most dispatches of one kernel.
const MAX_PARTS: u64 = 64;

/// An entry point of the shader.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// Its name.
    pub name: &'static str,
    pub invocations: u64,
    /// The work of all invocations, in multiply–add operations.
    pub work: u64,
}

impl Entry {
    /// The kernel that computes the features of `forward.wgsl`.
    fn features(sizes: &Sizes) -> Self {
        let shape = &sizes.shape;
        let invocations = u64::from(sizes.batch) * shape.features() as u64;
        Self {
            name: "compute_features",
            invocations,
            work: invocations * shape.inputs() as u64 * u64::from(shape.pool).pow(2),
        }
    }
}

/// One of the shader's entry points with its buffers, for each slot of parameters.
pub(crate) struct Kernel {
    pipeline: Arc<wgpu::ComputePipeline>,
    slots: Vec<wgpu::BindGroup>,
    parts: Vec<Part>,
}

/// Some of a kernel's workgroups.
struct Part {
    /// Its parameters: the number of its first workgroup, and of that after the last.
    range: wgpu::BindGroup,
    workgroups: [u32; 2],
    work: u64,
}

impl Kernel {
    /// The kernel `entry` of `shader`, with `bound` besides the parameters in `steps`.
    ///
    /// Errors: `Limit` when that is more than the device can dispatch, and what it reports.
    ///
    /// # Safety
    ///
    /// With the parameters of [`Sizes::step`], and buffers as large as they say, the shader must keep to its buffers,
    /// end its loops and not divide by zero.
    #[allow(unsafe_code, reason = "the caller proves the indices")]
    pub unsafe fn new(
        context: &Context,
        shader: impl FnOnce() -> String,
        entry: Entry,
        steps: &wgpu::Buffer,
        bound: &[(u32, &wgpu::Buffer)],
    ) -> Result<Self, DeviceError> {
        // SAFETY: the caller's.
        let pipeline = unsafe { context.pipeline(entry.name, shader, entry.name) };
        let bind = |slot: u64| {
            let step = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: steps,
                offset: slot * STEP_STRIDE,
                size: std::num::NonZeroU64::new(size_of::<Step>() as u64),
            });
            let others = bound.iter().map(|&(place, buffer)| (place, buffer.as_entire_binding()));
            context.bind(entry.name, &pipeline, [(binding::STEP, step)].into_iter().chain(others))
        };
        Ok(Self {
            slots: (0..steps.size() / STEP_STRIDE).map(bind).collect(),
            parts: parts(context, entry, &pipeline)?,
            pipeline,
        })
    }

    /// The kernel `entry` of `forward.wgsl`, otherwise as [`Self::new`].
    ///
    /// Errors: as [`Self::new`].
    #[allow(unsafe_code, reason = "the indices are proven")]
    pub fn forward(
        context: &Context,
        entry: Entry,
        steps: &wgpu::Buffer,
        bound: &[(u32, &wgpu::Buffer)],
    ) -> Result<Self, DeviceError> {
        // SAFETY: the parameters are those of `Sizes::step`: `Shape::validate` bounds all sizes, each is at least 1,
        // and the host makes every buffer as large as they say. The images' indices in `batches` are below the number
        // of images, so that an image's inputs are there; a window lies within its padded image, since `wide · pool +
        // window_width − 1 ≤ width` and likewise for its rows. Features are written before they are read. Invocations
        // beyond `batch · features` and `batch`, and workgroups beyond their part, return. `weights` is indexed by what is below `weights`, workgroup
        // arrays by what is below the classes, at most 256. Each loop counts up by at least 1 to a size. Divisors are
        // sizes. Shifts are by less than 32. No index wraps: all buffers are smaller than 2³² bytes (`Bounds`).
        unsafe { Self::new(context, || FORWARD_WGSL.to_owned(), entry, steps, bound) }
    }

    /// The kernel that computes the features.
    ///
    /// Errors: as [`Self::new`].
    pub fn features(context: &Context, sizes: &Sizes, buffers: &Buffers) -> Result<Self, DeviceError> {
        let bound = [
            (binding::IMAGES, &buffers.images),
            (binding::BATCHES, &buffers.batches),
            (binding::FEATURES, &buffers.features),
            (binding::WEIGHTS, &buffers.weights),
        ];
        Self::forward(context, Entry::features(sizes), &buffers.steps, &bound)
    }

    /// Records `kernels`, each with the parameters in a slot, one after the other, in as many submissions as their work
    /// needs.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn record<'k>(
        batch: &mut Batch<'_>,
        kernels: impl IntoIterator<Item = (&'k Self, usize)>,
    ) -> Result<(), DeviceError> {
        let (mut waiting, mut work) = (Vec::new(), 0);
        for (kernel, slot) in kernels {
            for part in &kernel.parts {
                if !waiting.is_empty() && work + part.work > batch.max_work() {
                    Self::encode(batch.encoder(work)?, &waiting);
                    waiting.clear();
                    work = 0;
                }
                waiting.push((kernel, slot, part));
                work += part.work;
            }
        }
        Self::encode(batch.encoder(work)?, &waiting);
        Ok(())
    }

    fn encode(encoder: &mut wgpu::CommandEncoder, parts: &[(&Self, usize, &Part)]) {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for (kernel, slot, part) in parts {
            let [x, y] = part.workgroups;
            pass.set_pipeline(&kernel.pipeline);
            pass.set_bind_group(0, &kernel.slots[*slot], &[]);
            pass.set_bind_group(1, &part.range, &[]);
            pass.dispatch_workgroups(x, y, 1);
        }
    }
}

/// The parts into which `entry` is cut.
///
/// Errors: `Limit`.
fn parts(context: &Context, entry: Entry, pipeline: &wgpu::ComputePipeline) -> Result<Vec<Part>, DeviceError> {
    let groups = entry.invocations.div_ceil(LANES).max(1);
    let count = entry.work.div_ceil(MAX_PART_WORK.min(context.dispatch_work).max(1));
    let each = groups.div_ceil(count.clamp(1, MAX_PARTS));
    let part = |first: u64| {
        let end = groups.min(first + each);
        // Both have 32 bits, as below.
        let range = [first, end].map(|group| group as u32);
        let range = context.filled("part", &[range, [0; 2]], wgpu::BufferUsages::UNIFORM)?;
        Ok(Part {
            range: context.bind_group(entry.name, pipeline, 1, [(0, range.as_entire_binding())]),
            workgroups: workgroups(context, end - first)?,
            work: entry.work / groups * (end - first),
        })
    };
    if groups > u32::MAX.into() {
        return Err(DeviceError::Limit {
            limit: "workgroups",
            needed: groups,
            available: u32::MAX.into(),
        });
    }
    (0..groups).step_by(each as usize).map(part).collect()
}

/// At least `count` workgroups in two dimensions.
///
/// Errors: `Limit`.
fn workgroups(context: &Context, count: u64) -> Result<[u32; 2], DeviceError> {
    let most = u64::from(context.bounds.workgroups);
    let (x, y) = (count.min(most), count.div_ceil(most));
    if y > most {
        return Err(DeviceError::Limit {
            limit: "workgroups",
            needed: count,
            available: most * most,
        });
    }
    // Both are at most the limit, which has 32 bits.
    Ok([x as u32, y as u32])
}
