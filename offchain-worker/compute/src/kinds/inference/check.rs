//! Checking a batch: items that a secret seed draws are computed again.

use super::Batch;
use crate::{
    inputs::Inputs,
    kinds::{Drawn, EngineError, On, Place, Verdict, draw_below},
    run::{CancelFlag, NoProgress, Run},
};
use agora_math::field::Generator;
use agora_primitives::job::{InferenceJob, Limits};
use std::collections::BTreeSet;

/// How many points of the work are drawn.
const POINTS: u64 = 20;
/// The generator's label of the items to compute again.
const LABEL: &[u8] = b"inference check";

/// Computes again the items that `seed` draws, and returns the first that is wrong.
pub(super) fn check(
    job: &InferenceJob,
    on: On<'_>,
    inputs: &dyn Inputs,
    output: &[u8],
    seed: &[u8; 32],
) -> Result<Verdict, EngineError> {
    let batch = Batch::read(job, inputs)?;
    let (expected, found) = (job.max_output_bytes(), output.len() as u64);
    if found != expected {
        return Ok(Verdict::Wrong(Place::Length { expected, found }));
    }
    let items: Vec<usize> = draw(&batch.work(), seed).into_iter().collect();
    let drawn = Drawn {
        output,
        width: job.item_output() as usize,
        parts: &items,
    };
    let never = CancelFlag::new();
    let run = Run {
        inputs,
        progress: &NoProgress,
        cancel: &never,
    };
    let wrong = drawn.first_wrong(on, |on, items| batch.only(items).compute(on, &run))?;
    Ok(match wrong {
        Some(at) => Verdict::Wrong(Place::Item((at / drawn.width) as u64)),
        None => Verdict::Right,
    })
}

/// The items whose work contains the points that `seed` draws, each once.
///
/// `work` is that of each item, at least 1, in their order. An item is hit in proportion to its work, so that a long one
/// cannot hide among many short ones.
fn draw(work: &[u64], seed: &[u8; 32]) -> BTreeSet<usize> {
    let mut total = 0;
    // Where the work of each item ends. The limit of a job's work keeps the total at most 2⁵⁰.
    let ends: Vec<u64> = work
        .iter()
        .map(|work| {
            total += work;
            total
        })
        .collect();
    let generator = Generator::new(seed, LABEL);
    let item = |point| {
        let point = draw_below(&generator, point, total.max(1));
        ends.partition_point(|&end| end <= point)
    };
    (0..POINTS).map(item).filter(|&item| item < work.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::transformer::sample;
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
        // Items of different work, so that it matters what is drawn: items, or their work.
        let work: Vec<u64> = (0..400).map(|i| 1 + i * i % 97).collect();
        for vector in vectors {
            let mut seed = [0; 32];
            hex::decode_to_slice(vector.check_seed, &mut seed).unwrap();
            assert_eq!(draw(&work, &seed).into_iter().collect::<Vec<_>>(), vector.drawn_of_400);
        }
    }

    /// Of so many seeds, those that draw one of the items that are `faked`.
    fn found(work: &[u64], faked: impl Fn(usize) -> bool) -> f64 {
        const SEEDS: u64 = 4000;
        let finds = |number: u64| {
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&number.to_le_bytes());
            draw(work, &seed).into_iter().any(&faked)
        };
        (0..SEEDS).filter(|&number| finds(number)).count() as f64 / SEEDS as f64
    }

    #[test]
    fn few_long_items_do_not_hide_among_many_short_ones() {
        let shape = sample::SMALL;
        let work: Vec<u64> = (0..1000)
            .map(|item| shape.work(if item % 50 == 7 { 512 } else { 4 }))
            .collect();
        let long: u64 = work.iter().skip(7).step_by(50).sum();
        assert!(long * 100 > work.iter().sum::<u64>() * 70);
        assert!(found(&work, |item| item % 50 == 7) >= 0.999);
    }

    #[test]
    fn a_faked_tenth_of_the_work_is_found_as_often_as_the_protocol_says() {
        let odds = 1.0 - 0.9f64.powi(POINTS as i32);
        let equal = vec![1000; 1000];
        // One item in ten, and a single one that is a tenth of the work.
        let tenth = found(&equal, |item| item % 10 == 3);
        let mut one = vec![10; 901];
        one[450] = 1000;
        let single = found(&one, |item| item == 450);
        for share in [tenth, single] {
            assert!((share - odds).abs() < 0.02, "{share} is not about {odds}");
        }
    }

    #[test]
    fn the_only_item_is_always_drawn() {
        for seed in 0..50 {
            assert_eq!(draw(&[1], &[seed; 32]), BTreeSet::from([0]));
        }
    }
}
