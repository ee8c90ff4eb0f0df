//! Jobs at and near their limits: what is said of their units is bounded, and fits together.

use super::{
    hostile::{Noise, has_an_end, survives_noise},
    machine::Machine,
    world::{check_bounds, check_size},
};
use crate::*;
use agora_jobs::{JobKind, JobSpec};
use agora_machine::Status;
use proptest::prelude::*;

/// Numbers from 1 to `most`: the ends, powers of two and their neighbours, any other.
pub fn up_to(most: u32) -> impl Strategy<Value = u32> + Clone {
    let bits = most.ilog2();
    prop_oneof![
        Just(1),
        Just(most),
        (0..=bits, 0u32..3).prop_map(move |(bit, by)| ((1 << bit) + by).saturating_sub(1).clamp(1, most)),
        1..=most,
    ]
}

/// Checks the bounds of some units of a job. `false`: the job is not within its limits.
pub fn bounded(kind: JobKind, places: &[(u64, u64)]) -> bool {
    some_units(kind, places, |law, step, unit| {
        for unit in [0, unit, law.units(step) - 1] {
            check_bounds(law, step, unit);
        }
    })
}

/// Computes some units of a job from noise. `false`: the job is not within its limits.
pub fn survives(kind: JobKind, places: &[(u64, u64)], seed: u32) -> bool {
    let mask = if seed.is_multiple_of(2) { 255 } else { 1 };
    some_units(kind, places, |law, step, unit| {
        survives_noise(law, step, unit, &Noise::new(seed, mask));
    })
}

/// Computes some units of each kind of step in the machine, from noise, and prints what they take. `false`: the job is
/// not within its limits.
pub fn run_in_the_machine(kind: JobKind) -> bool {
    /// All over a step, and the last.
    const PLACES: [(u64, u64); 5] = [
        (1, 0),
        (1, u64::MAX / 7),
        (1, u64::MAX / 3),
        (1, u64::MAX / 3 * 2),
        (1, u64::MAX - 1),
    ];
    let job = JobSpec::V2(kind.clone());
    some_units(kind, &PLACES, |law, step, unit| {
        for mask in [255, 1] {
            let (output, gas) = Machine::of_noise(&job, mask).run(step, unit);
            let said = law.unit(step, unit).unwrap();
            println!(
                "{gas} instructions, {} operations, {} chunks: {step:?} {unit} of {job:?}",
                said.work, said.chunks
            );
            match output {
                Ok(bytes) => check_size(&said, &bytes),
                Err(status) => assert_eq!((status, step), (Status::Unusable, Step::Inputs)),
            }
        }
    })
}

/// Some units of each kind of step. `false`: the job is not within its limits.
fn some_units(kind: JobKind, places: &[(u64, u64)], check: impl Fn(&dyn Reference, Step, u64)) -> bool {
    let job = JobSpec::V2(kind);
    if job.validate().is_err() {
        return false;
    }
    let law = of(&job);
    has_an_end(law);
    let states = law.states();
    for (state, unit) in places {
        let steps = [0, state % states, states - 1].map(Step::State);
        for step in steps.into_iter().chain([Step::Inputs]) {
            match law.units(step) {
                0 => assert_eq!(step, Step::Inputs),
                units => check(law, step, unit % units),
            }
        }
    }
    true
}

pub fn places() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec(any::<(u64, u64)>(), 4..20)
}
