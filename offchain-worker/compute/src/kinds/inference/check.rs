//! Checking a batch: items that nobody could foresee are computed again.

use super::{Items, cpu::bytes};
use crate::{
    engine::CancelFlag,
    error::EngineError,
    kinds::{Place, Verdict},
    model::{Encoder, Prepared},
};
use agora_primitives::job::InferenceJob;
use blake2b_simd::Params;
use rayon::prelude::*;
use std::{collections::BTreeSet, sync::Arc};

/// The work of a check is at most one part in so many of the job's, or one item.
const CHECKED_PART: u64 = 50;
/// The domain of the draws.
const DOMAIN: &[u8] = b"agora/inference-check/1";

/// Computes again the items that `seed` draws, and returns the first that is wrong.
pub(super) fn check(
    job: &InferenceJob,
    encoder: Encoder,
    items: &Items,
    output: &[u8],
    seed: &[u8; 32],
) -> Result<Verdict, EngineError> {
    let width = job.item_output as usize;
    let expected = width as u64 * items.len() as u64;
    let found = output.len() as u64;
    if found != expected {
        return Ok(Verdict::Wrong(Place::Length { expected, found }));
    }
    let model = Prepared::new(Arc::new(encoder))?;
    let never = CancelFlag::new();
    let drawn: Vec<usize> = draw(items.work(), seed).into_iter().collect();
    let wrong = |item: usize| {
        let embedding = bytes(&model.embed(&[items.tokens(item)], &never)?);
        Ok((embedding != output[item * width..(item + 1) * width]).then_some(item))
    };
    let wrong: Vec<Option<usize>> = drawn.into_par_iter().map(wrong).collect::<Result<_, EngineError>>()?;
    Ok(match wrong.into_iter().flatten().min() {
        Some(item) => Verdict::Wrong(Place::Unit(item as u64)),
        None => Verdict::Right,
    })
}

/// Different items, drawn until the next would be more than a [`CHECKED_PART`]th of the work; at least one.
pub(super) fn draw(work: &[u64], seed: &[u8; 32]) -> BTreeSet<usize> {
    let limit = work.iter().sum::<u64>() / CHECKED_PART;
    let mut drawn = BTreeSet::new();
    let mut spent = 0;
    for i in 0u32.. {
        let item = (number(seed, i) % work.len() as u64) as usize;
        if drawn.contains(&item) {
            continue;
        }
        spent += work[item];
        if spent > limit && !drawn.is_empty() {
            break;
        }
        drawn.insert(item);
        if drawn.len() == work.len() {
            break;
        }
    }
    drawn
}

/// The `i`-th number that `seed` gives.
fn number(seed: &[u8; 32], i: u32) -> u64 {
    let hash = Params::new()
        .hash_length(32)
        .to_state()
        .update(DOMAIN)
        .update(seed)
        .update(&i.to_le_bytes())
        .finalize();
    hash.as_bytes().first_chunk().copied().map_or(0, u64::from_le_bytes)
}
