use crate::{Deposits, Error, Event, mock::*};
use agora_primitives::money::{Escrow as _, Payee};
use frame_support::{
    assert_noop, assert_ok,
    storage::with_storage_layer,
    traits::fungible::{MutateFreeze, Unbalanced},
};
use sp_runtime::{DispatchError, TransactionalError};

fn hold(amount: Balance) {
    assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, amount));
    take_events();
}

fn paid(payee: Payee<AccountId>, amount: Balance) -> Event<Test> {
    Event::Paid {
        purpose: REWARD,
        scope: TASK,
        from: ALICE,
        payee,
        amount,
    }
}

fn replaced(payee: Payee<AccountId>, replacement: Payee<AccountId>, amount: Balance) -> Event<Test> {
    Event::PayeeReplaced {
        purpose: REWARD,
        scope: TASK,
        from: ALICE,
        payee,
        replacement,
        amount,
    }
}

#[test]
fn moves_held_money_to_an_account() {
    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Account(BOB), 60));

        assert_eq!(free(BOB), ENDOWMENT + 60);
        assert_eq!(free(ALICE), ENDOWMENT - 100);
        assert_eq!(Escrow::held(REWARD, TASK, &ALICE), 40);
        assert_eq!(take_events(), [paid(Payee::Account(BOB), 60)]);
    });
}

#[test]
fn removes_the_record_with_the_last_payment() {
    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Account(BOB), 60));
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Treasury, 40));
        assert_eq!(Deposits::<Test>::iter().count(), 0);
    });
}

#[test]
fn to_the_treasury_reaches_its_account() {
    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        // Even dust, as the account exists.
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Treasury, 1));
        assert_eq!(free(TREASURY), ED + 1);
        assert_eq!(take_events(), [paid(Payee::Treasury, 1)]);
    });
}

#[test]
fn burning_lowers_the_issuance() {
    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        let before = issuance();
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Burn, 60));

        assert_eq!(issuance(), before - 60);
        assert_eq!(free(ALICE) + on_hold(REWARD, ALICE), ENDOWMENT - 60);
        assert_eq!(free(TREASURY), ED);
        assert_eq!(take_events(), [paid(Payee::Burn, 60)]);
    });
}

#[test]
fn can_go_back_to_whose_money_it_was() {
    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Account(ALICE), 100));
        assert_eq!(free(ALICE), ENDOWMENT);
        assert_eq!(take_events(), [paid(Payee::Account(ALICE), 100)]);
    });
}

#[test]
fn creates_the_payees_account() {
    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Account(NOBODY), ED));
        assert_eq!(free(NOBODY), ED);
        assert_eq!(take_events(), [paid(Payee::Account(NOBODY), ED)]);
    });
}

#[test]
fn dust_to_an_account_that_does_not_exist_goes_to_the_treasury() {
    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Account(NOBODY), ED - 1));

        assert!(!frame_system::Account::<Test>::contains_key(NOBODY));
        assert_eq!(free(TREASURY), ED + ED - 1);
        assert_eq!(Escrow::held(REWARD, TASK, &ALICE), 100 - (ED - 1));
        assert_eq!(
            take_events(),
            [
                replaced(Payee::Account(NOBODY), Payee::Treasury, ED - 1),
                paid(Payee::Treasury, ED - 1)
            ]
        );
    });
}

#[test]
fn dust_that_even_the_treasury_cannot_receive_is_burned() {
    ExtBuilder::default().without_treasury().build_and_execute(|| {
        hold(100);
        let before = issuance();
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Account(NOBODY), ED - 1));
        assert_eq!(issuance(), before - (ED - 1));
        assert_eq!(Escrow::held(REWARD, TASK, &ALICE), 100 - (ED - 1));
        assert_eq!(
            take_events(),
            [
                replaced(Payee::Account(NOBODY), Payee::Burn, ED - 1),
                paid(Payee::Burn, ED - 1)
            ]
        );

        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Treasury, ED - 1));
        assert_eq!(issuance(), before - 2 * (ED - 1));
        assert_eq!(
            take_events(),
            [
                replaced(Payee::Treasury, Payee::Burn, ED - 1),
                paid(Payee::Burn, ED - 1)
            ]
        );
    });
}

#[test]
fn creates_the_treasury_with_enough() {
    ExtBuilder::default().without_treasury().build_and_execute(|| {
        hold(100);
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Treasury, ED));
        assert_eq!(free(TREASURY), ED);
    });
}

#[test]
fn a_payee_whose_balance_would_overflow_is_replaced() {
    ExtBuilder::default().build().execute_with(|| {
        hold(100);
        // Out of nothing: conservation is not what this test is about.
        assert_ok!(Balances::write_balance(&BOB, Balance::MAX - 50));
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Account(BOB), 51));

        assert_eq!(free(BOB), Balance::MAX - 50);
        assert_eq!(free(TREASURY), ED + 51);
        assert_eq!(
            take_events(),
            [
                replaced(Payee::Account(BOB), Payee::Treasury, 51),
                paid(Payee::Treasury, 51)
            ]
        );
        assert_ok!(Escrow::do_try_state());
    });
}

#[test]
fn fails_above_what_is_held() {
    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        for payee in [Payee::Account(BOB), Payee::Account(ALICE), Payee::Treasury, Payee::Burn] {
            assert_noop!(
                Escrow::pay(REWARD, TASK, &ALICE, payee, 101),
                Error::<Test>::InsufficientDeposit
            );
        }
    });
}

#[test]
fn does_not_reach_other_scopes_or_accounts() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Escrow::hold(REWARD, TASK, &ALICE, 100));
        assert_ok!(Escrow::hold(REWARD, OTHER_TASK, &BOB, 100));
        for payee in [Payee::Account(CAROL), Payee::Treasury, Payee::Burn] {
            assert_noop!(
                Escrow::pay(REWARD, TASK, &BOB, payee.clone(), 1),
                Error::<Test>::InsufficientDeposit
            );
            assert_noop!(
                Escrow::pay(REWARD, OTHER_TASK, &ALICE, payee.clone(), 1),
                Error::<Test>::InsufficientDeposit
            );
            assert_noop!(
                Escrow::pay(REWARD, TASK, &NOBODY, payee, 1),
                Error::<Test>::InsufficientDeposit
            );
        }
    });
}

#[test]
fn of_nothing_does_nothing() {
    ExtBuilder::default().build_and_execute(|| {
        for payee in [Payee::Account(NOBODY), Payee::Treasury, Payee::Burn] {
            assert_ok!(Escrow::pay(REWARD, TASK, &NOBODY, payee, 0));
        }
        assert!(System::events().is_empty());
    });
}

#[test]
fn works_from_an_account_that_spent_everything_else() {
    for payee in [Payee::Account(BOB), Payee::Account(ALICE), Payee::Treasury, Payee::Burn] {
        ExtBuilder::default().build_and_execute(|| {
            hold(100);
            spend_all_but(0, ALICE);
            assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, payee.clone(), 100));

            assert_eq!(Deposits::<Test>::iter().count(), 0);
            System::assert_last_event(paid(payee, 100).into());
        });
    }
}

#[test]
fn ends_an_account_that_had_nothing_else() {
    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        spend_all_but(0, ALICE);
        assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, Payee::Account(BOB), 100));

        assert_eq!(System::consumers(&ALICE), 0);
        assert_ok!(System::dec_providers(&ALICE));
        assert!(!frame_system::Account::<Test>::contains_key(ALICE));
    });
}

#[test]
fn takes_frozen_money_too() {
    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        // Frozen after it was held: what was promised to others is paid.
        assert_ok!(Balances::set_freeze(&(), &ALICE, ENDOWMENT));
        for (payee, amount) in [(Payee::Account(BOB), 40), (Payee::Treasury, 35), (Payee::Burn, 25)] {
            assert_ok!(Escrow::pay(REWARD, TASK, &ALICE, payee.clone(), amount));
            assert_eq!(take_events(), [paid(payee, amount)]);
        }
        assert_eq!(on_hold(REWARD, ALICE), 0);
        assert_eq!(free(BOB), ENDOWMENT + 40);
        assert_eq!(free(TREASURY), ED + 35);
    });
}

#[test]
fn too_deep_in_the_call_stack_moves_nothing() {
    /// Opens `depth` storage layers around `inner`.
    fn nested(depth: u32, inner: &dyn Fn() -> sp_runtime::DispatchResult) -> sp_runtime::DispatchResult {
        if depth == 0 {
            inner()
        } else {
            with_storage_layer(|| nested(depth - 1, inner))
        }
    }

    ExtBuilder::default().build_and_execute(|| {
        hold(100);
        let pay = || Escrow::pay(REWARD, TASK, &ALICE, Payee::Account(BOB), 40);
        let limit = DispatchError::Transactional(TransactionalError::LimitReached);
        // One layer is left, but moving takes two: it must not be burned because of that.
        let deepest = frame_support::storage::transactional::TRANSACTIONAL_LIMIT - 1;
        assert_noop!(nested(deepest, &pay), limit);
        assert_noop!(nested(deepest + 1, &pay), limit);
        assert_ok!(nested(deepest - 1, &pay));
    });
}
