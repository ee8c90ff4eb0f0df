//! What other pallets ask and tell: activity, suitability and slots.

use crate::{Error, mock::*};
use agora_primitives::participants::{Participants, Role, Specialisation};
use frame_support::{assert_noop, assert_ok};

#[test]
fn activity_needs_the_role() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::ensure_active(&ALICE, Role::Worker),
            Error::<Test>::NotRegistered
        );
        register(ALICE, Role::Worker);
        assert_ok!(Registry::ensure_active(&ALICE, Role::Worker));
        assert_noop!(
            Registry::ensure_active(&ALICE, Role::Verifier),
            Error::<Test>::NotRegistered
        );
        assert_noop!(
            Registry::ensure_active(&BOB, Role::Worker),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn activity_needs_the_whole_bond() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Verifier);
        register(BOB, Role::Verifier);
        cut_bond(ALICE, Role::Verifier, 1);
        assert_noop!(
            Registry::ensure_active(&ALICE, Role::Verifier),
            Error::<Test>::BondTooSmall
        );
        assert_ok!(Registry::ensure_active(&BOB, Role::Verifier));
    });
}

#[test]
fn suitability_is_what_was_declared() {
    ExtBuilder::default().build_and_execute(|| {
        let one = Specialisation::Synthetic;
        assert_noop!(Registry::ensure_suited(&ALICE, one), Error::<Test>::NotRegistered);
        register(ALICE, Role::Verifier);
        assert_noop!(Registry::ensure_suited(&ALICE, one), Error::<Test>::NotRegistered);
        register(ALICE, Role::Worker);
        assert_ok!(Registry::ensure_suited(&ALICE, one));
        for other in Specialisation::ALL.into_iter().filter(|other| *other != one) {
            assert_noop!(Registry::ensure_suited(&ALICE, other), Error::<Test>::NotSuited);
        }
    });
}

#[test]
fn slots_are_taken_and_given_back() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        register_worker(BOB, 10);
        assert_ok!(Registry::occupy_slot(&ALICE));
        assert_eq!((worker(ALICE).occupied, weight_of(ALICE)), (1, 10));
        assert_ok!(Registry::occupy_slot(&ALICE));
        assert_eq!((worker(ALICE).occupied, weight_of(ALICE)), (2, 0));
        assert_noop!(Registry::occupy_slot(&ALICE), Error::<Test>::NoFreeSlot);
        assert_eq!((worker(BOB).occupied, weight_of(BOB)), (0, 20));

        Registry::free_slot(&ALICE);
        assert_eq!((worker(ALICE).occupied, weight_of(ALICE)), (1, 10));
        assert_ok!(Registry::occupy_slot(&ALICE));
    });
}

#[test]
fn slots_belong_to_workers() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(Registry::occupy_slot(&ALICE), Error::<Test>::NotRegistered);
        register(ALICE, Role::Verifier);
        assert_noop!(Registry::occupy_slot(&ALICE), Error::<Test>::NotRegistered);
        // Passed over.
        Registry::free_slot(&ALICE);
        Registry::free_slot(&NOBODY);
    });
}

#[test]
#[should_panic(expected = "a slot was given back that was not taken")]
fn a_slot_that_was_not_taken_is_noticed() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        Registry::free_slot(&ALICE);
    });
}

#[test]
fn slots_of_a_banned_worker_stay_out_of_the_draw() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        assert_ok!(Registry::occupy_slot(&ALICE));
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, None));
        Registry::free_slot(&ALICE);
        assert_eq!(weight_of(ALICE), 0);
    });
}
