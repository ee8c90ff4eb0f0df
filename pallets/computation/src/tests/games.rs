//! Whole games through the calls. The honest side sees nothing but the storage, and has computed the job.

use super::world::*;
use crate::{Runs, Trials, mock::*};
use agora_disputes::{Accusation, Side, Target, Verdict};
use agora_primitives::courts::{Offence, Standing};
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
            assert_eq!(standing(), fell_by([HONEST]));
            assert_eq!(Decided::get(), [TASK]);
            // The liar's run was refuted by the segment.
            assert!(Runs::<Test>::iter_values().any(|run| run.by == LIAR && run.lost.is_some()));
            assert!(matches!(verdict(id), Some(Verdict::Falls(_))));
            collect_all();
            assert_eq!(has(HONEST), ENDOWMENT + 2 * SHARE);
            assert_eq!(has(LIAR), ENDOWMENT - 2 * BOND);
            // The run was executed; the defence that it was for was not borne out.
            let mut reported = Reported::get();
            reported.sort_unstable();
            assert_eq!(reported, [(LIAR, Offence::Wrong), (LIAR, Offence::Fraud)]);
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
            assert!(Reported::get().contains(&(LIAR, Offence::Fraud)));
        });
    }
}

/// A stranger who has computed the job, and has no more than the bonds of a defence and of a run, for each accuser at a time.
#[test]
fn defending_a_right_claim_pays_whoever_has_two_bonds_for_each_accuser() {
    const STRANGER: AccountId = 30;
    let world = World::new();
    println!("accusers | the defender needs | it gains | the accusers");
    for accusers in 1..=4 {
        run(|| {
            let needs = accusers * 2 * BOND;
            let rest = ENDOWMENT - ED - needs;
            assert_ok!(Balances::transfer_keep_alive(
                RuntimeOrigin::signed(STRANGER),
                PASSER_BY,
                rest
            ));
            let liar = world.liar(3, 0);
            open_case(world.right());
            let all = LIAR..LIAR + accusers as AccountId;
            for who in all.clone() {
                assert_ok!(commit(who, &lie_against(&world, &liar)));
            }
            run_to_reveal();
            let mut seats = vec![Seat::honest(STRANGER, Side::Defence, &world.honest)];
            for who in all.clone() {
                assert_ok!(reveal(who, &lie_against(&world, &liar)));
                seats.push(Seat::liar(who, Side::Accuser, &liar));
            }
            play(&seats);
            assert_eq!(standing(), Standing::Stands);
            collect_all();
            let gained = has(STRANGER) - ED - needs;
            let lost: Balance = all.map(|who| ENDOWMENT - has(who)).sum();
            println!("{accusers:8} | {needs:18} | {gained:8} | -{lost}");
            assert!(gained >= accusers * SHARE, "half of every accusation, at least");
            assert!(lost > gained);
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
        assert_eq!(standing(), fell_by([HONEST]));
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
        // What is added to spoil a side is its own who adds it.
        let reported = Reported::get();
        assert!(reported.contains(&(LIAR, Offence::Wrong)));
        assert!(reported.iter().all(|(who, _)| *who != HONEST));
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
        assert_eq!(standing(), fell_by([HONEST]));
        collect_all();
        assert!(has(HONEST) > ENDOWMENT);
        assert!(has(LIAR) < ENDOWMENT);
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
        assert_eq!(standing(), fell_by([HONEST]));
        assert_eq!(Entered::get(), []);
        collect_all();
    });
}
