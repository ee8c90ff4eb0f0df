use crate::{Error, Event, mock::*};
use agora_primitives::money::{Escrow as _, Purpose, Scope};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn moves_free_balance_into_the_prepaid_balance() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::deposit(RuntimeOrigin::signed(ALICE), 300));
        assert_ok!(Escrow::deposit(RuntimeOrigin::signed(ALICE), 200));

        assert_eq!(Escrow::held(Purpose::Prepaid, Scope::Account, &ALICE), 500);
        assert_eq!(on_hold(Purpose::Prepaid, ALICE), 500);
        assert_eq!(free(ALICE), ENDOWMENT - 500);
        System::assert_last_event(
            Event::Held {
                purpose: Purpose::Prepaid,
                scope: Scope::Account,
                who: ALICE,
                amount: 200,
            }
            .into(),
        );
    });
}

#[test]
fn leaves_other_accounts_alone() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::deposit(RuntimeOrigin::signed(ALICE), 300));

        assert_eq!(free(BOB), ENDOWMENT);
        assert_eq!(Escrow::held(Purpose::Prepaid, Scope::Account, &BOB), 0);
    });
}

#[test]
fn leaves_the_existential_deposit() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Escrow::deposit(RuntimeOrigin::signed(ALICE), ENDOWMENT - ED + 1),
            Error::<Test>::InsufficientBalance
        );
        assert_ok!(Escrow::deposit(RuntimeOrigin::signed(ALICE), ENDOWMENT - ED));
        assert_eq!(free(ALICE), ED);
    });
}

#[test]
fn fails_for_an_account_without_money() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Escrow::deposit(RuntimeOrigin::signed(NOBODY), 1),
            Error::<Test>::InsufficientBalance
        );
    });
}

#[test]
fn of_nothing_does_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::deposit(RuntimeOrigin::signed(NOBODY), 0));
        assert!(System::events().is_empty());
    });
}

#[test]
fn needs_a_signature() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(Escrow::deposit(RuntimeOrigin::root(), 1), DispatchError::BadOrigin);
    });
}
