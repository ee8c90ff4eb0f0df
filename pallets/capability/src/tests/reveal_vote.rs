use crate::{Error, Event, Schedule, Votes, mock::*};
use agora_primitives::judging::Attestation::{Invalid, Valid};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};

#[test]
fn counts_the_vote() {
    in_a_round(|| {
        respond(ALICE);
        vote(ALICE, 1, 1);
        run_to_the_draw();
        let done = reveal(verifier(0), ALICE, Valid).unwrap();
        assert_eq!(done.pays_fee, Pays::No);
        System::assert_last_event(
            Event::Voted {
                round: 1,
                worker: ALICE,
                verifier: verifier(0),
                vote: Valid,
            }
            .into(),
        );
        assert_ok!(reveal(verifier(1), ALICE, Invalid));
        let response = response_of(ALICE).unwrap();
        assert_eq!(response.votes.to_vec(), [(verifier(0), Valid), (verifier(1), Invalid)]);
        // The bond is at stake until the round is settled.
        assert_eq!((Votes::<Test>::iter().count(), open_votes(verifier(0))), (0, 1));
    });
}

#[test]
fn is_possible_after_the_draw_and_before_the_end() {
    in_a_round(|| {
        respond(ALICE);
        vote(ALICE, 3, 0);
        for block in [PERIOD, round().votes_close_at] {
            run_to(block);
            assert_noop!(reveal(verifier(0), ALICE, Valid), Error::<Test>::NotRevealing);
        }
        run_to_the_draw();
        assert_ok!(reveal(verifier(0), ALICE, Valid));
        run_to(round().ends_at - 1);
        assert_ok!(reveal(verifier(1), ALICE, Valid));
        run_to(round().ends_at);
        assert_noop!(reveal(verifier(2), ALICE, Valid), Error::<Test>::NotRevealing);
        run_to(2 * PERIOD);
        let late = Capability::reveal_vote(signed(verifier(2)), 1, ALICE, Valid, salt_of(verifier(2)));
        assert_noop!(late, Error::<Test>::NotCurrentRound);
    });
}

#[test]
fn is_of_what_was_committed_to_and_by_whom() {
    in_a_round(|| {
        respond(ALICE);
        vote(ALICE, 2, 0);
        run_to_the_draw();
        assert_noop!(reveal(verifier(0), ALICE, Invalid), Error::<Test>::OtherVote);
        assert_noop!(
            Capability::reveal_vote(signed(verifier(0)), 1, ALICE, Valid, salt_of(verifier(1))),
            Error::<Test>::OtherVote
        );
        assert_noop!(reveal(verifier(5), ALICE, Valid), Error::<Test>::NoVote);
        assert_noop!(reveal(verifier(0), BOB, Valid), Error::<Test>::NoVote);
        assert_ok!(reveal(verifier(0), ALICE, Valid));
        assert_noop!(reveal(verifier(0), ALICE, Valid), Error::<Test>::NoVote);
    });
}

/// Who repeats another's commitment cannot reveal it: the account is in it.
#[test]
fn nobody_can_copy_a_vote_that_is_not_revealed() {
    in_a_round(|| {
        respond(ALICE);
        let (looker, copier) = (verifier(0), verifier(1));
        let seen = commitment(looker, ALICE, Valid);
        assert_ok!(commit(looker, ALICE, Valid));
        assert_ok!(Capability::commit_vote(signed(copier), 1, ALICE, DIGEST, seen));
        run_to_the_draw();
        // It may see the vote and the salt before it reveals.
        assert_ok!(reveal(looker, ALICE, Valid));
        for vote in [Valid, Invalid] {
            let copied = Capability::reveal_vote(signed(copier), 1, ALICE, vote, salt_of(looker));
            assert_noop!(copied, Error::<Test>::OtherVote);
        }
        run_to_the_end();
        assert_eq!((bond(looker), bond(copier)), (BOND, BOND - VOTE_BOND));
    });
}

#[test]
fn is_refused_to_those_that_were_not_drawn() {
    let schedule = Schedule {
        seats: 2,
        quorum: 1,
        ..SCHEDULE
    };
    in_a_round_of(schedule, || {
        respond(ALICE);
        respond(BOB);
        vote(ALICE, 10, 0);
        vote(BOB, 10, 0);
        run_to_the_draw();
        let (mut in_draw, mut out) = (0, 0);
        for worker in [ALICE, BOB] {
            for verifier in verifiers() {
                if drawn(verifier, worker) {
                    in_draw += 1;
                    assert_ok!(reveal(verifier, worker, Valid));
                } else {
                    out += 1;
                    assert_noop!(reveal(verifier, worker, Valid), Error::<Test>::NotDrawn);
                }
            }
        }
        // Two of ten, on average; the mock's draw is the same in each run.
        assert!((1..=10).contains(&in_draw) && out > 0, "{in_draw} of {}", in_draw + out);
        run_to_the_end();
        assert!(verifiers().all(|verifier| bond(verifier) == BOND && open_votes(verifier) == 0));
    });
}

/// Where more were drawn than there are places, those without a place lose nothing.
#[test]
fn costs_nothing_where_all_places_are_taken() {
    in_a_round(|| {
        respond(ALICE);
        vote(ALICE, 6, 0);
        run_to_the_draw();
        for index in 0..4 {
            assert_ok!(reveal(verifier(index), ALICE, Valid));
        }
        MaxVotes::set(4);
        assert_noop!(reveal(verifier(4), ALICE, Valid), Error::<Test>::TooManyVotes);
        run_to_the_end();
        assert_eq!((bond(verifier(4)), bond(verifier(5))), (BOND, BOND));
        MaxVotes::set(64);
        assert_eq!(capability(ALICE), DECLARED);
    });
}
