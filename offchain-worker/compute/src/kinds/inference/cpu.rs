//! On the processor: groups of items, on all cores.

use super::Items;
use crate::{
    kinds::EngineError,
    networks::transformer::{Encoder, PreparedEncoder},
    run::Run,
};
use rayon::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// Tokens that one task computes together, so that each weight is fetched once for all of them.
const MAX_TOKENS_PER_TASK: usize = 256;
/// Fewer are not worth a task.
const MIN_TOKENS_PER_TASK: usize = 32;

/// The embeddings of `items`, one after the other.
pub(super) fn embed(encoder: &Arc<Encoder>, items: &Items, run: &Run<'_>) -> Result<Vec<u8>, EngineError> {
    let model = PreparedEncoder::new(Arc::clone(encoder))?;
    let total = items.len() as u32;
    run.progress.update(0, total);
    let done = Mutex::new(0);
    let embeddings = groups(items)
        .par_iter()
        .map(|group| {
            run.cancel.check()?;
            let embeddings = bytes(&model.embed(group, run.cancel)?);
            // Locked while progress is reported, so that it never falls.
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            *done += group.len() as u32;
            run.progress.update(*done, total);
            Ok(embeddings)
        })
        .collect::<Result<Vec<_>, EngineError>>()?;
    Ok(embeddings.concat())
}

/// The canonical bytes of embeddings.
fn bytes(embeddings: &[i16]) -> Vec<u8> {
    embeddings.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Neighbouring items, so many that there is a task for each core, if there are enough.
fn groups(items: &Items) -> Vec<Vec<&[u16]>> {
    let all: usize = items.iter().map(<[u16]>::len).sum();
    let fair = all / rayon::current_num_threads();
    let most = fair.clamp(MIN_TOKENS_PER_TASK, MAX_TOKENS_PER_TASK);
    let mut groups = vec![Vec::new()];
    let mut tokens = 0;
    for item in items.iter() {
        if tokens >= most {
            groups.push(Vec::new());
            tokens = 0;
        }
        tokens += item.len();
        if let Some(group) = groups.last_mut() {
            group.push(item);
        }
    }
    groups
}
