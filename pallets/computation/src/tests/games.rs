//! Whole games through the calls. The honest side sees nothing but the storage, and has computed the job.

use super::world::*;
use crate::{Call, Decision, Part, Runs, Trials, mock::*};
use agora_disputes::{Accusation, Side, Target, Verdict};
use agora_primitives::courts::Standing;
use frame_support::assert_ok;

/// What a winner gets of each bond that is lost.
const SHARE: Balance = BOND / 2;

/// The honest accusation of `liar`'s claim.
fn truth_against(world: &World, liar: &Liar<'_>) -> Accusation {
    Accusation {
        accused: liar.claim(),
        target: world.honest.target(&liar.claim()).unwrap(),
        own: Some(world.right()),
    }
}

/// What `liar` says against the claim that is right.
fn lie_against(world: &World, liar: &Liar<'_>) -> Accusation {
    Accusation {
        accused: world.right(),
        target: liar.own.target(&world.right()).unwrap(),
        own: Some(liar.claim()),
    }
}

fn fallen(world: &World, by: AccountId) -> Standing<AccountId, BlockNumber> {
    let own = Some(world.right());
    Standing::Fallen { by, own }
}

#[test]
fn an_honest_accuser_brings_a_wrong_claim_down_and_is_paid() {
    let world = World::new();
    for (first, from) in [(0, 0), (1, 1), (2, 5), (3, 1000)] {
        run(|| {
            let liar = world.liar(first, from);
            open_case(liar.claim());
            let id = accuse(HONEST, &truth_against(&world, &liar));
            play(&[
                Seat::liar(LIAR, Side::Defence, &liar),
                Seat::honest(HONEST, Side::Accuser, &world.honest),
            ]);
            assert_eq!(standing(), fallen(&world, HONEST));
            assert_eq!(Decided::get(), [TASK]);
            // The liar's run was refuted by the segment.
            assert!(Runs::<Test>::iter_values().any(|run| run.by == LIAR && run.lost.is_some()));
            assert!(matches!(verdict(id), Some(Verdict::Falls(_))));
            collect_all();
            assert_eq!(has(HONEST), ENDOWMENT + 2 * SHARE);
            assert_eq!(has(LIAR), ENDOWMENT - 2 * BOND);
        });
    }
}

#[test]
fn an_honest_defender_makes_a_false_accusation_fail_and_is_paid() {
    let world = World::new();
    for (first, from) in [(0, 0), (2, 1), (3, 1000)] {
        run(|| {
            let liar = world.liar(first, from);
            open_case(world.right());
            let id = accuse(LIAR, &lie_against(&world, &liar));
            play(&[
                Seat::liar(LIAR, Side::Accuser, &liar),
                Seat::honest(HONEST, Side::Defence, &world.honest),
            ]);
            assert_eq!(standing(), Standing::Stands);
            assert_eq!(Decided::get(), [TASK]);
            assert_eq!(verdict(id), Some(Verdict::Stands));
            collect_all();
            // The accusation, and the run against the claim.
            assert_eq!(has(HONEST), ENDOWMENT + 2 * SHARE);
            assert_eq!(has(LIAR), ENDOWMENT - 2 * BOND);
        });
    }
}

#[test]
fn a_claim_that_nobody_defends_falls() {
    let world = World::new();
    run(|| {
        let liar = world.liar(1, 0);
        open_case(liar.claim());
        accuse(HONEST, &truth_against(&world, &liar));
        let took = play(&[Seat::honest(HONEST, Side::Accuser, &world.honest)]);
        assert_eq!(took, TERMS.clock + 1);
        assert_eq!(standing(), fallen(&world, HONEST));
        collect_all();
        assert_eq!(has(HONEST), ENDOWMENT);
    });
}

#[test]
fn an_accuser_that_says_no_more_loses_to_whoever_showed_what_it_asked_for() {
    let world = World::new();
    run(|| {
        let liar = world.liar(0, 0);
        open_case(world.right());
        let id = accuse(LIAR, &lie_against(&world, &liar));
        play(&[Seat::honest(HONEST, Side::Defence, &world.honest)]);
        assert_eq!(verdict(id), Some(Verdict::Stands));
        collect_all();
        assert_eq!(has(LIAR), ENDOWMENT - BOND);
        assert_eq!(has(HONEST), ENDOWMENT + SHARE);
    });
}

#[test]
fn an_accuser_that_is_silent_about_a_defence_loses_to_the_defender() {
    let world = World::new();
    run(|| {
        open_case(world.right());
        // The output is one chunk, so that it is defended at once.
        let id = accuse(LIAR, &accusation(world.right(), Target::Output));
        play(&[Seat::honest(HONEST, Side::Defence, &world.honest)]);
        assert_eq!(Trials::<Test>::get(id).unwrap().defender, Some(HONEST));
        collect_all();
        assert_eq!((has(HONEST), has(LIAR)), (ENDOWMENT + SHARE, ENDOWMENT - BOND));
    });
}

#[test]
fn twenty_accusers_of_a_right_claim_all_lose_and_take_no_longer_than_one_may() {
    const SYBILS: core::ops::Range<AccountId> = LIAR..LIAR + 20;
    let world = World::new();
    run(|| {
        let liars: Vec<_> = (0..4).map(|first| world.liar(first, 1)).collect();
        let lie = |who: AccountId| lie_against(&world, &liars[who as usize % 4]);
        open_case(world.right());
        for who in SYBILS {
            assert_ok!(commit(who, &lie(who)));
        }
        run_to_reveal();
        for who in SYBILS {
            assert_ok!(reveal(who, &lie(who)));
        }
        // Every other of them says no more.
        let mut seats = vec![Seat::honest(HONEST, Side::Defence, &world.honest)];
        let playing = SYBILS.step_by(2);
        seats.extend(playing.map(|who| Seat::liar(who, Side::Accuser, &liars[who as usize % 4])));
        let took = play(&seats);
        assert!(took <= TERMS.bound() + 1, "{took}");
        assert_eq!(standing(), Standing::Stands);
        collect_all();
        assert!(SYBILS.into_iter().all(|who| has(who) <= ENDOWMENT - BOND));
        assert!(has(HONEST) >= ENDOWMENT + 20 * SHARE);
    });
}

#[test]
fn who_defends_a_right_claim_badly_harms_nobody_else() {
    let world = World::new();
    run(|| {
        let (accuser, hijacker) = (world.liar(3, 0), world.liar(1, 2));
        open_case(world.right());
        accuse(LIAR, &lie_against(&world, &accuser));
        // The hijacker is always first; its lists are wrong, and so are its runs.
        play(&[
            Seat::liar(3, Side::Defence, &hijacker),
            Seat::liar(4, Side::Accuser, &hijacker),
            Seat::liar(LIAR, Side::Accuser, &accuser),
            Seat::honest(HONEST, Side::Defence, &world.honest),
        ]);
        assert_eq!(standing(), Standing::Stands);
        collect_all();
        assert!(has(HONEST) > ENDOWMENT);
        assert!(has(LIAR) < ENDOWMENT);
    });
}

#[test]
fn who_runs_badly_against_a_wrong_claim_harms_nobody_else() {
    let world = World::new();
    run(|| {
        let (defender, hijacker) = (world.liar(3, 0), world.liar(2, 1));
        open_case(defender.claim());
        accuse(HONEST, &truth_against(&world, &defender));
        // The hijackers' runs and defences are other than both.
        play(&[
            Seat::liar(3, Side::Accuser, &hijacker),
            Seat::liar(4, Side::Defence, &hijacker),
            Seat::liar(LIAR, Side::Defence, &defender),
            Seat::honest(HONEST, Side::Accuser, &world.honest),
        ]);
        assert_eq!(standing(), fallen(&world, HONEST));
        collect_all();
        assert!(has(HONEST) > ENDOWMENT);
        assert!(has(LIAR) < ENDOWMENT);
    });
}

#[test]
fn the_second_accuser_of_a_wrong_claim_gets_its_bond_back() {
    const SECOND: AccountId = 9;
    let world = World::new();
    run(|| {
        let liar = world.liar(3, 0);
        open_case(liar.claim());
        let truth = truth_against(&world, &liar);
        for who in [HONEST, SECOND] {
            assert_ok!(commit(who, &truth));
        }
        run_to_reveal();
        let first = reveal(HONEST, &truth).unwrap();
        let second = reveal(SECOND, &truth).unwrap();
        let defence = Seat::liar(LIAR, Side::Defence, &liar);
        while Computation::case(TASK).unwrap().decision.is_none() {
            for (id, who) in [(first, HONEST), (second, SECOND)] {
                play_seat(&defence, id, || true);
                play_seat(&Seat::honest(who, Side::Accuser, &world.honest), id, || true);
                advance_all(id);
            }
            run_to(now() + 1);
        }
        assert_eq!(standing(), fallen(&world, HONEST));
        assert_eq!(verdict(second), None);
        assert_eq!(case().open, 1);
        // Nothing changes in the second any more.
        let (_, game) = Computation::trial_of(second).unwrap();
        let defence = game.key(0).unwrap();
        let call = Call::advance {
            trial: second,
            what: crate::Clocked::Defence(defence),
        };
        run_to(now() + 1000);
        assert_eq!(dispatch(SECOND, call), Err(crate::Error::<Test>::CaseDecided.into()));
        let by = HONEST;
        let own = Some(world.right());
        assert_eq!(case().decision, Some(Decision::Fallen { by, own }));
        // What the liar lost in it is burned; what was not decided is given back.
        let parts: Vec<_> = Runs::<Test>::iter_key_prefix((second,)).collect();
        for (key, root) in parts {
            assert_ok!(collect(second, Part::Run(key, root)));
        }
        let matches: Vec<_> = crate::Matches::<Test>::iter_key_prefix((second,)).collect();
        for (key, one, other) in matches {
            assert_ok!(collect(second, Part::Match(key, one, other)));
        }
        assert_ok!(collect(second, Part::Defence(defence)));
        assert_ok!(collect(second, Part::Accusation));
        assert_eq!(case().open, 0);
        check_money();
        collect_all();
        assert_eq!(has(SECOND), ENDOWMENT);
        assert_eq!(has(HONEST), ENDOWMENT + 2 * SHARE);
    });
}

#[test]
fn whoever_brings_a_claim_down_need_not_say_what_is_right() {
    let world = World::new();
    run(|| {
        let liar = world.liar(3, 0);
        open_case(liar.claim());
        accuse(HONEST, &accusation(liar.claim(), Target::Output));
        play(&[Seat::honest(HONEST, Side::Accuser, &world.honest)]);
        assert_eq!(standing(), Standing::Fallen { by: HONEST, own: None });
        collect_all();
    });
}
