use crate::{Error, HoldReason, PURPOSES, mock::*, types};
use agora_primitives::money::{Escrow as _, Payee, Scope};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, traits::VariantCount};

#[test]
fn each_has_a_reason_of_its_own() {
    assert_eq!(PURPOSES.len() as u32, HoldReason::VARIANT_COUNT);
    assert!(types::reasons_are_distinct::<Test>());
    for (index, purpose) in PURPOSES.into_iter().enumerate() {
        assert_eq!(purpose.encode(), [index as u8]);
        assert_eq!(HoldReason::from(purpose).encode(), [index as u8]);
    }
}

#[test]
fn never_mix() {
    ExtBuilder::default().build_and_execute(|| {
        for (purpose, amount) in PURPOSES.into_iter().zip(100..) {
            assert_ok!(Escrow::hold(purpose, TASK, &ALICE, amount));
        }
        for (purpose, amount) in PURPOSES.into_iter().zip(100..) {
            assert_eq!(on_hold(purpose, ALICE), amount);
            assert_noop!(
                Escrow::release(purpose, TASK, &ALICE, amount + 1),
                Error::<Test>::InsufficientDeposit
            );
            for payee in [Payee::Account(BOB), Payee::Treasury, Payee::Burn] {
                assert_noop!(
                    Escrow::pay(purpose, TASK, &ALICE, payee, amount + 1),
                    Error::<Test>::InsufficientDeposit
                );
            }
        }
        for (left, purpose) in PURPOSES.into_iter().enumerate() {
            assert_ok!(Escrow::pay(
                purpose,
                TASK,
                &ALICE,
                Payee::Account(BOB),
                100 + left as Balance
            ));
            assert_eq!(on_hold(purpose, ALICE), 0);
            for (other, amount) in PURPOSES.into_iter().zip(100..).skip(left + 1) {
                assert_eq!(on_hold(other, ALICE), amount);
                assert_eq!(Escrow::held(other, TASK, &ALICE), amount);
            }
        }
    });
}

#[test]
fn never_mix_where_only_one_is_held() {
    ExtBuilder::default().build_and_execute(|| {
        for purpose in PURPOSES {
            assert_ok!(Escrow::hold(purpose, Scope::Account, &ALICE, 100));
            for other in PURPOSES.into_iter().filter(|other| *other != purpose) {
                assert_noop!(
                    Escrow::release(other, Scope::Account, &ALICE, 1),
                    Error::<Test>::InsufficientDeposit
                );
                assert_eq!(Escrow::release_all(other, Scope::Account, &ALICE), Ok(0));
            }
            assert_eq!(Escrow::release_all(purpose, Scope::Account, &ALICE), Ok(100));
        }
    });
}
