//! Embeddings on a graphics device: batches of whole items, the same bits as the reference.

use super::Items;
use crate::{
    device::{Batch, Bounds, Context, DeviceError, Needs, Readback},
    kernels::gpu::Gpu,
    kinds::EngineError,
    networks::transformer::{
        self, Encoder, Shape,
        gpu::{Operators, row_bytes},
    },
    run::Run,
};

/// The most tokens of one batch.
const MAX_BATCH: u32 = 4096;

/// The embeddings of `items`, one after the other.
pub(super) fn embed(gpu: &Gpu, encoder: &Encoder, items: &Items, run: &Run<'_>) -> Result<Vec<u8>, EngineError> {
    let mut output: Vec<u8> = Vec::new();
    let width = encoder.shape.output_bytes() as usize;
    run.progress.update(0, items.len() as u32);
    gpu.on_device(|context| {
        run.cancel.check()?;
        let capacity = capacity(context, encoder, items)?;
        let operators = Operators::new(context, gpu.tuning(), encoder, capacity)?;
        context.check()?;
        let mut batch = Batch::new(context, run.cancel);
        // After the loss of the device, what was read back stays.
        while output.len() < items.len() * width {
            let group = Group::new(items, output.len() / width, capacity);
            let embeddings = group.compute(context, &operators, width, &mut batch)?;
            embeddings.wait(context, run.cancel, |_, bytes| output.extend(bytes))?;
            run.progress.update((output.len() / width) as u32, items.len() as u32);
        }
        Ok::<_, EngineError>(())
    })?;
    Ok(output)
}

/// What embedding `items` items of up to `tokens` tokens needs of a device with `bounds`.
pub(super) fn needs(shape: &Shape, tokens: u32, items: u32, bounds: &Bounds) -> Needs {
    let all = u64::from(tokens) * u64::from(items);
    let fitting = (bounds.buffer_bytes / row_bytes(shape)).min(MAX_BATCH.into()).min(all) as u32;
    // Short items have less work each, so that more of them fit into a submission: as many as there is room for.
    transformer::gpu::needs(shape, fitting.min(bounds.workgroups).max(tokens))
}

/// The most tokens of a batch: as many as fit in the work of a submission and in the largest buffer, but at least those
/// of the longest item.
///
/// Errors: `Limit` if the device has too few workgroups for that.
fn capacity(context: &Context, encoder: &Encoder, items: &Items) -> Result<u32, DeviceError> {
    let shape = &encoder.shape;
    let longest = items.iter().map(<[u16]>::len).max().unwrap_or(1) as u32;
    let all: usize = items.iter().map(<[u16]>::len).sum();
    // The products of the dense layer are cut into submissions where they are recorded, as all products are.
    let layer = (shape.input_work() + shape.output_work(longest)).max(1);
    let fitting = (context.bounds.work / layer).min(context.bounds.buffer_bytes / row_bytes(shape));
    let fitting = fitting.min(MAX_BATCH.into()) as u32;
    let tokens = fitting.min(u32::try_from(all).unwrap_or(u32::MAX));
    let capacity = tokens.min(context.bounds.workgroups).max(longest);
    let needed = longest.max(shape.heads);
    if needed > context.bounds.workgroups {
        return Err(DeviceError::Limit {
            limit: "workgroups per dimension",
            needed: needed.into(),
            available: context.bounds.workgroups.into(),
        });
    }
    Ok(capacity)
}

/// Neighbouring items that are computed together.
struct Group {
    /// Token, position, first token of the item, number of its tokens.
    tokens: Vec<[u32; 4]>,
    /// First token, number of tokens.
    items: Vec<[u32; 2]>,
}

impl Group {
    /// The items from `first` on, as many as have `capacity` tokens together: at least one.
    fn new(items: &Items, first: usize, capacity: u32) -> Self {
        let mut group = Self {
            tokens: Vec::new(),
            items: Vec::new(),
        };
        for item in first..items.len() {
            let tokens = items.tokens(item);
            if group.tokens.len() + tokens.len() > capacity as usize {
                break;
            }
            let place = [group.tokens.len() as u32, tokens.len() as u32];
            group.items.push(place);
            let [start, count] = place;
            group.tokens.extend(
                (0..)
                    .zip(tokens)
                    .map(|(position, &token)| [token.into(), position, start, count]),
            );
        }
        group
    }

    /// Submits the computation of the embeddings, and their readback.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    fn compute(
        &self,
        context: &Context,
        operators: &Operators,
        width: usize,
        batch: &mut Batch<'_>,
    ) -> Result<Readback, DeviceError> {
        let (queue, buffers) = (&context.queue, &operators.buffers);
        queue.write_buffer(&buffers.tokens, 0, bytemuck::cast_slice(&self.tokens));
        queue.write_buffer(&buffers.items, 0, bytemuck::cast_slice(&self.items));
        operators.record(batch, [self.tokens.len() as u32, self.items.len() as u32])?;
        let bytes = (self.items.len() * width) as u64;
        batch.read(&[buffers.embeddings.slice(..bytes)])
    }
}
