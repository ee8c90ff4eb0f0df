//! Checking an output: of a map, records that a secret seed draws are computed again; of a fold all of them, because the output is its last
//! record alone.

use super::{Blobs, EngineError, cpu};
use crate::{
    inputs::Inputs,
    kinds::{Drawn, On, Place, Verdict, draw_below},
    run::{CancelFlag, NoProgress, Run},
};
use agora_math::field::Generator;
use agora_primitives::job::{H256, Limits, ProgramJob, program::read_record, states_root};
use std::collections::BTreeSet;

/// How many items are computed again, if there are so many.
const DRAWN: usize = 20;
/// The generator's label of the items to compute again.
const LABEL: &[u8] = b"program check";

/// Whether the `output` of a map has the right length, possible records, and the right ones where `seed` draws.
pub(super) fn map(
    job: &ProgramJob,
    inputs: &dyn Inputs,
    output: &[u8],
    seed: &[u8; 32],
) -> Result<Verdict, EngineError> {
    if let Some(wrong) = wrong_length(job, output) {
        return Ok(wrong);
    }
    let width = job.record_bytes as usize;
    // What no run can leave is wrong, whatever is drawn.
    if let Some(item) = output
        .chunks_exact(width)
        .position(|record| read_record(record).is_none())
    {
        return Ok(Verdict::Wrong(Place::Item(item as u64)));
    }
    let items = draw(job.items, seed);
    let drawn = Drawn {
        output,
        width,
        parts: &items,
    };
    let blobs = Blobs::of(job, inputs)?;
    let never = CancelFlag::new();
    let run = quiet(inputs, &never);
    let wrong = drawn.first_wrong(On::Cpu, |_, items| {
        let items: Vec<u64> = items.iter().map(|&item| item as u64).collect();
        cpu::records(job, &blobs, &items, &run)
    })?;
    Ok(match wrong {
        Some(at) => Verdict::Wrong(Place::Item((at / width) as u64)),
        None => Verdict::Right,
    })
}

/// Whether `output` is the last record of a fold, and the digests of those before it have `root`, if it is given.
///
/// Complexity: that of the job.
pub(super) fn fold(
    job: &ProgramJob,
    inputs: &dyn Inputs,
    output: &[u8],
    root: Option<&H256>,
) -> Result<Verdict, EngineError> {
    if let Some(wrong) = wrong_length(job, output) {
        return Ok(wrong);
    }
    let never = CancelFlag::new();
    let right = cpu::run(job, &quiet(inputs, &never))?;
    Ok(
        match right
            .output
            .iter()
            .zip(output)
            .position(|(right, claimed)| right != claimed)
        {
            Some(at) => Verdict::Wrong(Place::Byte(at as u64)),
            None if root.is_some_and(|root| *root != states_root(&right.states())) => Verdict::Wrong(Place::States),
            None => Verdict::Right,
        },
    )
}

fn wrong_length(job: &ProgramJob, output: &[u8]) -> Option<Verdict> {
    let (expected, found) = (job.max_output_bytes(), output.len() as u64);
    (expected != found).then_some(Verdict::Wrong(Place::Length { expected, found }))
}

/// What a computation has that nobody watches.
const fn quiet<'a>(inputs: &'a dyn Inputs, cancel: &'a CancelFlag) -> Run<'a> {
    Run {
        inputs,
        progress: &NoProgress,
        cancel,
    }
}

/// [`DRAWN`] different items of `count`, or all of them, ascending.
fn draw(count: u32, seed: &[u8; 32]) -> Vec<usize> {
    if count as usize <= DRAWN {
        return (0..count as usize).collect();
    }
    let generator = Generator::new(seed, LABEL);
    let mut items = BTreeSet::new();
    // Ends: each number is one of those that are missing with some probability, as the draws are independent.
    for index in 0.. {
        items.insert(draw_below(&generator, index, count.into()) as usize);
        if items.len() == DRAWN {
            break;
        }
    }
    items.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(number: u64) -> [u8; 32] {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        seed
    }

    #[test]
    fn few_items_are_all_drawn_and_of_many_so_many_that_differ() {
        for count in 1..=DRAWN as u32 {
            assert_eq!(draw(count, &seed(1)), (0..count as usize).collect::<Vec<_>>());
        }
        for number in 0..100 {
            let drawn = draw(DRAWN as u32 + 1, &seed(number));
            assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]), "{drawn:?}");
            assert_eq!(drawn.len(), DRAWN);
            assert!(drawn.iter().all(|&item| item <= DRAWN));
        }
    }

    #[test]
    fn a_faked_tenth_of_the_items_is_found_as_often_as_the_protocol_says() {
        const SEEDS: u64 = 4000;
        let faked = |item: &usize| item % 10 == 3;
        let found = (0..SEEDS)
            .filter(|&number| draw(1000, &seed(number)).iter().any(faked))
            .count();
        let odds = 1.0 - 0.9f64.powi(DRAWN as i32);
        let share = found as f64 / SEEDS as f64;
        assert!((share - odds).abs() < 0.02, "{share} is not about {odds}");
    }
}
