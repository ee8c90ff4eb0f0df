//! Disputes: every item is a state of its own.

use super::{ItemsError, encode_items};
use crate::{
    inputs::Inputs,
    kinds::{
        EngineError, JudgeError, Part, Trace,
        dispute::{compute, cut},
    },
};
use agora_primitives::job::{BlobRef, InferenceJob, InferenceNetwork, JobError, JobKind};

/// A state for each item, joined to the output.
pub(super) const fn trace(job: &InferenceJob) -> Trace {
    Trace::joined(job.items)
}

/// The item that byte `at` of `outputs` belongs to.
pub(super) fn part(
    job: &InferenceJob,
    inputs: &dyn Inputs,
    outputs: [&[u8]; 2],
    at: usize,
) -> Result<Part, JudgeError> {
    let (place, claims) = cut(outputs, at, job.item_output() as usize);
    Ok(Part {
        number: place as u64,
        right: item(job, inputs, place as u32)?,
        claims,
    })
}

/// The output for one item: a job of one item.
pub(super) fn item(job: &InferenceJob, inputs: &dyn Inputs, item: u32) -> Result<Vec<u8>, JudgeError> {
    let all = inputs.get(&job.input)?;
    let content = match job.network {
        InferenceNetwork::Embedding { .. } => tokens(&all, item).and_then(|tokens| encode_items(&[tokens])),
        InferenceNetwork::Classification { .. } => {
            let image = all.len() / job.items as usize;
            let rest = all.get(item as usize * image..);
            rest.and_then(|rest| rest.get(..image)).map(<[u8]>::to_vec)
        }
        InferenceNetwork::Generation => return Err(JobError::Unsupported.into()),
    };
    let truncated = || EngineError::Items(ItemsError::Truncated(item));
    let content = content.ok_or_else(truncated)?;
    let input = BlobRef::to(&content);
    let one = InferenceJob {
        input,
        items: 1,
        ..*job
    };
    Ok(compute(JobKind::Inference(one), inputs, Some((input, content)))?)
}

/// The tokens of an item of an embedding's input.
fn tokens(input: &[u8], item: u32) -> Option<Vec<u16>> {
    let (_, mut rest) = input.split_first_chunk::<4>()?;
    for _ in 0..item {
        let (length, items) = rest.split_first_chunk()?;
        rest = items.get(2 * usize::from(u16::from_le_bytes(*length))..)?;
    }
    let (length, items) = rest.split_first_chunk()?;
    let (tokens, _) = items
        .get(..2 * usize::from(u16::from_le_bytes(*length)))?
        .as_chunks::<2>();
    Some(tokens.iter().map(|&token| u16::from_le_bytes(token)).collect())
}
