//! Games between somebody honest and the liar that is shipped for demonstrations and tests.

use super::world::{HONEST, Job, LIAR, Lie, Random, TERMS};
use crate::{Arbiter, Liar};
use agora_disputes::{Accusation, Game, Move, RunMove, Side, Time, Verdict};
use agora_jobs::{JobKind, JobSpec};
use agora_reference::Inputs;

/// Plays until it is decided, and returns how many segments were executed.
fn play<I: Inputs>(honest: &Arbiter<I>, wrong: &Arbiter<I>, side: Side, hint: &str) -> usize {
    let (accuser, accused, target) = match side {
        Side::Accuser => (HONEST, wrong.claim(), honest.target(&wrong.claim())),
        Side::Defence => (LIAR, honest.claim(), wrong.target(&honest.claim())),
    };
    let accusation = Accusation {
        accused,
        target: target.unwrap_or_else(|| panic!("{hint}: the claims are the same")),
        own: None,
    };
    let rules = honest.rules(&TERMS);
    let mut game = Game::new(accuser, &accusation, &rules, Time::default()).unwrap();
    let other = match side {
        Side::Accuser => Side::Defence,
        Side::Defence => Side::Accuser,
    };
    let mut executed = 0;
    for block in 0..TERMS.bound() {
        let now = Time { block, full: 0 };
        for made in Liar(wrong).moves(other, &game, &TERMS) {
            let _ = game.play(&LIAR, &made, &rules, now);
        }
        for made in honest.moves(side, &game, &TERMS) {
            executed += usize::from(matches!(&made, Move::Run(_, run) if matches!(**run, RunMove::Execute(..))));
            game.play(&HONEST, &made, &rules, now)
                .unwrap_or_else(|error| panic!("{hint}: {error} for {made:?}"));
        }
        let _ = game.play(&99, &Move::Advance, &rules, now);
        if let Some(verdict) = game.verdict() {
            let expected = match side {
                Side::Accuser => matches!(verdict, Verdict::Falls(_)),
                Side::Defence => verdict == Verdict::Stands,
            };
            assert!(expected, "{hint}: {verdict:?}");
            return executed;
        }
    }
    panic!("{hint}: it never ends");
}

/// Whatever the liar has changed, it defends and accuses to the last instruction, with outputs of any length.
#[test]
fn a_liar_goes_on_to_the_last_segment_in_every_kind() {
    let mut random = Random(21);
    for job in Job::all() {
        let honest = job.arbiter();
        if honest.truth().unusable {
            continue;
        }
        for lie in [Lie::Output, Lie::Kept, Lie::Scan, Lie::Unusable] {
            let Some(truth) = lie.tell(honest.truth(), &mut random) else {
                continue;
            };
            // A run that writes more than follows from the job is no defence of anything.
            let is_longer = |(one, other): (&Vec<u8>, &Vec<u8>)| one.len() != other.len();
            if truth.scans.iter().zip(&honest.truth().scans).any(is_longer) {
                continue;
            }
            let wrong = job.believer(truth);
            for side in [Side::Accuser, Side::Defence] {
                let hint = format!("{}, {lie:?}, honest {side:?}, seed 21", job.name);
                let executed = play(&honest, &wrong, side, &hint);
                // A job without inputs has no unit that could find them unusable: such a claim cannot be defended.
                let has_runs = lie != Lie::Unusable || !honest.truth().scans.is_empty();
                // Of a program it may have made a record that no run leaves: nothing defends that.
                let may_have_none = matches!(honest.spec(), JobSpec::V2(JobKind::Program(_)));
                assert!(
                    executed == usize::from(has_runs) || may_have_none && executed == 0,
                    "{hint}: {executed} segments"
                );
            }
        }
    }
}
