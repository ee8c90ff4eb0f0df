use crate::{Answers, CurrentRound, Event, FirstKept, MAX_SWEPT, mock::*, types::Answer};
use frame_support::{traits::Hooks, weights::Weight};
use sp_core::H256;

#[test]
fn open_every_period_with_another_seed() {
    new_test_ext().execute_with(|| {
        run_to(PERIOD - 1);
        assert_eq!(CurrentRound::<Test>::get(), None);
        run_to(PERIOD);
        let first = round();
        assert_eq!(first.number, 1);
        assert_eq!(first.closes_at, PERIOD + WINDOW);
        assert_eq!(first.window_ms, 18_000);
        assert_eq!(first.proven_until, PERIOD + VALIDITY);
        assert_eq!(first.quorum, QUORUM);
        System::assert_last_event(
            Event::RoundOpened {
                round: 1,
                seed: first.seed,
                closes_at: first.closes_at,
            }
            .into(),
        );
        run_to(2 * PERIOD - 1);
        assert_eq!(round(), first);
        run_to(2 * PERIOD);
        assert_eq!(round().number, 2);
        assert_ne!(round().seed, first.seed);
        check_state();
    });
}

#[test]
fn are_not_held_without_a_schedule() {
    genesis(None).execute_with(|| {
        run_to(3 * PERIOD);
        assert_eq!(CurrentRound::<Test>::get(), None);
        check_state();
    });
}

#[test]
fn forget_their_answers_bit_by_bit_when_they_are_over() {
    let answers = 2 * u64::from(MAX_SWEPT) + 5;
    let kept = || Answers::<Test>::iter_keys().count() as u64;
    let mut ext = new_test_ext();
    ext.execute_with(|| {
        run_to(PERIOD);
        for worker in 0..answers {
            Answers::<Test>::insert(1, worker, Answer::new(1, H256::zero()));
        }
        run_to(2 * PERIOD);
        Answers::<Test>::insert(2, ALICE, Answer::new(1, H256::zero()));
        // Not where the block is full.
        Capability::on_idle(System::block_number(), Weight::from_parts(1, 1));
        assert_eq!(kept(), answers + 1);
    });
    for left in [answers - 64, answers - 128, 0, 0] {
        // What is removed is counted in what earlier blocks wrote down.
        ext.commit_all().unwrap();
        ext.execute_with(|| {
            run_to(System::block_number() + 1);
            assert_eq!(kept(), left + 1);
        });
    }
    ext.execute_with(|| {
        assert_eq!(Answers::<Test>::iter_keys().collect::<Vec<_>>(), [(2, ALICE)]);
        assert_eq!(FirstKept::<Test>::get(), 2);
        check_state();
    });
}

#[test]
#[should_panic(expected = "WindowTooShort")]
fn cannot_be_shorter_than_three_blocks_at_genesis() {
    genesis(Some(crate::Schedule { window: 2, ..SCHEDULE }));
}

#[test]
#[should_panic(expected = "even and at least 2")]
fn need_places_for_both_sides() {
    new_test_ext().execute_with(|| {
        MaxAttestations::set(3);
        Capability::integrity_test();
    });
}
