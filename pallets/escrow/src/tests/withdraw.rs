use crate::{Deposits, Error, Event, mock::*};
use agora_primitives::{
    money::{Escrow as _, Purpose, Scope},
    participants::Role,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn gives_prepaid_balance_back() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::deposit(RuntimeOrigin::signed(ALICE), 500));
        assert_ok!(Escrow::withdraw(RuntimeOrigin::signed(ALICE), 200));

        assert_eq!(Escrow::held(Purpose::Prepaid, Scope::Account, &ALICE), 300);
        assert_eq!(free(ALICE), ENDOWMENT - 300);
        System::assert_last_event(
            Event::Released {
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
fn of_all_removes_the_record() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::deposit(RuntimeOrigin::signed(ALICE), 500));
        assert_ok!(Escrow::withdraw(RuntimeOrigin::signed(ALICE), 500));

        assert_eq!(Deposits::<Test>::iter().count(), 0);
        assert_eq!(free(ALICE), ENDOWMENT);
    });
}

#[test]
fn fails_above_what_is_there() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::deposit(RuntimeOrigin::signed(ALICE), 500));
        assert_noop!(
            Escrow::withdraw(RuntimeOrigin::signed(ALICE), 501),
            Error::<Test>::InsufficientDeposit
        );
    });
}

#[test]
fn does_not_reach_the_balance_of_another() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::deposit(RuntimeOrigin::signed(ALICE), 500));
        assert_noop!(
            Escrow::withdraw(RuntimeOrigin::signed(BOB), 1),
            Error::<Test>::InsufficientDeposit
        );
    });
}

#[test]
fn does_not_reach_money_held_for_anything_else() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(Purpose::RoleBond, Scope::Role(Role::Worker), &ALICE, 500));
        assert_ok!(Escrow::hold(Purpose::Prepaid, TASK, &ALICE, 500));
        assert_noop!(
            Escrow::withdraw(RuntimeOrigin::signed(ALICE), 1),
            Error::<Test>::InsufficientDeposit
        );
    });
}

#[test]
fn of_nothing_does_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::withdraw(RuntimeOrigin::signed(NOBODY), 0));
        assert!(System::events().is_empty());
    });
}

#[test]
fn needs_a_signature() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(Escrow::withdraw(RuntimeOrigin::none(), 1), DispatchError::BadOrigin);
    });
}
