//! Checking a batch: items that a secret seed draws are computed again.

use super::{Items, cpu::bytes};
use crate::{
    kinds::{EngineError, Place, Verdict, draw_below},
    networks::transformer::{Encoder, PreparedEncoder},
    run::CancelFlag,
};
use agora_math::field::Generator;
use agora_primitives::job::InferenceJob;
use rayon::prelude::*;
use std::{collections::BTreeSet, sync::Arc};

/// The work of a check is at most one part in so many of the job's, or one item.
const CHECKED_PART: u64 = 50;
/// The generator's label of the items to compute again.
const LABEL: &[u8] = b"inference check";

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
    let model = PreparedEncoder::new(Arc::new(encoder))?;
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
    let generator = Generator::new(seed, LABEL);
    let mut drawn = BTreeSet::new();
    let mut spent = 0;
    for i in 0.. {
        let item = draw_below(&generator, i, work.len() as u64) as usize;
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Vector {
        check_seed: String,
        drawn_of_400: Vec<usize>,
    }

    #[test]
    fn the_drawn_items_are_those_of_the_second_implementation() {
        let vectors = include_str!("../../../../../tests/vectors/inference.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        // Items of different work, so that it matters which one the limit refuses.
        let work: Vec<u64> = (0..400).map(|i| 1 + i * i % 97).collect();
        for vector in vectors {
            let mut seed = [0; 32];
            hex::decode_to_slice(vector.check_seed, &mut seed).unwrap();
            assert_eq!(draw(&work, &seed).into_iter().collect::<Vec<_>>(), vector.drawn_of_400);
        }
    }
}
