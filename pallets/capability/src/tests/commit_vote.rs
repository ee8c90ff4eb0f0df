use crate::{Error, Event, Votes, mock::*};
use agora_primitives::{judging::Attestation::Valid, participants::Role};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use sp_core::H256;

#[test]
fn keeps_the_commitment_with_the_weight_of_the_bond() {
    in_a_round(|| {
        respond(ALICE);
        let one = verifier(0);
        let done = commit(one, ALICE, Valid).unwrap();
        assert_eq!(done.pays_fee, Pays::No);
        let vote = Votes::<Test>::get((1, one, ALICE)).unwrap();
        assert_eq!((vote.weight, vote.commitment), (10, commitment(one, ALICE, Valid)));
        System::assert_last_event(
            Event::VoteCommitted {
                round: 1,
                worker: ALICE,
                verifier: one,
                weight: 10,
            }
            .into(),
        );
        assert_eq!((open_votes(one), response_of(ALICE).unwrap().weight), (1, 10));
        // One with more weighs more.
        assert_ok!(Registry::add_bond(signed(verifier(1)), Role::Verifier, 9 * VOTE_BOND));
        assert_ok!(commit(verifier(1), ALICE, Valid));
        assert_eq!(response_of(ALICE).unwrap().weight, 29);
        assert_eq!(round().most_weight, 29);
        respond(BOB);
        assert_ok!(commit(one, BOB, Valid));
        assert_eq!((open_votes(one), round().most_weight), (2, 29));
        // Nothing is decided by it, and nothing moved.
        assert_eq!((capability(ALICE), bond(one)), (1, BOND));
    });
}

#[test]
fn is_taken_until_the_last_block_of_voting() {
    in_a_round(|| {
        respond(ALICE);
        run_to(round().votes_close_at - 1);
        assert_ok!(commit(verifier(0), ALICE, Valid));
        run_to(round().votes_close_at);
        assert_noop!(commit(verifier(1), ALICE, Valid), Error::<Test>::VotingClosed);
        run_to(2 * PERIOD);
        let other_round = Capability::commit_vote(signed(verifier(1)), 1, ALICE, DIGEST, DIGEST);
        assert_noop!(other_round, Error::<Test>::NotCurrentRound);
    });
}

#[test]
fn is_taken_once_for_responses_of_others() {
    in_a_round(|| {
        respond(ALICE);
        assert_ok!(commit(verifier(0), ALICE, Valid));
        assert_noop!(commit(verifier(0), ALICE, Valid), Error::<Test>::AlreadyVoted);
        register(ALICE, Role::Verifier, BOND);
        assert_noop!(commit(ALICE, ALICE, Valid), Error::<Test>::OwnResponse);
    });
}

/// On another fork the worker may have responded with something else.
#[test]
fn is_for_the_response_that_was_checked() {
    in_a_round(|| {
        assert_noop!(commit(verifier(0), ALICE, Valid), Error::<Test>::NoResponse);
        respond(ALICE);
        let other = H256::repeat_byte(9);
        assert_noop!(
            Capability::commit_vote(signed(verifier(0)), 1, ALICE, other, DIGEST),
            Error::<Test>::OtherResponse
        );
    });
}

#[test]
fn is_for_active_verifiers_only() {
    in_a_round(|| {
        respond(ALICE);
        assert_noop!(
            commit(BOB, ALICE, Valid),
            pallet_agora_registry::Error::<Test>::NotRegistered
        );
        assert_ok!(Registry::ban(RuntimeOrigin::root(), verifier(0), None));
        assert_noop!(
            commit(verifier(0), ALICE, Valid),
            pallet_agora_registry::Error::<Test>::Banned
        );
    });
}

/// A bond of ten times what a vote can lose backs ten votes, and no more before they are settled.
#[test]
fn is_backed_by_a_part_of_the_bond_of_its_own() {
    in_a_round(|| {
        let workers: Vec<_> = (200..211).collect();
        for worker in &workers {
            register(*worker, Role::Worker, 0);
            respond(*worker);
        }
        let (last, others) = workers.split_last().unwrap();
        for worker in others {
            assert_ok!(commit(verifier(0), *worker, Valid));
        }
        assert_noop!(commit(verifier(0), *last, Valid), Error::<Test>::NoBondLeft);
        assert_ok!(Registry::add_bond(signed(verifier(0)), Role::Verifier, VOTE_BOND));
        assert_ok!(commit(verifier(0), *last, Valid));
        run_to_the_end();
        assert_eq!(open_votes(verifier(0)), 0);
        run_to(2 * PERIOD);
        respond(ALICE);
        assert_eq!(bond(verifier(0)), 0, "it has revealed nothing");
    });
}

#[test]
fn weighs_the_same_for_all_where_votes_cost_nothing() {
    in_a_round(|| {
        VoteBondOfChain::set(0);
        respond(ALICE);
        assert_ok!(commit(verifier(0), ALICE, Valid));
        assert_ok!(commit(verifier(1), ALICE, Valid));
        assert_eq!(response_of(ALICE).unwrap().weight, 2 * u64::from(u32::MAX));
        run_to_the_draw();
        assert!(drawn(verifier(0), ALICE) && drawn(verifier(1), ALICE));
    });
}
