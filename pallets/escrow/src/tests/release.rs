use crate::{Deposits, Error, Event, mock::*};
use agora_primitives::money::{Escrow as _, Payee};
use frame_support::{assert_noop, assert_ok, traits::fungible::MutateFreeze};

#[test]
fn gives_back_a_part() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        take_events();
        assert_ok!(Escrow::release(REWARD, TASK, &ALICE, 40));

        assert_eq!(Escrow::held(REWARD, TASK, &ALICE), 60);
        assert_eq!(on_hold(REWARD, ALICE), 60);
        assert_eq!(free(ALICE), ENDOWMENT - 60);
        assert_eq!(
            take_events(),
            [Event::Released {
                purpose: REWARD,
                scope: TASK,
                who: ALICE,
                amount: 40
            }]
        );
    });
}

#[test]
fn gives_back_all_and_removes_the_record() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        assert_ok!(Escrow::hold(REWARD, OTHER_TASK, &ALICE, 1));
        take_events();
        assert_eq!(Escrow::release_all(REWARD, TASK, &ALICE), Ok(100));

        assert!(!Deposits::<Test>::contains_key((ALICE, REWARD, TASK)));
        assert_eq!(Escrow::held(REWARD, OTHER_TASK, &ALICE), 1);
        assert_eq!(
            take_events(),
            [Event::Released {
                purpose: REWARD,
                scope: TASK,
                who: ALICE,
                amount: 100
            }]
        );
    });
}

#[test]
fn of_all_where_nothing_is_held_does_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(Escrow::release_all(REWARD, TASK, &NOBODY), Ok(0));
        assert_ok!(Escrow::release(REWARD, TASK, &NOBODY, 0));
        assert!(System::events().is_empty());
    });
}

#[test]
fn fails_above_what_is_held() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        assert_noop!(
            Escrow::release(REWARD, TASK, &ALICE, 101),
            Error::<Test>::InsufficientDeposit
        );
    });
}

#[test]
fn does_not_reach_other_scopes_or_accounts() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        assert_ok!(Escrow::hold(REWARD, OTHER_TASK, &BOB, 100));
        assert_noop!(
            Escrow::release(REWARD, OTHER_TASK, &ALICE, 1),
            Error::<Test>::InsufficientDeposit
        );
        assert_noop!(
            Escrow::release(REWARD, TASK, &BOB, 1),
            Error::<Test>::InsufficientDeposit
        );
    });
}

#[test]
fn revives_an_account_that_spent_everything_else() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        spend_all_but(0, ALICE);
        assert_ok!(Escrow::release(REWARD, TASK, &ALICE, 100));

        assert_eq!(free(ALICE), 100);
        System::assert_last_event(
            Event::Released {
                purpose: REWARD,
                scope: TASK,
                who: ALICE,
                amount: 100,
            }
            .into(),
        );
    });
}

#[test]
fn of_dust_to_an_account_that_spent_everything_else_goes_to_the_treasury() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        spend_all_but(0, ALICE);
        take_events();
        assert_ok!(Escrow::release(REWARD, TASK, &ALICE, ED - 1));

        assert_eq!(free(ALICE), 0);
        assert_eq!(Escrow::held(REWARD, TASK, &ALICE), 100 - (ED - 1));
        assert_eq!(free(TREASURY), ED + ED - 1);
        assert_eq!(
            take_events(),
            [
                Event::PayeeReplaced {
                    purpose: REWARD,
                    scope: TASK,
                    from: ALICE,
                    payee: Payee::Account(ALICE),
                    replacement: Payee::Treasury,
                    amount: ED - 1,
                },
                Event::Paid {
                    purpose: REWARD,
                    scope: TASK,
                    from: ALICE,
                    payee: Payee::Treasury,
                    amount: ED - 1
                },
            ]
        );
    });
}

#[test]
fn is_never_stuck_even_where_the_account_dies_on_the_way() {
    ExtBuilder::default().build_and_execute(|| {
        // Free balance and hold together reach the existential deposit, but ending the hold removes the free dust first.
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, ED - 2));
        spend_all_but(3, ALICE);
        assert_eq!(Escrow::release_all(REWARD, TASK, &ALICE), Ok(ED - 2));

        assert_eq!(free(ALICE), 0);
        assert_eq!(free(TREASURY), ED + ED - 2);
        assert_eq!(Deposits::<Test>::iter().count(), 0);
    });
}

#[test]
fn works_on_a_frozen_account() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        assert_ok!(Balances::set_freeze(&(), &ALICE, ENDOWMENT));
        assert_ok!(Escrow::release(REWARD, TASK, &ALICE, 100));
        assert_eq!(free(ALICE), ENDOWMENT);
    });
}
