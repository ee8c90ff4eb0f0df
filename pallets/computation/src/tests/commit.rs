use super::world::*;
use crate::{CurrentTerms, Error, Event, Hidden, HiddenAccusations, mock::*};
use agora_disputes::{Commitment, Target};
use agora_primitives::{
    courts::Court,
    job::Claim,
    money::{Escrow as _, Purpose, Scope},
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

const HASH: H256 = H256::repeat_byte(3);

fn commits(who: AccountId) -> sp_runtime::DispatchResult {
    Computation::commit(RuntimeOrigin::signed(who), TASK, HASH)
}

#[test]
fn holds_the_bond_and_says_who_accuses() {
    run(|| {
        open_case(Claim::Unusable);
        assert_ok!(commits(ALICE));
        assert_eq!(Escrow::held(Purpose::CourtBond, Scope::Task(TASK), &ALICE), BOND);
        let commitment = Commitment { hash: HASH };
        let hidden = Hidden {
            task: TASK,
            commitment,
            bond: BOND,
            order: 0,
        };
        assert_eq!(HiddenAccusations::<Test>::get(0, ALICE), Some(hidden));
        assert_eq!(case().hidden, 1);
        let accuser = ALICE;
        assert_eq!(events().pop(), Some(Event::AccusationCommitted { task: TASK, accuser }));
        assert!(Computation::hidden(0, ALICE) && !Computation::hidden(0, BOB) && !Computation::hidden(1, ALICE));
    });
}

#[test]
fn is_for_those_who_have_the_bond() {
    run(|| {
        open_case(Claim::Unusable);
        CurrentBond::set(ENDOWMENT);
        assert_noop!(commits(ALICE), pallet_agora_escrow::Error::<Test>::InsufficientBalance);
        assert_noop!(
            Computation::commit(RuntimeOrigin::none(), TASK, HASH),
            sp_runtime::DispatchError::BadOrigin
        );
        CurrentBond::set(BOND);
    });
}

#[test]
fn needs_a_case() {
    run(|| {
        assert_noop!(commits(ALICE), Error::<Test>::NoCase);
        open_case(Claim::Unusable);
        Computation::close(TASK);
        assert_noop!(commits(ALICE), Error::<Test>::NoCase);
    });
}

#[test]
fn is_done_once() {
    run(|| {
        open_case(Claim::Unusable);
        assert_ok!(commits(ALICE));
        assert_noop!(commits(ALICE), Error::<Test>::AlreadyAccused);
        assert_ok!(commits(BOB));
        assert_eq!(case().hidden, 2);
    });
}

#[test]
fn is_possible_until_the_last_block_of_the_window() {
    run(|| {
        open_case(Claim::Unusable);
        run_to(WINDOW);
        assert_ok!(commits(ALICE));
        run_to(WINDOW + 1);
        assert_noop!(commits(BOB), Error::<Test>::NotNow);
    });
}

#[test]
fn is_not_possible_in_a_decided_case() {
    run(|| {
        let world = World::new();
        open_case(world.right());
        crate::OpenCases::<Test>::mutate(TASK, |case| {
            case.as_mut().unwrap().decision = Some(crate::Decision::Undecided);
        });
        assert_noop!(commits(ALICE), Error::<Test>::CaseDecided);
    });
}

#[test]
fn a_case_is_opened_once_and_only_where_there_are_terms() {
    run(|| {
        open_case(Claim::Unusable);
        let (number, claim, until) = (0, Claim::Unusable, WINDOW);
        let opened = Event::CaseOpened {
            task: TASK,
            case: number,
            claim,
            until,
        };
        assert_eq!(events(), [opened]);
        let terms = case().terms;
        assert_noop!(Computation::open(TASK, terms.clone()), Error::<Test>::Known);
        Computation::close(TASK);
        assert_eq!(events().pop(), Some(Event::CaseClosed { task: TASK, case: 0 }));
        // The next has another number, so that nothing that was committed to counts in it.
        assert_eq!(Computation::open(TASK, terms.clone()), Ok(true));
        assert_eq!(case().number, 1);
        Computation::close(TASK);
        CurrentTerms::<Test>::kill();
        assert_eq!(Computation::open(TASK, terms), Ok(false));
        assert_eq!(Computation::case(TASK), None);
    });
}

#[test]
fn what_was_committed_to_in_another_case_does_not_count() {
    run(|| {
        let world = World::new();
        open_case(world.right());
        let accusation = accusation(world.right(), Target::Output);
        assert_ok!(commit(ALICE, &accusation));
        Computation::close(TASK);
        run_to(2);
        open_case(world.right());
        run_to_reveal();
        assert_eq!(reveal(ALICE, &accusation), Err(Error::<Test>::NoAccusation.into()));
        // The case was closed while it could be revealed.
        assert_ok!(dispatch(
            BOB,
            crate::Call::withdraw {
                case: 0,
                accuser: ALICE
            }
        ));
        assert_eq!(has(ALICE), ENDOWMENT);
    });
}
