use crate::{CurrentRound, Event, FirstKept, MAX_SWEPT, Responses, mock::*, types::Response};
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
fn forget_their_responses_bit_by_bit_when_they_are_over() {
    let responses = 2 * u64::from(MAX_SWEPT) + 5;
    let kept = || Responses::<Test>::iter_keys().count() as u64;
    let mut ext = new_test_ext();
    ext.execute_with(|| {
        run_to(PERIOD);
        for worker in 0..responses {
            Responses::<Test>::insert(1, worker, Response::new(1, H256::zero()));
        }
        run_to(2 * PERIOD);
        Responses::<Test>::insert(2, ALICE, Response::new(1, H256::zero()));
        // Not where the block is full.
        Capability::on_idle(System::block_number(), Weight::from_parts(1, 1));
        assert_eq!(kept(), responses + 1);
    });
    for left in [responses - 64, responses - 128, 0, 0] {
        // What is removed is counted in what earlier blocks wrote down.
        ext.commit_all().unwrap();
        ext.execute_with(|| {
            run_to(System::block_number() + 1);
            assert_eq!(kept(), left + 1);
        });
    }
    ext.execute_with(|| {
        assert_eq!(Responses::<Test>::iter_keys().collect::<Vec<_>>(), [(2, ALICE)]);
        assert_eq!(FirstKept::<Test>::get(), 2);
        check_state();
    });
}

#[test]
#[should_panic(expected = "WindowTooShort")]
fn cannot_be_shorter_than_three_blocks_at_genesis() {
    genesis(Some(crate::Schedule { window: 2, ..SCHEDULE }));
}
