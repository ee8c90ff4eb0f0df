//! `withdraw_bond`.

use crate::{Error, Event, LeafOwners, Members, Nodes, mock::*};
use agora_primitives::participants::{Participants, Role};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn leave(who: AccountId, role: Role) {
    assert_ok!(Registry::request_exit(signed(who), role));
    run_to(System::block_number() + COOL_DOWN);
    assert_ok!(Registry::withdraw_bond(signed(who), role));
}

#[test]
fn gives_the_bond_back_and_forgets_the_account() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        register_worker(BOB, 10);
        leave(ALICE, Role::Worker);

        System::assert_last_event(
            Event::Exited {
                who: ALICE,
                role: Role::Worker,
                bond: 2 * WORKER_BOND,
            }
            .into(),
        );
        assert_eq!((free(ALICE), bond_of(ALICE, Role::Worker)), (ENDOWMENT, 0));
        assert_eq!(Members::<Test>::get(ALICE), None);
        assert_eq!(bond_of(BOB, Role::Worker), 2 * WORKER_BOND);
    });
}

#[test]
fn gives_the_last_worker_the_leaf_that_is_free() {
    ExtBuilder::default().build_and_execute(|| {
        for (who, capability) in [(ALICE, 1), (BOB, 2), (CAROL, 3), (DAVE, 4)] {
            register_worker(who, capability);
        }
        leave(BOB, Role::Worker);
        assert_eq!(workers(), 3);
        assert_eq!(LeafOwners::<Test>::get(1), Some(DAVE));
        assert_eq!((worker(DAVE).leaf, weight_of(DAVE)), (1, 8));
        assert_eq!((weight_of(ALICE), weight_of(CAROL)), (2, 6));
        // The last one itself leaves nothing to be moved.
        leave(CAROL, Role::Worker);
        assert_eq!((workers(), LeafOwners::<Test>::get(2)), (2, None));
        leave(ALICE, Role::Worker);
        leave(DAVE, Role::Worker);
        assert_eq!(
            (
                workers(),
                Nodes::<Test>::iter().count(),
                LeafOwners::<Test>::iter().count()
            ),
            (0, 0, 0)
        );
    });
}

#[test]
fn keeps_the_other_roles() {
    ExtBuilder::default().build_and_execute(|| {
        for role in [Role::Worker, Role::Verifier, Role::Orchestrator] {
            register(ALICE, role);
        }
        leave(ALICE, Role::Worker);
        assert_eq!(bond_of(ALICE, Role::Verifier), VERIFIER_BOND);
        assert_ok!(Registry::heartbeat(signed(ALICE)));
        assert_ok!(Registry::ensure_active(&ALICE, Role::Verifier));
        leave(ALICE, Role::Verifier);
        leave(ALICE, Role::Orchestrator);
        assert_eq!(free(ALICE), ENDOWMENT);
        assert_eq!(Members::<Test>::get(ALICE), None);
    });
}

#[test]
fn gives_back_what_is_left_of_a_cut_bond() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Verifier);
        cut_bond(ALICE, Role::Verifier, 150);
        leave(ALICE, Role::Verifier);
        System::assert_last_event(
            Event::Exited {
                who: ALICE,
                role: Role::Verifier,
                bond: 50,
            }
            .into(),
        );
        assert_eq!((free(ALICE), free(TREASURY)), (ENDOWMENT - 150, ED + 150));

        register(BOB, Role::Verifier);
        cut_bond(BOB, Role::Verifier, VERIFIER_BOND);
        leave(BOB, Role::Verifier);
        System::assert_last_event(
            Event::Exited {
                who: BOB,
                role: Role::Verifier,
                bond: 0,
            }
            .into(),
        );
    });
}

#[test]
fn works_for_the_banned_and_the_silent() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        assert_ok!(Registry::ban(RuntimeOrigin::root(), ALICE, None));
        leave(ALICE, Role::Worker);
        assert_eq!(free(ALICE), ENDOWMENT);
        // The ban outlives the exit.
        assert_noop!(
            Registry::register(signed(ALICE), Role::Worker, WORKER_BOND, profile(1)),
            Error::<Test>::Banned
        );
    });
}

#[test]
fn lets_the_account_come_back() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        leave(ALICE, Role::Worker);
        register_worker(ALICE, 30);
        assert_eq!(weight_of(ALICE), 60);
    });
}

#[test]
fn fails_before_the_exit_was_requested() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        assert_noop!(
            Registry::withdraw_bond(signed(ALICE), Role::Worker),
            Error::<Test>::ExitNotRequested
        );
    });
}

#[test]
fn fails_before_the_cool_down_is_over() {
    ExtBuilder::default().build_and_execute(|| {
        for role in [Role::Worker, Role::Verifier] {
            register(ALICE, role);
            assert_ok!(Registry::request_exit(signed(ALICE), role));
        }
        run_to(COOL_DOWN);
        for role in [Role::Worker, Role::Verifier] {
            assert_noop!(
                Registry::withdraw_bond(signed(ALICE), role),
                Error::<Test>::CoolDownNotOver
            );
        }
        run_to(1 + COOL_DOWN);
        for role in [Role::Worker, Role::Verifier] {
            assert_ok!(Registry::withdraw_bond(signed(ALICE), role));
        }
    });
}

#[test]
fn fails_while_a_slot_is_taken() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        assert_ok!(Registry::occupy_slot(&ALICE));
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Worker));
        run_to(10 * COOL_DOWN);
        assert_noop!(
            Registry::withdraw_bond(signed(ALICE), Role::Worker),
            Error::<Test>::SlotsOccupied
        );
        Registry::free_slot(&ALICE);
        assert_ok!(Registry::withdraw_bond(signed(ALICE), Role::Worker));
    });
}

#[test]
fn fails_without_the_role() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::withdraw_bond(signed(ALICE), Role::Worker),
            Error::<Test>::NotRegistered
        );
        register(ALICE, Role::Worker);
        assert_noop!(
            Registry::withdraw_bond(signed(ALICE), Role::Verifier),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn needs_a_signature() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::withdraw_bond(RuntimeOrigin::root(), Role::Worker),
            DispatchError::BadOrigin
        );
    });
}
