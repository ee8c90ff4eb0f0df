//! Embeddings on a graphics processor: batches of whole items, the same bits as the reference.

mod operators;
mod shaders;

use super::Items;
use crate::{
    engine::gpu::{GpuEngine, context::Context},
    error::EngineError,
    kinds::Run,
    model::Encoder,
};
use operators::Operators;
use shaders::TILE;
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

/// The most tokens of one batch.
const MAX_BATCH: u32 = 4096;

/// The embeddings of `items`, one after the other.
pub(super) fn embed(gpu: &GpuEngine, encoder: &Encoder, items: &Items, run: &Run<'_>) -> Result<Vec<u8>, EngineError> {
    let mut output: Vec<u8> = Vec::new();
    let width = encoder.shape.output_bytes() as usize;
    run.progress.update(0, items.len() as u32);
    gpu.on_device(|context| {
        run.cancel.check()?;
        let capacity = capacity(context, encoder, items)?;
        let operators = Operators::new(context, encoder, capacity)?;
        context.check()?;
        // After the loss of the device, what was read back stays.
        while output.len() < items.len() * width {
            let batch = Batch::new(items, output.len() / width, capacity);
            output.extend(batch.run(context, &operators, width, run)?);
            run.progress.update((output.len() / width) as u32, items.len() as u32);
        }
        Ok(())
    })?;
    Ok(output)
}

/// The most tokens of a batch: as many as fit in the work of a submission, but at least those of the longest item.
///
/// Errors: `Limit` if the device has too few workgroups for that.
fn capacity(context: &Context, encoder: &Encoder, items: &Items) -> Result<u32, EngineError> {
    let shape = &encoder.shape;
    let longest = items.iter().map(<[u16]>::len).max().unwrap_or(1) as u32;
    let all: usize = items.iter().map(<[u16]>::len).sum();
    let layer = (shape.work(longest) / u64::from(longest) / u64::from(shape.layers)).max(1);
    let fitting = (context.bounds.work / layer).min(MAX_BATCH.into()) as u32;
    let tokens = fitting.min(u32::try_from(all).unwrap_or(u32::MAX));
    let capacity = tokens.min(context.bounds.workgroups).max(longest);
    let widest = shape.intermediate.max(shape.attention_width()).max(shape.hidden);
    let needed = longest.max(shape.heads).max(widest.div_ceil(TILE));
    if needed > context.bounds.workgroups {
        return Err(EngineError::Limit {
            limit: "workgroups per dimension",
            needed: needed.into(),
            available: context.bounds.workgroups.into(),
        });
    }
    Ok(capacity.next_multiple_of(TILE))
}

/// Neighbouring items that are computed together.
struct Batch {
    /// Token, position, first token of the item, number of its tokens.
    tokens: Vec<[u32; 4]>,
    /// First token, number of tokens.
    items: Vec<[u32; 2]>,
}

impl Batch {
    /// The items from `first` on, as many as have `capacity` tokens together: at least one.
    fn new(items: &Items, first: usize, capacity: u32) -> Self {
        let mut batch = Self {
            tokens: Vec::new(),
            items: Vec::new(),
        };
        for item in first..items.len() {
            let tokens = items.tokens(item);
            if batch.tokens.len() + tokens.len() > capacity as usize {
                break;
            }
            let place = [batch.tokens.len() as u32, tokens.len() as u32];
            batch.items.push(place);
            let [start, count] = place;
            batch.tokens.extend(
                (0..)
                    .zip(tokens)
                    .map(|(position, &token)| [token.into(), position, start, count]),
            );
        }
        batch
    }

    /// Computes the batch and returns the embeddings of its items.
    fn run(
        &self,
        context: &Context,
        operators: &Operators,
        width: usize,
        run: &Run<'_>,
    ) -> Result<Vec<u8>, EngineError> {
        let buffers = &operators.buffers;
        let (tokens, items) = (self.tokens.len() as u32, self.items.len() as u32);
        context.queue.write_buffer(&buffers.batch, 0, &tokens.to_le_bytes());
        context
            .queue
            .write_buffer(&buffers.tokens, 0, bytemuck::cast_slice(&self.tokens));
        context
            .queue
            .write_buffer(&buffers.items, 0, bytemuck::cast_slice(&self.items));
        operators.submit(context, [tokens, items], || run.cancel.check())?;
        let bytes = self.items.len() * width;
        read_back(context, operators, 0..bytes as u64, run)
    }
}

/// What has become of a mapping: nothing yet, done, or failed.
const MAPPED: u8 = 1;
const FAILED: u8 = 2;

/// Waits for the device, and returns part of the embeddings.
fn read_back(
    context: &Context,
    operators: &Operators,
    part: Range<u64>,
    run: &Run<'_>,
) -> Result<Vec<u8>, EngineError> {
    let buffers = &operators.buffers;
    let mut encoder = context.device.create_command_encoder(&Default::default());
    let bytes = part.end - part.start;
    encoder.copy_buffer_to_buffer(&buffers.embeddings, part.start, &buffers.staging, part.start, bytes);
    let submission = context.queue.submit([encoder.finish()]);
    let state = Arc::new(AtomicU8::new(0));
    let told = Arc::clone(&state);
    buffers
        .staging
        .map_async(wgpu::MapMode::Read, part.clone(), move |result| {
            told.store(if result.is_ok() { MAPPED } else { FAILED }, Ordering::Release);
        });
    context.wait(&submission, run.cancel, || {
        let state = state.load(Ordering::Acquire);
        if state == FAILED {
            context.report_loss("a result could not be read");
        }
        state == MAPPED
    })?;
    let view = buffers
        .staging
        .get_mapped_range(part)
        .map_err(|error| context.lost(error.to_string()))?;
    let content = view.to_vec();
    drop(view);
    buffers.staging.unmap();
    Ok(content)
}
