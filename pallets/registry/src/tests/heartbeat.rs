//! `heartbeat`, and what happens to those who do not send it.

use crate::{Error, Event, mock::*};
use agora_primitives::participants::{Participants, Role, Specialisation};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::DispatchError;

#[test]
fn keeps_all_roles_of_the_caller_active() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        register(ALICE, Role::Verifier);
        register(BOB, Role::Worker);
        run_to(1 + TIMEOUT);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        System::assert_last_event(Event::Heartbeat { who: ALICE }.into());

        run_to(2 + TIMEOUT);
        assert_ok!(Registry::ensure_active(&ALICE, Role::Worker));
        assert_ok!(Registry::ensure_active(&ALICE, Role::Verifier));
        assert_noop!(Registry::ensure_active(&BOB, Role::Worker), Error::<Test>::Inactive);
    });
}

#[test]
fn silence_ends_activity_after_the_timeout() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Verifier);
        run_to(1 + TIMEOUT);
        assert_ok!(Registry::ensure_active(&ALICE, Role::Verifier));
        run_to(2 + TIMEOUT);
        assert_noop!(Registry::ensure_active(&ALICE, Role::Verifier), Error::<Test>::Inactive);
    });
}

#[test]
fn brings_a_silent_worker_back_into_the_draw() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        run_to(2 + TIMEOUT);
        // Nobody noticed yet.
        assert_eq!(weight_of(ALICE), 20);
        assert!(Registry::draw_workers(H256::zero(), Specialisation::Synthetic, 1, &[]).is_empty());
        System::assert_last_event(Event::WorkerDormant { who: ALICE }.into());
        assert_eq!(weight_of(ALICE), 0);

        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_eq!(weight_of(ALICE), 20);
        assert_eq!(
            Registry::draw_workers(H256::zero(), Specialisation::Synthetic, 1, &[]),
            vec![ALICE]
        );
    });
}

#[test]
fn does_not_bring_back_those_who_are_short_of_their_bond() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        cut_bond(ALICE, Role::Worker, WORKER_BOND + 1);
        assert!(Registry::draw_workers(H256::zero(), Specialisation::Synthetic, 1, &[]).is_empty());
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_eq!(weight_of(ALICE), 0);
    });
}

#[test]
fn ends_the_consequences_of_a_ban_that_is_over() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, Some(5)));
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_eq!(weight_of(ALICE), 0);
        run_to(5);
        assert_ok!(Registry::ensure_active(&ALICE, Role::Worker));
        assert_eq!(weight_of(ALICE), 0);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_eq!(weight_of(ALICE), 20);
        assert!(!crate::Bans::<Test>::contains_key(ALICE));
    });
}

#[test]
fn does_not_bring_back_those_who_leave() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Worker));
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_eq!(weight_of(ALICE), 0);
    });
}

#[test]
fn fails_without_a_role() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(Registry::heartbeat(signed(ALICE)), Error::<Test>::NotRegistered);
    });
}

#[test]
fn needs_a_signature() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(Registry::heartbeat(RuntimeOrigin::root()), DispatchError::BadOrigin);
    });
}
