use super::world::*;
use crate::{Error, FullBlocks, mock::*, types::longest};
use agora_disputes::{Target, player::Knowledge as _};
use agora_primitives::{
    courts::{Court, Standing},
    job::Claim,
};
use frame_support::assert_ok;

#[test]
fn without_a_case_the_claim_stands() {
    run(|| {
        assert_eq!(standing(), Standing::Stands);
        open_case(Claim::Unusable);
        assert_eq!(standing(), Standing::Pending { until: WINDOW });
        run_to(WINDOW);
        assert_eq!(standing(), Standing::Pending { until: WINDOW });
        run_to(WINDOW + 1);
        assert_eq!(standing(), Standing::Stands);
    });
}

#[test]
fn waits_for_what_is_hidden() {
    run(|| {
        open_case(Claim::Unusable);
        assert_ok!(commit(ALICE, &accusation(Claim::Unusable, Target::Inputs)));
        let until = WINDOW + TERMS.reveal;
        assert_eq!(standing(), Standing::Pending { until });
        run_to(until);
        assert_eq!(standing(), Standing::Pending { until });
        // Whoever does not reveal delays it no longer.
        run_to(until + 1);
        assert_eq!(standing(), Standing::Stands);
    });
}

#[test]
fn waits_for_trials_and_not_for_ever() {
    run(|| {
        let world = World::new();
        open_case(world.right());
        accuse(ALICE, &accusation(world.right(), Target::Output));
        let until = now() + longest(&TERMS);
        assert!(longest(&TERMS) >= TERMS.bound() + TERMS.entry);
        assert_eq!(standing(), Standing::Pending { until });
        run_to(until);
        assert_eq!(standing(), Standing::Pending { until });
        run_to(until + 1);
        assert_eq!(standing(), Standing::Stands);
        // Nobody has decided it: the accusation is given back.
        Computation::close(TASK);
        assert_ok!(collect(0, crate::Part::Accusation));
        assert_eq!(has(ALICE), ENDOWMENT);
        nothing_is_left();
    });
}

#[test]
fn who_waits_is_told_once_nothing_is_left_to_wait_for() {
    run(|| {
        let world = World::new();
        open_case(world.right());
        let lie = accusation(world.right(), Target::Output);
        for who in 1..=3 {
            assert_ok!(commit(who, &lie));
        }
        run_to_reveal();
        let ids = [1, 2].map(|who| reveal(who, &lie).unwrap());
        let shown = agora_disputes::Shown::Chunk(world.honest.truth().states[3].clone());
        for trial in ids {
            let shown = shown.clone();
            assert_ok!(dispatch(4, crate::Call::show { trial, shown }));
            let defence = agora_disputes::Aim::Chunk {
                state: 3,
                chunk: 0,
                hash: Default::default(),
            };
            let defence = world
                .honest
                .truth()
                .defence(world.honest.rules(&TERMS).law, &defence)
                .unwrap();
            assert_ok!(dispatch(4, crate::Call::defend { trial, defence }));
        }
        run_to(now() + TERMS.clock);
        advance_all(ids[0]);
        // The other trial is still open.
        assert_eq!(Decided::get(), []);
        assert!(matches!(standing(), Standing::Pending { .. }));
        advance_all(ids[1]);
        assert_eq!((Decided::get(), standing()), (vec![TASK], Standing::Stands));
        assert_eq!(
            advance(ids[1], crate::Clocked::Trial),
            Err(Error::<Test>::CaseDecided.into())
        );
    });
}

#[test]
fn full_blocks_prolong_the_window_up_to_a_bound() {
    run(|| {
        FullBlocks::<Test>::put(100);
        open_case(Claim::Unusable);
        let lie = accusation(Claim::Unusable, Target::Inputs);
        run_to(4);
        FullBlocks::<Test>::put(102);
        assert_eq!(standing(), Standing::Pending { until: WINDOW + 2 });
        run_to(WINDOW + 2);
        assert_ok!(commit(ALICE, &lie));
        assert_ok!(commit(BOB, &lie));
        run_to(WINDOW + 3);
        assert_eq!(commit(3, &lie), Err(Error::<Test>::NotNow.into()));
        // All blocks are full in which it could be revealed.
        run_to(WINDOW + 2 + TERMS.reveal);
        FullBlocks::<Test>::put(102 + TERMS.reveal);
        run_to(now() + TERMS.reveal);
        assert_ok!(reveal(ALICE, &lie));
        FullBlocks::<Test>::put(10_000);
        let last = WINDOW + TERMS.reveal + TERMS.stops;
        assert_eq!(case().reveal_until(10_000), last);
        run_to(last);
        assert_ok!(reveal(BOB, &lie));
        run_to(last + 1);
        assert!(!case().may_reveal(now(), 10_000));
    });
}
