use crate::{Error, Event, mock::*};
use agora_primitives::{
    judging::{Attestation, Judge, Reveals, Ruling, Said, Tally},
    participants::TotalStake,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::DispatchError;
use std::collections::BTreeMap;

#[test]
fn holds_the_bond_and_takes_it_down() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        System::reset_events();
        assert_ok!(attest(1, TASK, Attestation::Valid));
        assert_eq!(
            events(),
            [Event::AttestationCommitted {
                task: TASK,
                verifier: 1,
            }]
        );
        assert_eq!((bond_of(1, TASK), free(1)), (BOND, ENDOWMENT - BOND));
        let attestations = window(TASK).unwrap().attestations;
        let hash = commitment_to(1, TASK, Attestation::Valid, Some(root(1, TASK, &output())));
        assert!(attestations.iter().eq(&[(1, Said::Hidden(hash))]));
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
        // What they say is hidden, and who they are is not.
        assert_eq!(Judging::tally(TASK), Tally::default());
        assert_eq!(
            (Judging::attesters(TASK), Judging::attesters(OTHER_TASK)),
            (vec![1, 2], vec![1])
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
fn is_possible_for_as_much_longer_as_blocks_were_full() {
    ExtBuilder::default().build_and_execute(|| {
        // Those before it count for nothing.
        Full::set(5);
        open(TASK);
        assert_eq!(Judging::appeal_until(TASK), Some(UNTIL));
        Full::set(8);
        assert_eq!(Judging::appeal_until(TASK), Some(UNTIL + 3));
        System::set_block_number(UNTIL + 3);
        assert_ok!(attest(1, TASK, Attestation::Valid));
        assert_eq!(Judging::reveals(TASK), Reveals::Undrawn { from: UNTIL + 5 });
        System::set_block_number(UNTIL + 4);
        Judging::draw_chunks(TASK, DRAW);
        assert_eq!(window(TASK).unwrap().draw, None, "the other's block was not over");
        assert_noop!(attest(2, TASK, Attestation::Valid), Error::<Test>::WindowClosed);
        System::set_block_number(UNTIL + 5);
        Judging::draw_chunks(TASK, DRAW);
        assert_ok!(reveal(1, TASK, Attestation::Valid));
    });
}

#[test]
fn is_not_possible_for_ever_however_many_blocks_are_full() {
    ExtBuilder::default().build_and_execute(|| {
        open(TASK);
        Full::set(1_000_000);
        // Opened in the block in which the chain of the tests begins.
        let window = UNTIL - System::block_number();
        let last = UNTIL + 12 * window;
        assert_eq!(Judging::appeal_until(TASK), Some(last));
        System::set_block_number(last + 1);
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
                Judging::commit_attestation(origin, TASK, H256::zero()),
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
fn fails_when_all_places_are_taken_whatever_is_said() {
    ExtBuilder::default().places(4).build_and_execute(|| {
        open(TASK);
        for who in 1..=4 {
            assert_ok!(attest(who, TASK, Attestation::of(who == 1)));
        }
        for attestation in [Attestation::Valid, Attestation::Invalid] {
            assert_noop!(attest(5, TASK, attestation), Error::<Test>::TooManyAttestations);
        }
    });
}

/// As many tasks as are enough to see who is drawn.
fn seats_of(who: AccountId) -> usize {
    let mut seats = 0;
    for number in 0..200 {
        let task = agora_primitives::TaskId(1_000 + number);
        match commit_to(who, task, H256::zero()) {
            Ok(()) => seats += 1,
            Err(error) => assert_eq!(error, Error::<Test>::NotDrawn.into()),
        }
    }
    seats
}

fn open_many() {
    for number in 0..200 {
        let free_of_charge = agora_primitives::judging::AppealTerms { bond: 0, ..terms() };
        let task = agora_primitives::TaskId(1_000 + number);
        assert_ok!(Judging::open_appeal_window(task, free_of_charge));
    }
}

#[test]
fn fails_for_who_is_not_drawn_and_seats_are_as_many_as_the_bond_is_worth() {
    ExtBuilder::default().build_and_execute(|| {
        Seats::set(2);
        // One has a quarter of all bonds, another an eighth; the third is none of the verifiers that were there.
        Total::set(TotalStake {
            verifiers: 9,
            weight: 8_000,
        });
        Weights::set(BTreeMap::from([(1, (2_000, 0)), (2, (1_000, 0)), (3, (0, 0))]));
        open_many();
        let seats = [1, 2, 3].map(seats_of);
        assert!((75..=125).contains(&seats[0]), "{seats:?}");
        assert!((25..=75).contains(&seats[1]), "{seats:?}");
        assert_eq!(seats[2], 0);
    });
}

#[test]
fn a_bond_in_many_accounts_has_no_more_seats_than_in_one() {
    ExtBuilder::default().build_and_execute(|| {
        Seats::set(2);
        Total::set(TotalStake {
            verifiers: 9,
            weight: 8_000,
        });
        Weights::set((1..=10).map(|who| (who, (200, 0))).collect());
        open_many();
        let seats: usize = (1..=10).map(seats_of).sum();
        assert!((70..=130).contains(&seats), "{seats}");
    });
}

#[test]
fn everybody_is_drawn_where_there_are_no_more_than_seats() {
    ExtBuilder::default().build_and_execute(|| {
        Total::set(TotalStake {
            verifiers: MANY_SEATS,
            weight: u64::MAX,
        });
        open(TASK);
        Total::set(TotalStake {
            verifiers: MANY_SEATS + 1,
            weight: u64::MAX,
        });
        open(OTHER_TASK);
        for who in 1..=VERIFIERS {
            assert_ok!(attest(who, TASK, Attestation::Valid));
            assert_noop!(attest(who, OTHER_TASK, Attestation::Valid), Error::<Test>::NotDrawn);
        }
    });
}

#[test]
fn a_bond_that_came_with_the_seed_or_after_it_buys_no_seat() {
    ExtBuilder::default().build_and_execute(|| {
        System::set_block_number(7);
        Weights::set(BTreeMap::from([(1, (9, 6)), (2, (9, 7)), (3, (9, 8))]));
        open(TASK);
        System::set_block_number(9);
        assert!(Judging::may_attest(TASK, 1) && !Judging::may_attest(TASK, 2));
        assert_ok!(attest(1, TASK, Attestation::Valid));
        for who in [2, 3] {
            assert_noop!(attest(who, TASK, Attestation::Valid), Error::<Test>::NotDrawn);
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
