//! The image, its gas, and the runs that are kept.

use super::world::*;
use crate::{Arbiter, Error, IMAGE, RUN_GAS, pinned};
use agora_disputes::{Execution, Segments, player::Tracer};
use agora_jobs::{BlobRef, JobKind, JobSpec, SyntheticJob};
use agora_reference::{Fault, Step, UnitRun, of};
use std::sync::Arc;

#[test]
fn the_gas_of_a_run_is_enough_for_every_unit() {
    assert_eq!((pinned().image, pinned().gas), (BlobRef::to(IMAGE), RUN_GAS));
    for job in Job::all() {
        let law = of(&job.spec);
        // A program has its own.
        if law.program().is_some() {
            continue;
        }
        for step in [Step::Inputs].into_iter().chain((0..law.states()).map(Step::State)) {
            for unit in 0..law.units(step) {
                assert!(
                    law.unit(step, unit).unwrap().gas() <= RUN_GAS,
                    "{}: {step:?} {unit}",
                    job.name
                );
            }
        }
    }
}

fn run_of(arbiter: &Arbiter<Contents>, unit: u64) -> UnitRun {
    let digests = arbiter.truth().digests();
    UnitRun {
        job: arbiter.rules(&TERMS).job,
        states: BlobRef::to(&agora_reference::list(&digests[..1])),
        scans: BlobRef::to(&[]),
        kept: BlobRef::to(&[]),
        step: Step::State(1),
        unit,
    }
}

#[test]
fn a_run_is_made_once_and_its_segments_are_those_of_the_machine() {
    let arbiter = Job::named("synthetic: two by two").arbiter();
    let run = Execution::Unit(run_of(&arbiter, 0));
    let [one, other] = [0; 2].map(|_| arbiter.record(&run, None).unwrap());
    assert!(Arc::ptr_eq(&one, &other));
    let traced = arbiter.trace(&run, None).unwrap();
    let segments = pinned();
    for number in 0..one.segments + 2 {
        let (state, witness) = traced.segment(number).unwrap();
        assert_eq!(traced.segment(number), Some((state.clone(), witness.clone())));
        let (_, after) = segments.next(&run, &state, &witness).unwrap();
        assert_eq!(after, one.tree.node(0, number));
    }
    assert_eq!(traced.end().1, arbiter.truth().states[1]);
}

#[test]
fn an_arbiter_may_be_shared_by_threads() {
    fn is_shared<T: Send + Sync>(_: &T) {}
    is_shared(&Job::named("synthetic: two by two").arbiter());
}

#[test]
fn what_is_not_at_hand_is_not_run() {
    let arbiter = Job::named("synthetic: two by two").arbiter();
    let mut run = run_of(&arbiter, 0);
    run.states.hash.0[0] ^= 1;
    let run = Execution::Unit(run);
    assert!(arbiter.record(&run, None).is_none() && arbiter.trace(&run, None).is_none());
    let stranger = Execution::Unit(UnitRun {
        job: BlobRef::to(b"another job"),
        ..run_of(&arbiter, 0)
    });
    assert!(arbiter.record(&stranger, None).is_none());
    let job = Job::named("embedding: two layers");
    let error = Arbiter::compute(job.spec, Contents::default()).err().unwrap();
    assert!(matches!(error, Error::Unit(Fault::Missing { .. })) && error.is_recoverable());
    let nothing = SyntheticJob {
        seed: [0; 32],
        matrix_size: 0,
        iterations: 0,
    };
    let error = Arbiter::compute(JobSpec::V2(JobKind::Synthetic(nothing)), Contents::default()).err();
    assert!(matches!(error, Some(Error::Job(_))) && !error.unwrap().is_recoverable());
}
