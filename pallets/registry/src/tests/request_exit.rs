//! `request_exit`.

use crate::{Error, Event, mock::*};
use agora_primitives::participants::{Participants, Role};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn ends_new_work_at_once_and_keeps_the_bond() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        register(ALICE, Role::Verifier);
        register_worker(BOB, 10);
        run_to(3);
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Worker));

        let withdrawable_at = 3 + COOL_DOWN;
        System::assert_last_event(
            Event::ExitRequested {
                who: ALICE,
                role: Role::Worker,
                withdrawable_at,
            }
            .into(),
        );
        assert_eq!(weight_of(ALICE), 0);
        assert_noop!(Registry::ensure_active(&ALICE, Role::Worker), Error::<Test>::Leaving);
        assert_eq!(bond_of(ALICE, Role::Worker), 2 * WORKER_BOND);
        // Her other role and the other worker stay as they are.
        assert_ok!(Registry::ensure_active(&ALICE, Role::Verifier));
        assert_ok!(Registry::ensure_active(&BOB, Role::Worker));
        assert_eq!(weight_of(BOB), 20);
    });
}

#[test]
fn leaves_the_slots_of_work_taken_on() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        assert_ok!(Registry::occupy_slot(&ALICE));
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Worker));
        assert_eq!(worker(ALICE).occupied, 1);
        Registry::free_slot(&ALICE);
        assert_eq!((worker(ALICE).occupied, weight_of(ALICE)), (0, 0));
    });
}

#[test]
fn fails_twice() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Orchestrator);
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Orchestrator));
        assert_noop!(
            Registry::request_exit(signed(ALICE), Role::Orchestrator),
            Error::<Test>::Leaving
        );
    });
}

#[test]
fn fails_without_the_role() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::request_exit(signed(ALICE), Role::Worker),
            Error::<Test>::NotRegistered
        );
        register(ALICE, Role::Worker);
        assert_noop!(
            Registry::request_exit(signed(ALICE), Role::Verifier),
            Error::<Test>::NotRegistered
        );
        assert_noop!(
            Registry::request_exit(signed(ALICE), Role::Expert),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn needs_a_signature() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::request_exit(RuntimeOrigin::root(), Role::Worker),
            DispatchError::BadOrigin
        );
    });
}
