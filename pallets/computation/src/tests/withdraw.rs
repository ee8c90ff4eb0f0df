use super::world::*;
use crate::{Call, Decision, Error, Event, Excused, OpenCases, mock::*};
use agora_disputes::Target;
use agora_primitives::courts::Offence;
use agora_primitives::{courts::Court, job::Claim};
use frame_support::{assert_noop, assert_ok};

fn withdraw(accuser: AccountId) -> sp_runtime::DispatchResult {
    dispatch(PASSER_BY, Call::withdraw { case: 0, accuser })
}

/// A claim that falls as soon as it is accused.
fn misfit() -> Claim {
    Claim::Output {
        output: agora_primitives::job::BlobRef::to(&[1; 5]),
        states_root: Default::default(),
    }
}

/// A case in which these accounts have committed to something.
fn with_hidden(all: core::ops::RangeInclusive<AccountId>) {
    open_case(misfit());
    for who in all {
        assert_ok!(commit(who, &accusation(misfit(), Target::Output)));
    }
}

#[test]
fn burns_the_bond_of_whoever_does_not_reveal() {
    run(|| {
        with_hidden(1..=2);
        for block in [1, WINDOW, WINDOW + TERMS.reveal] {
            run_to(block);
            assert_noop!(withdraw(1), Error::<Test>::StillHidden);
        }
        run_to(WINDOW + TERMS.reveal + 1);
        assert_ok!(withdraw(1));
        let lost = Event::BondLost {
            trial: None,
            who: 1,
            amount: BOND,
            winner: None,
        };
        assert_eq!(events().pop(), Some(lost));
        assert_eq!(Reported::get(), [(1, Offence::Silent)]);
        assert_noop!(withdraw(1), Error::<Test>::NoAccusation);
        assert_eq!((has(1), case().hidden), (ENDOWMENT - BOND, 1));
        assert_eq!(
            Balances::total_issuance(),
            ENDOWMENT * Balance::from(PEOPLE) + ED - BOND
        );
        // It makes no difference that the case is closed.
        Computation::close(TASK);
        assert_eq!(Excused::<Test>::get(0), None);
        assert_ok!(withdraw(2));
        assert_eq!(has(2), ENDOWMENT - BOND);
        nothing_is_left();
    });
}

#[test]
fn gives_the_bond_back_if_nothing_can_be_decided_any_more() {
    run(|| {
        with_hidden(1..=4);
        run_to_reveal();
        // A machine that is not trusted decides nothing: nobody can reveal.
        suspend_image();
        assert_eq!(
            reveal(1, &accusation(misfit(), Target::Output)),
            Err(Error::<Test>::CaseDecided.into())
        );
        assert_ok!(withdraw(1));
        // While the case is open, and after it.
        assert_ok!(withdraw(2));
        let released = Event::BondReleased {
            trial: None,
            who: 2,
            amount: BOND,
        };
        assert_eq!(events().pop(), Some(released));
        assert_eq!(case().hidden, 2);
        run_to(WINDOW + TERMS.reveal + 1);
        Computation::close(TASK);
        assert_eq!(Excused::<Test>::get(0), Some(2));
        check_state();
        assert_ok!(withdraw(3));
        assert_eq!(Excused::<Test>::get(0), Some(1));
        check_state();
        assert_ok!(withdraw(4));
        assert!((1..=4).all(|who| has(who) == ENDOWMENT));
        assert_eq!(Reported::get(), []);
        nothing_is_left();
    });
}

#[test]
fn burns_the_bond_of_whoever_does_not_reveal_though_the_claim_has_fallen() {
    run(|| {
        with_hidden(1..=2);
        run_to_reveal();
        let id = reveal(1, &accusation(misfit(), Target::Output)).unwrap();
        assert_noop!(withdraw(2), Error::<Test>::StillHidden);
        run_to(WINDOW + TERMS.reveal + 1);
        assert_ok!(withdraw(2));
        Computation::close(TASK);
        assert_ok!(collect(id, crate::Part::Accusation));
        assert_eq!((has(1), has(2)), (ENDOWMENT, ENDOWMENT - BOND));
        nothing_is_left();
    });
}

#[test]
fn gives_the_bond_back_if_the_case_is_closed_first() {
    run(|| {
        with_hidden(1..=1);
        run_to(WINDOW + TERMS.reveal);
        Computation::close(TASK);
        run_to(now() + 100);
        assert_ok!(withdraw(1));
        assert_eq!(has(1), ENDOWMENT);
        nothing_is_left();
    });
}

#[test]
fn a_case_that_is_decided_later_excuses_nobody() {
    run(|| {
        let world = World::new();
        let claim = world.liar(0, 0).claim();
        open_case(claim);
        let wrong = accusation(claim, Target::States);
        for who in 1..=3 {
            assert_ok!(commit(who, &wrong));
        }
        run_to_reveal();
        let id = reveal(1, &wrong).unwrap();
        run_to(now() + TERMS.clock);
        advance_all(id);
        assert_eq!(case().decision, Some(Decision::Fallen { by: 1 }));
        assert_ok!(withdraw(2));
        Computation::close(TASK);
        assert_ok!(withdraw(3));
        assert_eq!((has(2), has(3)), (ENDOWMENT - BOND, ENDOWMENT - BOND));
        assert_ok!(collect(id, crate::Part::Accusation));
        nothing_is_left();
    });
}

#[test]
fn another_case_of_the_task_does_not_matter() {
    run(|| {
        with_hidden(1..=1);
        run_to(WINDOW + TERMS.reveal + 1);
        Computation::close(TASK);
        open_case(misfit());
        assert_ok!(commit(2, &accusation(misfit(), Target::Output)));
        assert_ok!(withdraw(1));
        assert_eq!(OpenCases::<Test>::get(TASK).unwrap().hidden, 1);
        assert_noop!(withdraw(2), Error::<Test>::NoAccusation);
    });
}
