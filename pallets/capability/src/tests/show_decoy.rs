use crate::{Error, Event, Responses, SlashReason, mock::*};
use agora_primitives::{
    capability::{challenge_job, decoy_mark},
    job::{BlobRef, ChunkProof, Limits as _},
    judging::Attestation::Valid,
};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use sp_core::H256;

const SECRET: [u8; 32] = [5; 32];
const HALF: Balance = VOTE_BOND / 2;

/// The output of a decoy of `who`, as long as the right one.
fn decoy_of(who: AccountId) -> Vec<u8> {
    let job = challenge_job(round().seed, &who, DECLARED, round().window_ms);
    let mut output = vec![7; job.max_output_bytes() as usize];
    output[..32].copy_from_slice(&decoy_mark(round().seed, &who, &SECRET));
    output
}

/// Responds with a decoy, and returns what shows that it is one.
fn respond_with_a_decoy(who: AccountId) -> ChunkProof {
    let output = decoy_of(who);
    assert_ok!(Capability::respond(
        signed(who),
        round().number,
        BlobRef::to(&output).hash
    ));
    ChunkProof::new(&output, 0).unwrap()
}

fn show(who: AccountId, proof: &ChunkProof) -> frame_support::dispatch::DispatchResultWithPostInfo {
    Capability::show_decoy(signed(who), round().number, SECRET, proof.clone())
}

/// Whoever votes without looking is caught, however many they are: the chain sees for itself that the response is wrong.
#[test]
fn those_who_never_look_pay_however_many_they_are() {
    in_a_round(|| {
        let before = Balances::total_issuance();
        let proof = respond_with_a_decoy(ALICE);
        // Nine do not look, and one does.
        let votes = vote(ALICE, 9, 1);
        run_to_the_draw();
        reveal_drawn(ALICE, &votes);
        let done = show(ALICE, &proof).unwrap();
        assert_eq!(done.pays_fee, Pays::No);
        System::assert_last_event(
            Event::DecoyShown {
                round: 1,
                worker: ALICE,
            }
            .into(),
        );
        run_to_the_end();
        System::assert_has_event(Event::CapabilityRefuted { worker: ALICE }.into());
        for index in 0..9 {
            assert_eq!(bond(verifier(index)), BOND - VOTE_BOND);
            System::assert_has_event(
                Event::VoterSlashed {
                    round: 1,
                    worker: ALICE,
                    verifier: verifier(index),
                    amount: VOTE_BOND,
                    reason: SlashReason::Wrong,
                }
                .into(),
            );
        }
        // Half of the penalties for who has set the trap, the fee for who has looked.
        assert_eq!(wealth(ALICE), ENDOWMENT + 9 * HALF - FEE);
        assert_eq!(wealth(verifier(9)), ENDOWMENT + FEE);
        assert_eq!(before - Balances::total_issuance(), 9 * (VOTE_BOND - HALF));
    });
}

#[test]
fn who_looks_loses_nothing_by_a_decoy_and_who_sets_one_for_them_pays_the_fee() {
    in_a_round(|| {
        let proof = respond_with_a_decoy(ALICE);
        let votes = vote(ALICE, 0, 4);
        run_to_the_draw();
        reveal_drawn(ALICE, &votes);
        assert_ok!(show(ALICE, &proof));
        run_to_the_end();
        assert_eq!((capability(ALICE), wealth(ALICE)), (1, ENDOWMENT - FEE));
        assert!(
            votes
                .iter()
                .all(|(verifier, _)| wealth(*verifier) == ENDOWMENT + FEE / 4)
        );
    });
}

/// Nor does a decoy that nobody has looked at cost anything, and no quorum is asked for.
#[test]
fn evidence_needs_no_votes() {
    in_a_round(|| {
        decide(ALICE, 2, 0);
        run_to(2 * PERIOD);
        let wealth_before = wealth(ALICE);
        let proof = respond_with_a_decoy(ALICE);
        run_to_the_draw();
        assert_ok!(show(ALICE, &proof));
        run_to_the_end();
        assert_eq!((capability(ALICE), wealth(ALICE)), (1, wealth_before));
    });
}

#[test]
fn is_possible_after_the_draw_and_before_the_end() {
    in_a_round(|| {
        let proof = respond_with_a_decoy(ALICE);
        for block in [PERIOD, round().votes_close_at] {
            run_to(block);
            assert_noop!(show(ALICE, &proof), Error::<Test>::NotRevealing);
        }
        run_to(round().ends_at);
        assert_noop!(show(ALICE, &proof), Error::<Test>::NotRevealing);
        run_to(2 * PERIOD);
        let late = Capability::show_decoy(signed(ALICE), 1, SECRET, proof);
        assert_noop!(late, Error::<Test>::NotCurrentRound);
    });
}

/// Nobody calls a right response a decoy to take the bonds of those who found it right, and nobody shows that of another.
#[test]
fn nothing_else_is_a_decoy() {
    in_a_round(|| {
        let proof = respond_with_a_decoy(ALICE);
        // What Bob has responded with is not marked, and Alice's mark is not his.
        let right = vec![7; decoy_of(BOB).len()];
        assert_ok!(Capability::respond(signed(BOB), 1, BlobRef::to(&right).hash));
        run_to_the_draw();
        for wrong in [proof.clone(), ChunkProof::new(&right, 0).unwrap()] {
            assert_noop!(show(BOB, &wrong), Error::<Test>::NoDecoy);
        }
        assert_noop!(show(verifier(0), &proof), Error::<Test>::NoResponse);
        let mut other_chunk = proof.clone();
        other_chunk.chunk[100] ^= 1;
        let mut other_place = proof.clone();
        other_place.index = 1;
        let mut longer = proof.clone();
        longer.siblings.push(H256::zero());
        for wrong in [other_chunk, other_place, longer] {
            assert_noop!(show(ALICE, &wrong), Error::<Test>::NoDecoy);
        }
        let other_secret = Capability::show_decoy(signed(ALICE), 1, [6; 32], proof.clone());
        assert_noop!(other_secret, Error::<Test>::NoDecoy);
        assert_ok!(show(ALICE, &proof));
        assert_noop!(show(ALICE, &proof), Error::<Test>::AlreadyShown);
        assert!(!Responses::<Test>::get(1, BOB).unwrap().is_decoy);
    });
}

/// Who sees that a trap was set, and says nothing then, pays as much.
#[test]
fn silence_after_a_decoy_was_shown_costs_the_same() {
    in_a_round(|| {
        let proof = respond_with_a_decoy(ALICE);
        assert_ok!(commit(verifier(0), ALICE, Valid));
        run_to_the_draw();
        assert_ok!(show(ALICE, &proof));
        run_to_the_end();
        assert_eq!(bond(verifier(0)), BOND - VOTE_BOND);
    });
}
