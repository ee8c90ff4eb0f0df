use crate::{Deposits, mock::*, types};
use agora_primitives::money::Escrow as _;
use frame_support::{assert_err, assert_ok, traits::fungible::MutateHold};

#[test]
fn finds_a_hold_that_belongs_to_nothing() {
    ExtBuilder::default().build().execute_with(|| {
        assert_ok!(Balances::hold(&types::reason::<Test>(REWARD), &ALICE, 5));
        assert_err!(Escrow::do_try_state(), "deposits and holds differ");
    });
}

#[test]
fn finds_two_purposes_that_mixed() {
    ExtBuilder::default().build().execute_with(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        Deposits::<Test>::take((ALICE, REWARD, TASK));
        Deposits::<Test>::insert((ALICE, BOND, TASK), 100);
        assert_err!(Escrow::do_try_state(), "deposits and holds differ");
    });
}

#[test]
fn finds_a_deposit_of_zero() {
    ExtBuilder::default().build().execute_with(|| {
        Deposits::<Test>::insert((ALICE, REWARD, TASK), 0);
        assert_err!(Escrow::do_try_state(), "a deposit is zero");
    });
}

#[test]
fn finds_a_deposit_of_nobody() {
    ExtBuilder::default().build().execute_with(|| {
        Deposits::<Test>::insert((NOBODY, REWARD, TASK), 1);
        assert_err!(Escrow::do_try_state(), "an account that does not exist has a deposit");
    });
}

#[test]
fn finds_deposits_that_overflow() {
    ExtBuilder::default().build().execute_with(|| {
        Deposits::<Test>::insert((ALICE, REWARD, TASK), Balance::MAX);
        Deposits::<Test>::insert((ALICE, REWARD, OTHER_TASK), 1);
        assert_err!(Escrow::do_try_state(), "the deposits of an account overflow");
    });
}
