use crate::{Error, Event, mock::*};
use agora_primitives::judging::{Attestation, Judge, Ruling, Tally};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn holds_the_bond_and_takes_it_down() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        System::reset_events();
        assert_ok!(attest(1, TASK, Attestation::Valid));
        assert_eq!(
            events(),
            [Event::Attested {
                task: TASK,
                verifier: 1,
                attestation: Attestation::Valid
            }]
        );
        assert_eq!((bond_of(1, TASK), free(1)), (BOND, ENDOWMENT - BOND));
        let attestations = window(TASK).unwrap().attestations;
        assert!(attestations.iter().eq(&[(1, Attestation::Valid)]));
    });
}

#[test]
fn touches_nobody_else_and_no_other_task() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        open(OTHER_TASK);
        assert_ok!(attest(1, TASK, Attestation::Valid));
        assert_ok!(attest(2, TASK, Attestation::Invalid));
        assert_ok!(attest(1, OTHER_TASK, Attestation::Invalid));
        assert_eq!((bond_of(1, TASK), bond_of(1, OTHER_TASK)), (BOND, BOND));
        assert_eq!((bond_of(2, TASK), bond_of(2, OTHER_TASK)), (BOND, 0));
        assert_eq!(
            (free(1), free(2), free(3)),
            (ENDOWMENT - 2 * BOND, ENDOWMENT - BOND, ENDOWMENT)
        );
        assert_eq!(
            Judging::tally(TASK),
            Tally {
                in_favour: 1,
                against: 1
            }
        );
        assert_eq!(
            Judging::tally(OTHER_TASK),
            Tally {
                in_favour: 0,
                against: 1
            }
        );
    });
}

#[test]
fn is_possible_in_the_last_block_of_the_window() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        System::set_block_number(UNTIL);
        assert_ok!(attest(1, TASK, Attestation::Invalid));
    });
}

#[test]
fn fails_after_the_window() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        System::set_block_number(UNTIL + 1);
        assert_noop!(attest(1, TASK, Attestation::Valid), Error::<Test>::WindowClosed);
    });
}

#[test]
fn fails_without_a_window() {
    ExtBuilder::default().build_and_execute(|| {
        open(OTHER_TASK);
        assert_noop!(attest(1, TASK, Attestation::Valid), Error::<Test>::NoAppealWindow);
    });
}

#[test]
fn fails_once_the_window_is_closed() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        assert_ok!(Judging::close_appeal_window(TASK, Ruling::Upheld));
        assert_noop!(attest(1, TASK, Attestation::Valid), Error::<Test>::NoAppealWindow);
    });
}

#[test]
fn fails_for_who_is_no_active_verifier() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        assert_noop!(attest(NEWCOMER, TASK, Attestation::Valid), NOT_ACTIVE);
        ActiveVerifiers::mutate(|all| all.remove(&1));
        assert_noop!(attest(1, TASK, Attestation::Valid), NOT_ACTIVE);
    });
}

#[test]
fn fails_for_unsigned_and_root() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
            assert_noop!(
                Judging::attest(origin, TASK, Attestation::Valid),
                DispatchError::BadOrigin
            );
        }
    });
}

#[test]
fn fails_for_a_party_of_the_task_only() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        open(OTHER_TASK);
        KnownParties::mutate(|all| all.insert((TASK, 1)));
        assert_noop!(attest(1, TASK, Attestation::Valid), Error::<Test>::PartyToTask);
        assert_ok!(attest(1, OTHER_TASK, Attestation::Valid));
        assert_ok!(attest(2, TASK, Attestation::Valid));
    });
}

#[test]
fn fails_the_second_time_whatever_is_said() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        assert_ok!(attest(1, TASK, Attestation::Valid));
        for attestation in [Attestation::Valid, Attestation::Invalid] {
            assert_noop!(attest(1, TASK, attestation), Error::<Test>::AlreadyAttested);
        }
    });
}

#[test]
fn fails_when_one_side_is_full_and_leaves_the_other_its_places() {
    ExtBuilder::default().places(4).build_and_execute(|| {
        contest(TASK, &[1, 2], &[]);
        assert_noop!(attest(3, TASK, Attestation::Valid), Error::<Test>::TooManyAttestations);
        assert_ok!(attest(3, TASK, Attestation::Invalid));
        assert_ok!(attest(4, TASK, Attestation::Invalid));
        for attestation in [Attestation::Valid, Attestation::Invalid] {
            assert_noop!(attest(5, TASK, attestation), Error::<Test>::TooManyAttestations);
        }
    });
}

#[test]
fn fails_without_the_money() {
    ExtBuilder::default().build_and_execute(|| {
        ActiveVerifiers::mutate(|all| all.insert(NEWCOMER));
        open(TASK);
        assert_noop!(
            attest(NEWCOMER, TASK, Attestation::Valid),
            pallet_agora_escrow::Error::<Test>::InsufficientBalance
        );
        // All but the existential deposit is too little too.
        let transfer = Balances::transfer_allow_death(RuntimeOrigin::signed(1), NEWCOMER, BOND);
        assert_ok!(transfer);
        assert_noop!(
            attest(NEWCOMER, TASK, Attestation::Valid),
            pallet_agora_escrow::Error::<Test>::InsufficientBalance
        );
    });
}
