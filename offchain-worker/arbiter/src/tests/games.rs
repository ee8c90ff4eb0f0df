//! Whole games about jobs of every kind, decided by the machine with the shipped image. The honest side knows what it has computed, and
//! what was shown in the game.

use super::world::*;
use crate::Arbiter;
use agora_disputes::{Execution, List, Side, kept, player::Tracer};
use agora_jobs::{BlobRef, JobKind, JobSpec, blob};
use agora_machine::Witness;
use agora_reference::{Step, UnitRun, of};
use codec::Decode;
use std::collections::BTreeSet;

const EVERY_LIE: [&str; 5] = ["Output", "State", "Kept", "Scan", "Unusable"];

const SIDES: [Side; 2] = [Side::Accuser, Side::Defence];

/// Plays about `job` with every lie that there is about it, on both sides. Returns the lies.
fn all_lies(name: &str, seed: u64) -> BTreeSet<String> {
    let job = Job::named(name);
    let honest = job.arbiter();
    let mut random = Random(seed);
    let mut told = BTreeSet::new();
    for lie in Lie::ALL {
        let Some(wrong) = lie.tell(honest.truth(), &mut random) else {
            continue;
        };
        let own = job.believer(wrong);
        for side in SIDES {
            let froms = [From::Number(0), From::Number(random.next()), From::List];
            let from = froms[random.below(3) as usize];
            // The liar has what others publish; with the honest side it shares the game alone.
            let other = job.believer(honest.truth().clone());
            let liar = Liar {
                own: &own,
                other: &other,
                from,
            };
            let hint = format!("{name}, {lie:?}, honest {side:?}, {from:?}, seed {seed}");
            let report = play(&honest, side, &[liar], &hint);
            let chosen = report
                .game
                .branches
                .iter()
                .find_map(|(branch, _)| branch.named.map(|(list, ..)| list));
            let expected = match lie {
                Lie::Kept => Some(List::Kept),
                Lie::Scan => Some(List::Scans),
                _ => chosen,
            };
            assert_eq!(chosen, expected, "{hint}");
        }
        told.insert(format!("{lie:?}"));
    }
    told
}

/// Plays about jobs whose inputs are unusable: the liar claims what would be the output of usable ones.
fn unusable(name: &str, seed: u64) {
    let usable = Job::named(name);
    let made_up = usable.arbiter();
    let mut random = Random(seed);
    let mut found = BTreeSet::new();
    for input in 0..usable.inputs.len() {
        let length = usable.inputs[input].len();
        for at in [0, length / 2, length - 1] {
            let job = usable.with_input(input, at);
            let honest = job.arbiter();
            if !honest.truth().unusable || !found.insert(honest.truth().scans.len()) {
                continue;
            }
            let own = job.believer(made_up.truth().clone());
            for side in SIDES {
                let from = [From::Number(random.next()), From::List][random.below(2) as usize];
                let other = job.believer(honest.truth().clone());
                let liar = Liar {
                    own: &own,
                    other: &other,
                    from,
                };
                let hint = format!("{name}, byte {at} of input {input}, honest {side:?}, {from:?}, seed {seed}");
                let report = play(&honest, side, &[liar], &hint);
                assert_eq!(report.executed, 1, "{hint}");
            }
        }
    }
    assert!(!found.is_empty(), "{name}: no unusable inputs were tried");
}

fn told(lies: &[&str]) -> BTreeSet<String> {
    lies.iter().map(|&lie| lie.to_owned()).collect()
}

#[test]
fn synthetic_jobs_are_decided() {
    let lies = told(&["Output", "State", "Unusable"]);
    assert_eq!(all_lies("synthetic: two by two", 1), lies);
    assert_eq!(all_lies("synthetic: one more than two tiles", 2), lies);
}

#[test]
fn matrix_products_are_decided() {
    assert_eq!(
        all_lies("matmul: no multiple of anything", 3),
        told(&["Output", "Unusable"])
    );
}

#[test]
fn embeddings_are_decided() {
    assert_eq!(all_lies("embedding: two layers", 4), told(&EVERY_LIE));
    unusable("embedding: two layers", 5);
}

#[test]
fn classifications_are_decided() {
    assert_eq!(all_lies("classification: a convolution", 6), told(&EVERY_LIE));
    unusable("classification: a convolution", 7);
}

#[test]
fn trainings_are_decided() {
    assert_eq!(all_lies("training: a convolution", 8), told(&EVERY_LIE));
    unusable("training: a convolution", 9);
}

#[test]
fn renderings_are_decided() {
    assert_eq!(all_lies("rendering: still life", 10), told(&EVERY_LIE));
    unusable("rendering: still life", 11);
}

/// A state of 300 training steps.
fn long_training() -> Job {
    let mut job = Job::named("training: a convolution");
    let JobSpec::V2(JobKind::Training(training)) = &mut job.spec else {
        panic!("another kind")
    };
    (training.segments, training.segment_steps, training.state_interval) = (1, 300, 300);
    job
}

/// Whether a unit of `state` reads the list of what earlier ones kept.
fn reads_what_is_kept(arbiter: &Arbiter<Contents>, state: u64, unit: u64) -> bool {
    let list = |digests: &[_]| BlobRef::to(&agora_reference::list(digests));
    let of = |contents: &[Vec<u8>]| list(&contents.iter().map(|content| blob::hash(content)).collect::<Vec<_>>());
    let truth = arbiter.truth();
    let run = UnitRun {
        job: arbiter.rules(&TERMS).job,
        states: of(&truth.states[..state as usize]),
        scans: of(&truth.scans),
        kept: of(&truth.kept[state as usize]),
        step: Step::State(state),
        unit,
    };
    let kept = run.kept;
    let run = Execution::Unit(run);
    let segments = arbiter.record(&run, None).unwrap().segments;
    let traced = arbiter.trace(&run, None).unwrap();
    (0..segments).any(|number| {
        let (_, witness) = traced.segment(number).unwrap();
        let witness = Witness::decode(&mut witness.as_slice()).unwrap();
        witness.chunks.iter().any(|read| kept.verify(read))
    })
}

#[test]
fn a_wrong_list_of_many_chunks_is_proven_from_what_was_shown() {
    let job = long_training();
    let honest = job.arbiter();
    let law = of(&job.spec);
    let long = (0..law.states())
        .max_by_key(|&state| kept(law, Step::State(state)))
        .unwrap();
    let count = honest.truth().kept[long as usize].len();
    let mut openings = BTreeSet::new();
    // In the first chunk, in one in the middle, and near the end.
    for from in [20, count / 2, count - 40] {
        let mut reading = (from..count).filter(|&unit| reads_what_is_kept(&honest, long, unit as u64));
        let from = reading.next().unwrap();
        let mut wrong = honest.truth().clone();
        let entries = wrong.kept[long as usize][from..].iter_mut().step_by(5);
        entries.for_each(|entry| entry[0] ^= 1);
        wrong.states[long as usize][3] ^= 1;
        let own = job.believer(wrong);
        let other = job.believer(honest.truth().clone());
        let liar = Liar {
            own: &own,
            other: &other,
            from: From::List,
        };
        let hint = format!("of {count} entries the first wrong one is {from}");
        let report = play(&honest, Side::Accuser, &[liar], &hint);
        let (branch, runs) = &report.game.branches[0];
        let list = branch.aim.list(law, &branch.defence, List::Kept);
        assert_eq!(report.executed, 1, "{hint}");
        assert!(
            report.read.iter().any(|read| list.verify(read)),
            "{hint}: the segment reads the list"
        );
        openings.insert(runs.openings.len());
    }
    assert_eq!(
        openings.last(),
        Some(&2),
        "{count} entries are more than 16 chunks: a tree of several openings"
    );
}

#[test]
fn every_defence_of_a_wrong_claim_is_beaten() {
    for name in ["embedding: two layers", "training: a convolution"] {
        let job = Job::named(name);
        let honest = job.arbiter();
        let mut random = Random(13);
        let mut claimed = honest.truth().clone();
        let state = (0..claimed.kept.len())
            .max_by_key(|&state| claimed.kept[state].len())
            .unwrap();
        random.flip(&mut claimed.states[state]);
        // The lists of the first are right; those of the others are wrong somewhere.
        let mut believers = vec![job.believer(claimed.clone())];
        for unit in 0..claimed.kept[state].len().min(4) {
            let mut wrong = claimed.clone();
            random.flip(&mut wrong.kept[state][unit]);
            believers.push(job.believer(wrong));
            let mut wrong = claimed.clone();
            let scan = unit % wrong.scans.len();
            random.flip(&mut wrong.scans[scan]);
            believers.push(job.believer(wrong));
        }
        let other = job.believer(honest.truth().clone());
        let liars: Vec<_> = believers
            .iter()
            .map(|own| Liar {
                own,
                other: &other,
                from: From::Number(random.next()),
            })
            .collect();
        let report = play(&honest, Side::Accuser, &liars, &format!("{name}, seed 13"));
        assert!(report.game.branches.len() > 2, "{name}: {}", report.game.branches.len());
        assert_eq!(report.executed, report.game.branches.len(), "{name}");
    }
}

#[test]
fn a_game_about_another_job_is_survived() {
    let job = Job::named("embedding: two layers");
    let honest = job.arbiter();
    let strangers: Vec<Arbiter<_>> = [
        "training: a convolution",
        "synthetic: two by two",
        "rendering: still life",
    ]
    .map(|name| Job::named(name).arbiter())
    .into();
    let mut random = Random(12);
    for lie in [Lie::Kept, Lie::Scan, Lie::Unusable] {
        let own = job.believer(lie.tell(honest.truth(), &mut random).unwrap());
        let liar = Liar {
            own: &own,
            other: &honest,
            from: From::Number(3),
        };
        let report = play(&honest, Side::Accuser, &[liar], "seed 12");
        for (game, stranger) in report
            .blocks
            .iter()
            .flat_map(|game| strangers.iter().map(move |other| (game, other)))
        {
            for side in SIDES {
                let _ = stranger.moves(side, game, &TERMS);
                // Nor does it matter whose side somebody takes who knows better.
                let _ = honest.moves(side, game, &TERMS);
            }
        }
    }
}
