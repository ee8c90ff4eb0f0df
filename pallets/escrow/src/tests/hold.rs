use crate::{Deposits, Error, Event, mock::*};
use agora_primitives::money::Escrow as _;
use frame_support::{assert_noop, assert_ok, traits::fungible::MutateFreeze};

#[test]
fn adds_to_what_is_held() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 50));

        assert_eq!(Escrow::held(REWARD, TASK, &ALICE), 150);
        assert_eq!(free(ALICE), ENDOWMENT - 150);
        assert_eq!(
            take_events(),
            [
                Event::Held {
                    purpose: REWARD,
                    scope: TASK,
                    who: ALICE,
                    amount: 100
                },
                Event::Held {
                    purpose: REWARD,
                    scope: TASK,
                    who: ALICE,
                    amount: 50
                },
            ]
        );
    });
}

#[test]
fn keeps_scopes_and_accounts_apart() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        assert_ok!(Escrow::hold(REWARD, OTHER_TASK, &ALICE, 30));
        assert_ok!(Escrow::hold(REWARD, TASK, &BOB, 7));

        assert_eq!(Escrow::held(REWARD, TASK, &ALICE), 100);
        assert_eq!(Escrow::held(REWARD, OTHER_TASK, &ALICE), 30);
        assert_eq!(Escrow::held(REWARD, TASK, &BOB), 7);
        assert_eq!(on_hold(REWARD, ALICE), 130);
        assert_eq!(on_hold(REWARD, BOB), 7);
    });
}

#[test]
fn fails_without_the_money() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Escrow::hold(REWARD, TASK, &ALICE, ENDOWMENT),
            Error::<Test>::InsufficientBalance
        );
        assert_noop!(
            Escrow::hold(REWARD, TASK, &ALICE, Balance::MAX),
            Error::<Test>::InsufficientBalance
        );
        assert_noop!(
            Escrow::hold(REWARD, TASK, &NOBODY, 1),
            Error::<Test>::InsufficientBalance
        );
    });
}

#[test]
fn leaves_the_existential_deposit_even_where_the_currency_would_not() {
    ExtBuilder::default().build_and_execute(|| {
        System::inc_providers(&ALICE);
        assert_noop!(
            Escrow::hold(REWARD, TASK, &ALICE, ENDOWMENT),
            Error::<Test>::InsufficientBalance
        );
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, ENDOWMENT - ED));
    });
}

#[test]
fn does_not_take_frozen_money() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Balances::set_freeze(&(), &ALICE, ENDOWMENT - 100));
        assert_noop!(
            Escrow::hold(REWARD, TASK, &ALICE, 101),
            Error::<Test>::InsufficientBalance
        );
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
    });
}

#[test]
fn of_nothing_does_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &NOBODY, 0));
        assert!(System::events().is_empty());
        assert_eq!(Deposits::<Test>::iter().count(), 0);
    });
}

#[test]
fn what_is_held_cannot_be_spent() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 9_000));
        assert!(Balances::transfer_allow_death(RuntimeOrigin::signed(ALICE), BOB, 1_000).is_err());
        assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(ALICE), BOB, 990));
        assert_eq!(Escrow::held(REWARD, TASK, &ALICE), 9_000);
    });
}
