use crate::{Error, Event, mock::*};
use agora_primitives::{
    capability::Decision,
    judging::Attestation::{Invalid, Valid},
    participants::Role,
};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};

#[test]
fn a_quorum_makes_the_capability_count() {
    in_a_round(|| {
        respond(ALICE);
        vote(ALICE, 1, 0);
        assert_eq!(capability(ALICE), 1);
        let done = Capability::vote(signed(FIRST_VERIFIER + 5), 1, ALICE, Valid).unwrap();
        assert_eq!(done.pays_fee, Pays::No);
        assert_eq!(capability(ALICE), DECLARED);
        assert_eq!(worker(ALICE).proven.unwrap().until, PERIOD + VALIDITY);
        System::assert_last_event(
            Event::CapabilityProven {
                worker: ALICE,
                capability: DECLARED,
                until: PERIOD + VALIDITY,
            }
            .into(),
        );
        assert_eq!(capability(BOB), 1);
    });
}

#[test]
fn a_quorum_against_it_takes_away_what_was_proven_before() {
    in_a_round(|| {
        respond(ALICE);
        vote(ALICE, 2, 0);
        run_to(2 * PERIOD);
        assert_eq!(capability(ALICE), DECLARED);
        respond(ALICE);
        vote(ALICE, 0, 2);
        assert_eq!(capability(ALICE), 1);
        System::assert_last_event(Event::CapabilityRefuted { worker: ALICE }.into());
    });
}

#[test]
fn honest_verifiers_overturn_what_colluding_ones_said() {
    in_a_round(|| {
        respond(ALICE);
        vote(ALICE, 2, 0);
        assert_eq!(capability(ALICE), DECLARED);
        for (honest, left) in [(8, DECLARED), (9, DECLARED), (6, 1)] {
            let done = Capability::vote(signed(FIRST_VERIFIER + honest), 1, ALICE, Invalid).unwrap();
            assert_eq!(done.pays_fee, Pays::No);
            // As many on both sides decide nothing.
            assert_eq!(capability(ALICE), left);
        }
        // And back, with one more.
        for honest in [5, 7] {
            assert_eq!(capability(ALICE), 1);
            assert_ok!(Capability::vote(signed(FIRST_VERIFIER + honest), 1, ALICE, Valid));
        }
        assert_eq!(capability(ALICE), DECLARED);
    });
}

#[test]
fn a_vote_that_changes_nothing_is_paid_for() {
    in_a_round(|| {
        respond(ALICE);
        vote(ALICE, 2, 0);
        let done = Capability::vote(signed(FIRST_VERIFIER + 5), 1, ALICE, Valid).unwrap();
        assert_eq!(done.pays_fee, Pays::Yes);
        respond(BOB);
        vote(BOB, 0, 2);
        let done = Capability::vote(signed(FIRST_VERIFIER + 5), 1, BOB, Invalid).unwrap();
        assert_eq!(done.pays_fee, Pays::Yes);
    });
}

#[test]
fn is_possible_until_the_next_round_opens() {
    in_a_round(|| {
        respond(ALICE);
        run_to(2 * PERIOD - 1);
        vote(ALICE, 2, 0);
        assert_eq!(capability(ALICE), DECLARED);
        response_of(ALICE).unwrap();
        run_to(2 * PERIOD);
        assert_noop!(
            Capability::vote(signed(FIRST_VERIFIER + 5), 1, ALICE, Valid),
            Error::<Test>::NotCurrentRound
        );
    });
}

#[test]
fn each_verifier_has_one_vote_on_responses_of_others() {
    in_a_round(|| {
        respond(ALICE);
        vote(ALICE, 1, 0);
        for said in [Valid, Invalid] {
            assert_noop!(
                Capability::vote(signed(FIRST_VERIFIER), 1, ALICE, said),
                Error::<Test>::AlreadyVoted
            );
        }
        register(ALICE, Role::Verifier);
        assert_noop!(
            Capability::vote(signed(ALICE), 1, ALICE, Valid),
            Error::<Test>::OwnResponse
        );
    });
}

#[test]
fn neither_side_can_take_the_places_of_the_other() {
    in_a_round(|| {
        respond(ALICE);
        vote(ALICE, 4, 0);
        assert_noop!(
            Capability::vote(signed(FIRST_VERIFIER + 4), 1, ALICE, Valid),
            Error::<Test>::TooManyVotes
        );
        for honest in 4..8 {
            assert_ok!(Capability::vote(signed(FIRST_VERIFIER + honest), 1, ALICE, Invalid));
        }
        assert_eq!(capability(ALICE), DECLARED, "as many on both sides decide nothing");
    });
}

/// Those who fill all places against a response, which they can whoever else votes: with as many in its favour, what was
/// proven stays, and a refutation that came first falls with it.
#[test]
fn a_full_side_refutes_nobody_whom_as_many_found_right() {
    in_a_round(|| {
        let places = 4;
        for worker in [ALICE, BOB] {
            respond(worker);
        }
        vote(ALICE, places, 0);
        vote_against(BOB, places);
        for attacker in verifiers().skip(places as usize).take(places as usize) {
            assert_ok!(Capability::vote(signed(attacker), 1, ALICE, Invalid));
        }
        assert_eq!(capability(ALICE), DECLARED);
        // Nothing was decided by the other side either: it only ceases to count against the worker.
        assert_eq!(capability(BOB), 1);
        for verifier in verifiers().take(places as usize) {
            assert_ok!(Capability::vote(signed(verifier), 1, BOB, Valid));
        }
        assert_eq!(response_of(BOB).unwrap().decision(2), Decision::Open);
    });
}

#[test]
fn needs_a_response_and_an_active_verifier() {
    in_a_round(|| {
        assert_noop!(
            Capability::vote(signed(FIRST_VERIFIER), 1, ALICE, Valid),
            Error::<Test>::NoResponse
        );
        respond(ALICE);
        assert_noop!(
            Capability::vote(signed(BOB), 1, ALICE, Valid),
            pallet_agora_registry::Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn a_worker_that_is_gone_is_passed_over() {
    in_a_round(|| {
        respond(ALICE);
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Worker));
        run_to(PERIOD + 2);
        assert_ok!(Registry::withdraw_bond(signed(ALICE), Role::Worker));
        vote(ALICE, 2, 0);
        vote_against(ALICE, 2);
    });
}

fn vote_against(worker: AccountId, votes: u64) {
    for verifier in verifiers().skip(5).take(votes as usize) {
        assert_ok!(Capability::vote(signed(verifier), 1, worker, Invalid));
    }
}
