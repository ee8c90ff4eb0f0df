//! Classification on graphics devices.

use super::{Buffers, Entry, Kernel, LANES, Sizes, Step, binding};
use crate::{
    device::{Batch, Bounds, Context, DeviceError, Needs},
    kernels::gpu::Gpu,
    networks::classifier::{ClassifyError, Package, Shape, cpu::check_images},
    run::CancelFlag,
};
use bytemuck::cast_slice;
use wgpu::BufferUsages as Usage;

/// Images that are classified at a time.
const BATCH: u32 = 256;
/// Batches of one submission.
const MAX_BATCHES: u32 = 16;

/// As [`crate::classifier::classify`], on a graphics device: the same bytes.
///
/// Errors: `Network` as [`crate::classifier::classify`]; `Device` if the device fails, or `cancel` is set.
pub fn classify_on_gpu(
    gpu: &Gpu,
    package: &[u8],
    pixels: &[u8],
    items: u32,
    cancel: &CancelFlag,
) -> Result<Vec<u8>, ClassifyError> {
    let package = Package::decode(package)?;
    check_images(&package, pixels, items)?;
    let mut logits = Vec::with_capacity(4 * package.shape.classes as usize * items as usize);
    let mut rest = pixels;
    gpu.on_device(|context| {
        let classifier = Classifier::new(context, &package)?;
        while !rest.is_empty() {
            cancel.check().map_err(DeviceError::from)?;
            let images = (BATCH * classifier.slots) as usize * package.shape.pixels();
            let (part, after) = rest.split_at(images.min(rest.len()));
            classifier.run(context, &package, part, cancel, &mut logits)?;
            rest = after;
        }
        Ok::<_, ClassifyError>(())
    })?;
    Ok(logits)
}

/// What classifying with a network of `shape` needs of a device with `bounds`.
pub(crate) fn needs(shape: Shape, bounds: &Bounds) -> Needs {
    let slots = slots(&shape, bounds);
    let sizes = Sizes {
        shape,
        batch: BATCH,
        shift: 0,
    };
    let logits = logits_bytes(&shape, slots);
    // The logits, and they on their way to the host.
    super::needs(&sizes, slots * u64::from(BATCH), slots).buffers(2, logits)
}

/// Batches of one submission.
fn slots(shape: &Shape, bounds: &Bounds) -> u64 {
    let work = shape.work() * u64::from(BATCH);
    (bounds.work / work).clamp(1, MAX_BATCHES.into())
}

/// Bytes of the logits of so many batches.
fn logits_bytes(shape: &Shape, slots: u64) -> u64 {
    4 * slots * u64::from(BATCH * shape.classes)
}

/// A network on a device, for classification.
struct Classifier {
    buffers: Buffers,
    all_logits: wgpu::Buffer,
    features: Kernel,
    logits: Kernel,
    /// Batches of one submission.
    slots: u32,
}

impl Classifier {
    fn new(context: &Context, package: &Package) -> Result<Self, DeviceError> {
        let sizes = Sizes {
            shape: package.shape,
            batch: BATCH,
            shift: package.shift,
        };
        let slots = slots(&package.shape, &context.bounds);
        let buffers = Buffers::new(context, &sizes, slots * u64::from(BATCH), slots)?;
        buffers.upload_weights(context, &package.weights);
        // At most the sixteen batches above.
        let step = |slot| Step {
            first_image: slot as u32 * BATCH,
            ..sizes.step()
        };
        buffers.upload_steps(context, &(0..slots).map(step).collect::<Vec<_>>());
        let bytes = logits_bytes(&package.shape, slots);
        let all_logits = context.buffer("logits", bytes, Usage::STORAGE | Usage::COPY_SRC)?;
        let bound = [
            (binding::FEATURES, &buffers.features),
            (binding::CLASS_ERRORS, &all_logits),
            (binding::WEIGHTS, &buffers.weights),
        ];
        let entry = Entry {
            name: "compute_logits",
            invocations: LANES * u64::from(BATCH),
            work: u64::from(BATCH * package.shape.classes) * package.shape.features() as u64,
        };
        let logits = Kernel::forward(context, entry, &buffers.steps, &bound)?;
        Ok(Self {
            features: Kernel::features(context, &sizes, &buffers)?,
            logits,
            all_logits,
            buffers,
            slots: slots as u32,
        })
    }

    /// Classifies `pixels`, as many batches as there are slots at most, and appends the logits.
    fn run(
        &self,
        context: &Context,
        package: &Package,
        pixels: &[u8],
        cancel: &CancelFlag,
        logits: &mut Vec<u8>,
    ) -> Result<(), DeviceError> {
        let shape = &package.shape;
        let images = (pixels.len() / shape.pixels()) as u32;
        self.buffers.upload_images(context, shape, package.maximum, pixels);
        // Places beyond the last image compute the first one again.
        let place = |place: u32| [if place < images { place } else { 0 }, 0];
        let batches: Vec<[u32; 2]> = (0..images.next_multiple_of(BATCH)).map(place).collect();
        context
            .queue
            .write_buffer(&self.buffers.batches, 0, cast_slice(&batches));
        let mut batch = Batch::new(context, cancel);
        let slots = 0..images.div_ceil(BATCH) as usize;
        Kernel::record(
            &mut batch,
            slots.flat_map(|slot| [(&self.features, slot), (&self.logits, slot)]),
        )?;
        let bytes = u64::from(images) * 4 * u64::from(shape.classes);
        let readback = batch.read(&[self.all_logits.slice(..bytes)])?;
        readback.wait(context, cancel, |_, found| logits.extend(found))
    }
}
