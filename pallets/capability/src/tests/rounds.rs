use crate::{CurrentRound, Event, FirstKept, HardwareRound, PastRounds, mock::*};
use frame_support::assert_ok;

#[test]
fn open_every_period_with_another_seed() {
    new_test_ext().execute_with(|| {
        run_to(PERIOD - 1);
        assert_eq!(CurrentRound::<Test>::get(), None);
        run_to(PERIOD);
        let first = round();
        let expected = HardwareRound {
            number: 1,
            seed: first.seed,
            closes_at: PERIOD + WINDOW,
            window_ms: 18_000,
            votes_close_at: PERIOD + WINDOW + 12,
            ends_at: PERIOD + WINDOW + 12 + 1 + 10,
            proven_until: PERIOD + VALIDITY,
            quorum: QUORUM,
            seats: 16,
            most_weight: 0,
            draw: None,
        };
        assert_eq!(first, expected);
        System::assert_last_event(
            Event::RoundOpened {
                round: 1,
                seed: first.seed,
                closes_at: first.closes_at,
            }
            .into(),
        );
        run_to(2 * PERIOD - 1);
        assert_eq!(round().number, 1);
        run_to(2 * PERIOD);
        assert_eq!(round().number, 2);
        assert_ne!(round().seed, first.seed);
        check_state();
    });
}

/// Between the last commitment and the draw there is a block in which nothing is taken, so that no author who makes two blocks in a row
/// knows the draw while it can still add votes.
#[test]
fn are_drawn_once_in_the_second_block_without_commitments() {
    in_a_round(|| {
        let undrawn = round();
        run_to(undrawn.votes_close_at);
        assert_eq!(round(), undrawn);
        run_to(undrawn.votes_close_at + 1);
        let draw = round().draw.unwrap();
        System::assert_last_event(Event::VotesDrawn { round: 1, draw }.into());
        assert_ne!(draw, undrawn.seed);
        run_to(2 * PERIOD - 1);
        assert_eq!(round().draw, Some(draw));
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

/// A schedule that is set meanwhile cannot cut a round off: votes would never be drawn, nor bonds be released.
#[test]
fn do_not_open_before_the_last_one_is_over() {
    in_a_round(|| {
        respond(ALICE);
        let votes = vote(ALICE, 3, 0);
        let ends_at = round().ends_at;
        let shorter = crate::Schedule {
            period: 14,
            window: 3,
            voting: 3,
            revealing: 3,
            ..SCHEDULE
        };
        assert_ok!(Capability::set_schedule(RuntimeOrigin::root(), Some(shorter)));
        run_to_the_draw();
        reveal_drawn(ALICE, &votes);
        run_to(ends_at);
        assert_eq!((ends_at, round().number), (69, 1));
        run_to(70);
        assert_eq!(round().number, 2);
        run_to(72);
        assert_eq!(capability(ALICE), DECLARED);
    });
}

/// When rounds have ended for good, the last one is settled all the same.
#[test]
fn are_settled_though_no_other_follows() {
    in_a_round(|| {
        respond(ALICE);
        let votes = vote(ALICE, 3, 0);
        assert_ok!(Capability::set_schedule(RuntimeOrigin::root(), None));
        run_to_the_draw();
        reveal_drawn(ALICE, &votes);
        run_to_the_end();
        assert_eq!(
            (capability(ALICE), open_votes(verifier(0)), fees(ALICE)),
            (DECLARED, 0, 0)
        );
        assert_eq!(FirstKept::<Test>::get(), 2);
        // And they begin again with the next number.
        assert_ok!(Capability::set_schedule(RuntimeOrigin::root(), Some(SCHEDULE)));
        run_to(2 * PERIOD);
        assert_eq!((round().number, PastRounds::<Test>::iter().count()), (2, 0));
        decide(ALICE, 3, 0);
        assert_eq!(FirstKept::<Test>::get(), 3);
    });
}

#[test]
#[should_panic(expected = "WindowTooShort")]
fn cannot_be_shorter_than_three_blocks_at_genesis() {
    genesis(Some(crate::Schedule { window: 2, ..SCHEDULE }));
}
