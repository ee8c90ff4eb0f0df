use super::world::*;
use crate::{CurrentTerms, Error, Event, mock::*};
use agora_disputes::Terms;
use agora_primitives::job::Claim;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn changes_what_holds_for_later_cases() {
    run(|| {
        open_case(Claim::Unusable);
        let other = Terms { reveal: 9, ..TERMS };
        assert_ok!(Computation::set_terms(RuntimeOrigin::root(), Some(other)));
        assert_eq!(CurrentTerms::<Test>::get(), Some(other));
        assert_eq!(events().pop(), Some(Event::TermsSet { terms: Some(other) }));
        assert_eq!(case().phases, TERMS);
        assert_ok!(Computation::set_terms(RuntimeOrigin::root(), None));
        assert_eq!(CurrentTerms::<Test>::get(), None);
    });
}

#[test]
fn is_for_who_may_and_refuses_impossible_terms() {
    run(|| {
        assert_noop!(
            Computation::set_terms(RuntimeOrigin::signed(ALICE), None),
            DispatchError::BadOrigin
        );
        for wrong in [
            Terms { reveal: 0, ..TERMS },
            Terms {
                entry: TERMS.clock / 2 + 1,
                ..TERMS
            },
        ] {
            assert_noop!(
                Computation::set_terms(RuntimeOrigin::root(), Some(wrong)),
                Error::<Test>::Terms
            );
        }
    });
}

#[test]
#[should_panic(expected = "cannot be")]
fn genesis_refuses_them_too() {
    chain(Some(Terms { clock: 0, ..TERMS }));
}
