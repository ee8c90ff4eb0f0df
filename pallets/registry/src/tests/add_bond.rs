//! `add_bond`.

use crate::{Error, Event, mock::*};
use agora_primitives::participants::{Participants, Role, Specialisation};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::DispatchError;

#[test]
fn raises_the_bond_of_one_role_of_the_caller() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        register(ALICE, Role::Verifier);
        register(BOB, Role::Verifier);
        assert_ok!(Registry::add_bond(signed(ALICE), Role::Verifier, 55));

        System::assert_last_event(
            Event::BondAdded {
                who: ALICE,
                role: Role::Verifier,
                amount: 55,
            }
            .into(),
        );
        assert_eq!(bond_of(ALICE, Role::Verifier), VERIFIER_BOND + 55);
        assert_eq!(bond_of(ALICE, Role::Worker), WORKER_BOND);
        assert_eq!(free(ALICE), ENDOWMENT - WORKER_BOND - VERIFIER_BOND - 55);
        assert_eq!(bond_of(BOB, Role::Verifier), VERIFIER_BOND);
    });
}

#[test]
fn makes_up_for_a_cut_bond() {
    ExtBuilder::default().build_and_execute(|| {
        register_worker(ALICE, 10);
        cut_bond(ALICE, Role::Worker, WORKER_BOND + 30);
        assert_noop!(
            Registry::ensure_active(&ALICE, Role::Worker),
            Error::<Test>::BondTooSmall
        );
        // The next draw finds out.
        assert!(Registry::draw_workers(H256::zero(), Specialisation::Synthetic, 1, &[]).is_empty());
        assert_eq!(weight_of(ALICE), 0);

        assert_ok!(Registry::add_bond(signed(ALICE), Role::Worker, 29));
        assert_noop!(
            Registry::ensure_active(&ALICE, Role::Worker),
            Error::<Test>::BondTooSmall
        );
        assert_eq!(weight_of(ALICE), 0);
        assert_ok!(Registry::add_bond(signed(ALICE), Role::Worker, 1));
        assert_ok!(Registry::ensure_active(&ALICE, Role::Worker));
        // Again it covers one of the two slots.
        assert_eq!(weight_of(ALICE), 10);
    });
}

#[test]
fn fails_with_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        assert_noop!(
            Registry::add_bond(signed(ALICE), Role::Worker, 0),
            Error::<Test>::AmountZero
        );
    });
}

#[test]
fn fails_without_the_role() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::add_bond(signed(ALICE), Role::Worker, 5),
            Error::<Test>::NotRegistered
        );
        register(ALICE, Role::Worker);
        assert_noop!(
            Registry::add_bond(signed(ALICE), Role::Verifier, 5),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn fails_while_leaving() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Worker));
        assert_noop!(
            Registry::add_bond(signed(ALICE), Role::Worker, 5),
            Error::<Test>::Leaving
        );
    });
}

#[test]
fn fails_without_the_money() {
    ExtBuilder::default().build_and_execute(|| {
        register(ALICE, Role::Worker);
        assert_noop!(
            Registry::add_bond(signed(ALICE), Role::Worker, ENDOWMENT),
            pallet_agora_escrow::Error::<Test>::InsufficientBalance
        );
    });
}

#[test]
fn needs_a_signature() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Registry::add_bond(RuntimeOrigin::root(), Role::Worker, 5),
            DispatchError::BadOrigin
        );
    });
}
