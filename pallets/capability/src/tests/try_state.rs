//! The check of the state finds what is broken.

use crate::{
    CurrentRound, CurrentSchedule, FirstKept, OpenVotes, PastRounds, ResponseOf, Responses, Schedule, Vote, Votes,
    mock::*,
};
use agora_primitives::judging::Attestation::Valid;
use frame_support::assert_ok;
use sp_core::H256;

/// Breaks the state of a round with a response of Alice and three votes, of which `break_it` may reveal some.
fn finds(broken: &str, break_it: impl FnOnce()) {
    in_a_round_and(broken, || {
        respond(ALICE);
        vote(ALICE, 3, 0);
        run_to_the_draw();
        assert_ok!(reveal(verifier(0), ALICE, Valid));
        check_state();
        break_it();
    });
}

fn in_a_round_and(broken: &str, break_it: impl FnOnce()) {
    genesis(Some(SCHEDULE)).execute_with(|| {
        use agora_primitives::participants::Role;
        register(ALICE, Role::Worker, 0);
        for verifier in verifiers() {
            register(verifier, Role::Verifier, BOND);
        }
        run_to(PERIOD);
        break_it();
        let found = format!("{:?}", Capability::do_try_state().unwrap_err());
        assert!(found.contains(broken), "{found}");
    });
}

fn with_response(change: impl FnOnce(&mut ResponseOf<Test>)) {
    Responses::<Test>::mutate(1, ALICE, |response| change(response.as_mut().unwrap()));
}

#[test]
fn an_impossible_schedule() {
    finds("schedule", || {
        CurrentSchedule::<Test>::put(Schedule { quorum: 0, ..SCHEDULE })
    });
}

#[test]
fn rounds_that_are_not_past() {
    let past = |number| {
        let round = crate::HardwareRound {
            number,
            ends_at: 1,
            ..round()
        };
        PastRounds::<Test>::insert(number, round);
    };
    finds("past round", || past(1));
    finds("past round", || {
        CurrentRound::<Test>::put(crate::HardwareRound { number: 9, ..round() });
        FirstKept::<Test>::put(3);
        past(2);
    });
    finds("past round", || {
        CurrentRound::<Test>::put(crate::HardwareRound { number: 2, ..round() });
        PastRounds::<Test>::insert(1, crate::HardwareRound { number: 1, ..round() });
    });
    finds("past round", || {
        CurrentRound::<Test>::put(crate::HardwareRound { number: 9, ..round() });
        PastRounds::<Test>::insert(
            3,
            crate::HardwareRound {
                number: 4,
                ends_at: 1,
                ..round()
            },
        );
    });
}

#[test]
fn responses_of_rounds_to_come_or_settled() {
    let other = |round| Responses::<Test>::insert(round, BOB, ResponseOf::<Test>::new(1, DIGEST, 0));
    finds("not kept", || other(2));
    finds("not kept", || {
        FirstKept::<Test>::put(1);
        other(0);
    });
    finds("unknown round", || other(0));
}

#[test]
fn votes_without_a_response_or_on_ones_own() {
    let vote = Vote {
        weight: 1,
        commitment: H256::zero(),
    };
    finds("without a response", || {
        Votes::<Test>::insert((1, verifier(0), BOB), vote)
    });
    finds("one's own", || Votes::<Test>::insert((1, ALICE, ALICE), vote));
    finds("one's own", || {
        with_response(|response| response.votes.try_push((ALICE, Valid)).unwrap());
    });
}

#[test]
fn weights_that_do_not_add_up() {
    finds("weigh more or less", || with_response(|response| response.weight = 19));
    finds("the one that has most", || {
        with_response(|response| response.weight = 31)
    });
    in_a_round_and("weigh more or less", || {
        respond(ALICE);
        vote(ALICE, 3, 0);
        check_state();
        with_response(|response| response.weight = 29);
    });
}

#[test]
fn votes_that_count_twice() {
    finds("counts twice", || {
        with_response(|response| response.votes.try_push((verifier(0), Valid)).unwrap());
    });
    finds("counts and is kept", || {
        with_response(|response| response.votes.try_push((verifier(1), Valid)).unwrap());
    });
}

#[test]
fn open_votes_that_are_not_counted() {
    finds("open votes", || OpenVotes::<Test>::insert(verifier(0), 2));
    finds("open votes", || OpenVotes::<Test>::remove(verifier(0)));
    finds("open votes", || OpenVotes::<Test>::insert(verifier(9), 1));
}

#[test]
fn fees_that_are_not_held() {
    finds("fees", || with_response(|response| response.fee += 1));
}
