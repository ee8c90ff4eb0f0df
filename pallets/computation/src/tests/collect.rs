use super::world::*;
use crate::{Call, Error, Event, Matches, Part, Trials, mock::*, types::ordered};
use agora_disputes::{BranchMove, Side, Verdict};
use agora_primitives::courts::{Court, Offence, Standing};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use sp_core::H256;
use sp_runtime::traits::Dispatchable;

/// Plays the right claim's trial to its end; the liar has a run in it.
fn decided(world: &World) -> (u64, H256, [H256; 2]) {
    let liar = world.liar(3, 0);
    let trial = running(world, &liar);
    play(&[
        Seat::liar(LIAR, Side::Accuser, &liar),
        Seat::honest(HONEST, Side::Defence, &world.honest),
    ]);
    trial
}

#[test]
fn is_possible_once_the_trial_is_over() {
    let world = World::new();
    run(|| {
        let (id, key, [right, wrong]) = running(&world, &world.liar(3, 0));
        let (one, other) = ordered(right, wrong);
        let parts = [
            Part::Accusation,
            Part::Defence(key),
            Part::Run(key, right),
            Part::Match(key, one, other),
        ];
        for part in parts {
            let call = RuntimeCall::Computation(Call::collect { trial: id, part });
            assert_noop!(
                call.dispatch(RuntimeOrigin::signed(LIAR))
                    .map_err(|refused| refused.error),
                Error::<Test>::TrialNotOver
            );
        }
        assert_eq!(collect(9, Part::Accusation), Err(Error::<Test>::UnknownTrial.into()));
    });
}

#[test]
fn divides_what_is_lost_and_gives_the_rest_back_once() {
    let world = World::new();
    run(|| {
        let (id, key, [right, wrong]) = decided(&world);
        let (one, other) = ordered(right, wrong);
        assert_eq!(collect(id, Part::Accusation), Err(Error::<Test>::PartsLeft.into()));
        let call = RuntimeCall::Computation(Call::collect {
            trial: id,
            part: Part::Run(key, wrong),
        });
        let paid = call.dispatch(RuntimeOrigin::signed(PASSER_BY)).unwrap();
        assert_eq!(paid.pays_fee, Pays::No);
        let lost = |trial| Event::BondLost {
            trial,
            who: LIAR,
            amount: BOND,
            winner: Some(HONEST),
        };
        assert_eq!(events().pop(), Some(lost(Some(id))));
        assert_eq!((has(HONEST), has(LIAR)), (ENDOWMENT + BOND / 2, ENDOWMENT - BOND));
        check_money();
        assert_ok!(collect(id, Part::Run(key, right)));
        let released = |who| Event::BondReleased {
            trial: Some(id),
            who,
            amount: BOND,
        };
        assert_eq!(events().pop(), Some(released(HONEST)));
        // A match has no bond.
        let before = events().len();
        assert_ok!(collect(id, Part::Match(key, one, other)));
        assert_eq!(events().len(), before);
        assert_ok!(collect(id, Part::Defence(key)));
        assert_eq!(events().pop(), Some(released(HONEST)));
        for part in [
            Part::Run(key, wrong),
            Part::Run(key, right),
            Part::Match(key, one, other),
            Part::Defence(key),
        ] {
            assert_eq!(collect(id, part), Err(Error::<Test>::Unknown.into()));
        }
        assert_eq!(Trials::<Test>::get(id).unwrap().parts, 0);
        assert_ok!(collect(id, Part::Accusation));
        assert_eq!(events().pop(), Some(lost(Some(id))));
        assert_eq!(collect(id, Part::Accusation), Err(Error::<Test>::UnknownTrial.into()));
        assert_eq!(has(HONEST), ENDOWMENT + 2 * (BOND / 2));
        assert_eq!(has(LIAR), ENDOWMENT - 2 * BOND);
        collect_all();
    });
}

#[test]
fn what_was_not_decided_is_given_back_when_the_case_is_closed() {
    let world = World::new();
    run(|| {
        let (id, key, [right, wrong]) = running(&world, &world.liar(3, 0));
        let (one, other) = ordered(right, wrong);
        let call = Call::challenge {
            trial: id,
            defence: key,
            one,
            other,
        };
        assert_ok!(dispatch(3, call));
        Computation::close(TASK);
        assert_eq!(standing(), Standing::Stands);
        collect_all();
        assert_eq!((has(HONEST), has(LIAR)), (ENDOWMENT, ENDOWMENT));
    });
}

#[test]
fn a_bond_that_nobody_has_won_is_burned() {
    let world = World::new();
    run(|| {
        // Both runs of a match that nobody plays are lost, and then the case is closed.
        let (id, key, [right, wrong]) = running(&world, &world.liar(3, 0));
        let (one, other) = ordered(right, wrong);
        let call = Call::challenge {
            trial: id,
            defence: key,
            one,
            other,
        };
        assert_ok!(dispatch(3, call));
        run_to(now() + TERMS.clock);
        advance(id, crate::Clocked::Match(key, one, other)).unwrap();
        Computation::close(TASK);
        collect_all();
        assert_eq!((has(HONEST), has(LIAR)), (ENDOWMENT - BOND, ENDOWMENT - BOND));
        // By the clock: that may happen to who is honest.
        assert!(Reported::get().iter().all(|(_, offence)| *offence == Offence::Wrong));
        assert_eq!(Reported::get().len(), 2);
    });
}

#[test]
fn a_run_that_fails_refunds_everybody() {
    let world = World::new();
    run(|| {
        let (id, key, [right, wrong]) = running(&world, &world.liar(3, 0));
        let (root, end) = failing_run();
        let add = Call::add_run {
            trial: id,
            defence: key,
            root,
            end: Box::new(end),
        };
        assert_ok!(dispatch(5, add));
        let (one, other) = ordered(right, wrong);
        let challenge = Call::challenge {
            trial: id,
            defence: key,
            one,
            other,
        };
        assert_ok!(dispatch(5, challenge));
        for _ in 0..3 {
            run_to(now() + TERMS.clock);
            advance_all(id);
        }
        assert_eq!(verdict(id), Some(Verdict::Nothing));
        assert_eq!((standing(), Decided::get()), (Standing::Undecided, vec![TASK]));
        assert_eq!(Matches::<Test>::get((id, key, one, other)), Some(None));
        collect_all();
        for who in [HONEST, LIAR, 5] {
            assert_eq!(has(who), ENDOWMENT);
        }
    });
}

#[test]
fn a_defence_that_is_found_wrong_pays_the_accuser() {
    let world = World::new();
    run(|| {
        let liar = world.liar(3, 0);
        open_case(liar.claim());
        let id = accuse(HONEST, &accusation(liar.claim(), agora_disputes::Target::Output));
        let seat = Seat::liar(LIAR, Side::Defence, &liar);
        play_seat(&seat, id, || true);
        play_seat(&seat, id, || true);
        let (_, game) = Computation::trial_of(id).unwrap();
        let key = game.key(0).unwrap();
        // The liar runs nothing.
        let made = BranchMove::Choose(None);
        let call = Call::dispute_list {
            trial: id,
            defence: key,
            made,
        };
        assert_ok!(dispatch(HONEST, call));
        run_to(now() + TERMS.entry);
        advance_all(id);
        assert!(matches!(verdict(id), Some(Verdict::Falls(_))));
        assert_ok!(collect(id, Part::Defence(key)));
        assert_eq!((has(HONEST), has(LIAR)), (ENDOWMENT + BOND / 2, ENDOWMENT - BOND));
        collect_all();
        assert_eq!(has(HONEST), ENDOWMENT + BOND / 2);
    });
}
