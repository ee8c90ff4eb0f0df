//! Who has what is won when a claim falls that several have accused.

use super::world::*;
use crate::{Call, Decision, Endings, Error, Event, Matches, Part, Runs, mock::*};
use agora_disputes::{Accusation, Side, Target, Verdict};
use agora_primitives::{
    courts::{Court, HowEnded, Standing},
    job::{BlobRef, Claim},
};
use frame_support::assert_ok;

/// What a winner gets of each bond that is lost.
const SHARE: Balance = BOND / 2;
/// The first of those who have their own claim fall as soon as somebody accuses it.
const CARTEL: AccountId = 11;

/// The honest accusation of `liar`'s claim.
fn truth_against(world: &World, liar: &Liar<'_>) -> Accusation {
    Accusation {
        accused: liar.claim(),
        target: world.honest.target(&liar.claim()).unwrap(),
        own: Some(world.right()),
    }
}

/// These accuse `liar`'s claim, committing in this order and revealing in the opposite one. Returns their trials.
fn accused_by<const N: usize>(world: &World, liar: &Liar<'_>, accusers: [AccountId; N]) -> [u64; N] {
    open_case(liar.claim());
    let truth = truth_against(world, liar);
    for who in accusers {
        assert_ok!(commit(who, &truth));
    }
    run_to_reveal();
    let mut trials = [0; N];
    for (at, who) in accusers.into_iter().enumerate().rev() {
        trials[at] = reveal(who, &truth).unwrap();
    }
    trials
}

/// Plays the trial of [`HONEST`] against a defence that makes every move, as late as it can, until the case is decided; nobody shows anything
/// in others.
fn defend_against_the_honest_alone(world: &World, liar: &Liar<'_>, trial: u64) {
    let began = now();
    while case().decision.is_none() {
        let (stored, _) = Computation::trial_of(trial).unwrap();
        let must_add = matches!(stored.dispute.phase, agora_disputes::Phase::Defences { .. });
        if must_add || (now() - began) % 18 == 17 {
            play_seat(&Seat::liar(LIAR, Side::Defence, liar), trial, || true);
        }
        play_seat(&Seat::honest(HONEST, Side::Accuser, &world.honest), trial, || true);
        for id in crate::Trials::<Test>::iter_keys().collect::<Vec<_>>() {
            advance_all(id);
        }
        run_to(now() + 1);
    }
}

#[test]
fn a_cartel_that_has_its_own_claim_fall_first_leaves_half_to_whoever_accused_it_first() {
    let world = World::new();
    run(|| {
        let liar = world.liar(1, 0);
        let accusers = [HONEST, CARTEL, CARTEL + 1];
        let [honest, ..] = accused_by(&world, &liar, accusers);
        defend_against_the_honest_alone(&world, &liar, honest);
        // One of the cartel was faster, and there are two of them.
        assert!(matches!(case().decision, Some(Decision::Fallen { by }) if by >= CARTEL));
        assert_eq!(verdict(honest), None);
        assert_eq!(standing(), fell_by([HONEST, CARTEL, CARTEL + 1]));
        collect_all();
        assert!(has(HONEST) >= ENDOWMENT);
    });
}

#[test]
fn accounts_that_accuse_before_do_not_keep_out_who_brings_the_claim_down() {
    let world = World::new();
    run(|| {
        let liar = world.liar(3, 0);
        let accusers = [CARTEL, CARTEL + 1, CARTEL + 2, CARTEL + 3, CARTEL + 4, HONEST];
        let trials = accused_by(&world, &liar, accusers);
        while case().decision.is_none() {
            for id in trials {
                play_seat(&Seat::liar(LIAR, Side::Defence, &liar), id, || true);
            }
            play_seat(&Seat::honest(HONEST, Side::Accuser, &world.honest), trials[5], || true);
            advance_all(trials[5]);
            run_to(now() + 1);
        }
        assert_eq!(standing(), fell_by([CARTEL, CARTEL + 1, HONEST]));
        collect_all();
        assert_eq!(has(HONEST), ENDOWMENT + 2 * SHARE);
    });
}

#[test]
fn whose_trial_is_lost_has_no_part_in_it() {
    let world = World::new();
    run(|| {
        let liar = world.liar(1, 0);
        let [idle, honest] = accused_by(&world, &liar, [CARTEL, HONEST]);
        // It is shown something, and says no more.
        while verdict(idle).is_none() {
            play_seat(&Seat::liar(LIAR, Side::Defence, &liar), idle, || true);
            for _ in 0..2 {
                play_seat(&Seat::honest(HONEST, Side::Accuser, &world.honest), honest, || true);
                play_seat(&Seat::liar(LIAR, Side::Defence, &liar), honest, || now() < 30);
            }
            advance_all(idle);
            run_to(now() + 1);
        }
        assert_eq!(verdict(idle), Some(Verdict::Stands));
        assert_eq!(case().accusers.len(), 1);
        while case().decision.is_none() {
            play_seat(&Seat::honest(HONEST, Side::Accuser, &world.honest), honest, || true);
            advance_all(honest);
            run_to(now() + 1);
        }
        assert_eq!(standing(), fell_by([HONEST]));
        collect_all();
    });
}

#[test]
fn what_was_lost_in_a_trial_that_another_has_overtaken_is_half_its_accusers() {
    const SECOND: AccountId = 9;
    let world = World::new();
    for closes_first in [false, true] {
        run(|| {
            let liar = world.liar(3, 0);
            let [first, second] = accused_by(&world, &liar, [HONEST, SECOND]);
            let defence = Seat::liar(LIAR, Side::Defence, &liar);
            while case().decision.is_none() {
                for (id, who) in [(second, SECOND), (first, HONEST)] {
                    play_seat(&defence, id, || true);
                    play_seat(&Seat::honest(who, Side::Accuser, &world.honest), id, || true);
                }
                // Nobody ends in the second what is over.
                advance_all(first);
                run_to(now() + 1);
            }
            assert_eq!(standing(), fell_by([HONEST, SECOND]));
            assert_eq!((verdict(second), case().open), (None, 1));
            // Nothing changes in the second any more.
            let (_, game) = Computation::trial_of(second).unwrap();
            let key = game.key(0).unwrap();
            let what = crate::Clocked::Defence(key);
            run_to(now() + 1000);
            assert_eq!(advance(second, what), Err(Error::<Test>::CaseDecided.into()));
            let lost: Vec<_> = Runs::<Test>::iter_prefix((second,))
                .filter(|(_, run)| run.lost.is_some())
                .map(|((key, root), run)| (key, root, run.by))
                .collect();
            assert!(!lost.is_empty() && lost.iter().all(|(.., by)| *by == LIAR));
            if closes_first {
                Computation::close(TASK);
                let how = HowEnded::Fallen;
                assert_eq!(Endings::<Test>::get(0), Some(crate::Ended { how, open: 1 }));
                check_state();
            }
            let before = has(SECOND);
            for (key, root, _) in &lost {
                assert_ok!(collect(second, Part::Run(*key, *root)));
            }
            assert_eq!(has(SECOND), before + lost.len() as Balance * SHARE);
            for (key, one, other) in Matches::<Test>::iter_key_prefix((second,)).collect::<Vec<_>>() {
                assert_ok!(collect(second, Part::Match(key, one, other)));
            }
            for (key, root) in Runs::<Test>::iter_key_prefix((second,)).collect::<Vec<_>>() {
                assert_ok!(collect(second, Part::Run(key, root)));
            }
            assert_ok!(collect(second, Part::Defence(key)));
            check_money();
            assert_ok!(collect(second, Part::Accusation));
            check_money();
            assert_eq!(Endings::<Test>::get(0), None);
            collect_all();
            assert_eq!(has(SECOND), ENDOWMENT + lost.len() as Balance * SHARE);
            assert_eq!(has(HONEST), ENDOWMENT + 2 * SHARE);
        });
    }
}

/// A claim of which the job alone shows that it is wrong: whoever made it can have it fall with the first reveal.
fn misfit() -> Claim {
    Claim::Output {
        output: BlobRef::to(&[1; 5]),
        states_root: Default::default(),
    }
}

#[test]
fn a_claim_that_falls_at_once_waits_for_those_who_had_accused_it_by_then() {
    run(|| {
        open_case(misfit());
        let of = |who: AccountId| Accusation {
            own: (who == HONEST).then_some(Claim::Unusable),
            ..accusation(misfit(), Target::Output)
        };
        for who in [HONEST, CARTEL, 7] {
            assert_ok!(commit(who, &of(who)));
        }
        run_to_reveal();
        reveal(CARTEL, &of(CARTEL)).unwrap();
        let until = case().reveal_until(0);
        assert_eq!(standing(), Standing::Pending { until });
        assert_eq!(Decided::get(), [TASK], "there is less to wait for");
        run_to(until);
        let trials = crate::NextTrial::<Test>::get();
        reveal(HONEST, &of(HONEST)).unwrap();
        let joined = Event::AccusationJoined {
            task: TASK,
            accuser: HONEST,
        };
        let released = Event::BondReleased {
            trial: None,
            who: HONEST,
            amount: BOND,
        };
        assert!(events().ends_with(&[joined, released]));
        assert_eq!(crate::NextTrial::<Test>::get(), trials, "there is nothing to be tried");
        assert_eq!(Entered::get(), [(HONEST, Claim::Unusable)]);
        assert_eq!(has(HONEST), ENDOWMENT);
        assert_eq!(Decided::get(), [TASK], "the third may still come");
        run_to(until + 1);
        assert_eq!(standing(), fell_by([HONEST, CARTEL]));
        assert_eq!(reveal(7, &of(7)), Err(Error::<Test>::NotNow.into()));
        assert_ok!(dispatch(PASSER_BY, Call::withdraw { case: 0, accuser: 7 }));
        collect_all();
        assert_eq!(has(7), ENDOWMENT - BOND, "it accused blindly");
    });
}

#[test]
fn whoever_waits_is_told_when_the_last_has_joined() {
    run(|| {
        open_case(misfit());
        let wrong = accusation(misfit(), Target::Output);
        for who in [HONEST, CARTEL] {
            assert_ok!(commit(who, &wrong));
        }
        run_to_reveal();
        reveal(CARTEL, &wrong).unwrap();
        reveal(HONEST, &wrong).unwrap();
        assert_eq!(Decided::get(), [TASK, TASK]);
        assert_eq!(standing(), fell_by([HONEST, CARTEL]));
        collect_all();
    });
}

#[test]
fn of_more_than_may_share_those_count_who_committed_first_and_who_brought_it_down() {
    use crate::Accuser;
    run(|| {
        open_case(misfit());
        let mut case = case();
        let whos = |case: &crate::CaseOf<Test>| case.accusers.iter().map(|a| a.who).collect::<Vec<_>>();
        let accuser = |order: u32| Accuser {
            who: 20 + u64::from(order),
            order,
        };
        for order in [4, 2, 3] {
            case.join(accuser(order));
        }
        assert_eq!(whos(&case), [22, 23, 24]);
        case.join(accuser(6));
        assert_eq!(whos(&case), [22, 23, 24], "it is later than all");
        case.join(accuser(1));
        assert_eq!(whos(&case), [21, 22, 23]);
        case.fall(accuser(6));
        assert_eq!(whos(&case), [21, 22, 26]);
        case.join(accuser(0));
        assert_eq!(whos(&case), [20, 21, 26], "whoever brought it down stays");
        let mut case = super::world::case();
        case.join(accuser(1));
        case.fall(accuser(1));
        assert_eq!(whos(&case), [21], "once");
    });
}
