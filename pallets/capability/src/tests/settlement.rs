//! What becomes of responses, votes and money when a round is over.

use crate::{Error, Event, MAX_STEPS, MAX_SWEPT, PastRounds, Responses, SlashReason, Votes, mock::*};
use agora_primitives::{
    judging::Attestation::{self, Valid},
    participants::Role,
};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};
use proptest::prelude::*;

/// What a loser loses, and what half of that its winner gets.
const HALF: Balance = VOTE_BOND / 2;

fn slashed(verifier: AccountId, reason: SlashReason) -> RuntimeEvent {
    Event::VoterSlashed {
        round: 1,
        worker: ALICE,
        verifier,
        amount: VOTE_BOND,
        reason,
    }
    .into()
}

#[test]
fn a_majority_of_the_votes_makes_the_capability_count() {
    in_a_round(|| {
        decide(ALICE, 3, 0);
        assert_eq!(capability(ALICE), DECLARED);
        assert_eq!(worker(ALICE).proven.unwrap().until, PERIOD + VALIDITY);
        System::assert_has_event(
            Event::CapabilityProven {
                worker: ALICE,
                capability: DECLARED,
                until: PERIOD + VALIDITY,
            }
            .into(),
        );
        // The fee is divided, rounded down; the rest goes back.
        for index in 0..3 {
            assert_eq!(wealth(verifier(index)), ENDOWMENT + FEE / 3);
        }
        assert_eq!((fees(ALICE), wealth(ALICE)), (0, ENDOWMENT - 3 * (FEE / 3)));
        assert_eq!(capability(BOB), 1);
        assert_eq!(response_of(ALICE), None);
    });
}

#[test]
fn a_majority_against_it_takes_away_what_was_proven_before() {
    in_a_round(|| {
        decide(ALICE, 2, 0);
        run_to(2 * PERIOD);
        assert_eq!(capability(ALICE), DECLARED);
        decide(ALICE, 0, 2);
        assert_eq!(capability(ALICE), 1);
        System::assert_has_event(Event::CapabilityRefuted { worker: ALICE }.into());
    });
}

#[test]
fn the_smaller_side_pays_the_larger_and_half_is_burned() {
    in_a_round(|| {
        let before = Balances::total_issuance();
        decide(ALICE, 3, 2);
        assert_eq!(capability(ALICE), DECLARED);
        // Two losers for three winners: the first two in turn.
        let gained = [FEE / 3 + HALF, FEE / 3 + HALF, FEE / 3];
        for (index, gained) in (0..).zip(gained) {
            assert_eq!(wealth(verifier(index)), ENDOWMENT + gained);
        }
        for index in 3..5 {
            assert_eq!(
                (bond(verifier(index)), wealth(verifier(index))),
                (BOND - VOTE_BOND, ENDOWMENT - VOTE_BOND)
            );
            System::assert_has_event(slashed(verifier(index), SlashReason::Wrong));
        }
        assert_eq!(before - Balances::total_issuance(), 2 * (VOTE_BOND - HALF));
    });
}

#[test]
fn ties_and_too_few_decide_nothing_and_cost_nothing() {
    for (valid, invalid) in [(2, 2), (1, 0), (0, 1), (0, 0)] {
        in_a_round(|| {
            decide(ALICE, 2, 0);
            run_to(2 * PERIOD);
            let wealth = || verifiers().chain([ALICE]).map(wealth).collect::<Vec<_>>();
            let before = wealth();
            decide(ALICE, valid, invalid);
            assert_eq!(wealth(), before, "{valid} against {invalid}");
            assert_eq!(capability(ALICE), DECLARED, "what counted before stays");
            System::assert_has_event(
                Event::ResponseUndecided {
                    round: 2,
                    worker: ALICE,
                }
                .into(),
            );
        });
    }
}

#[test]
fn a_vote_that_was_drawn_and_not_revealed_is_paid_for_to_the_treasury() {
    in_a_round(|| {
        let treasury = wealth(TREASURY);
        respond(ALICE);
        let votes = vote(ALICE, 4, 0);
        run_to_the_draw();
        reveal_drawn(ALICE, &votes[..3]);
        run_to_the_end();
        assert_eq!(capability(ALICE), DECLARED);
        System::assert_has_event(slashed(verifier(3), SlashReason::Silent));
        assert_eq!(
            (bond(verifier(3)), wealth(TREASURY)),
            (BOND - VOTE_BOND, treasury + VOTE_BOND)
        );
    });
}

/// Silence costs as much as a wrong vote, also where nothing is decided: else those who see that they are losing would say nothing.
#[test]
fn nobody_can_wait_for_the_others_and_then_say_nothing() {
    in_a_round(|| {
        respond(ALICE);
        let votes = vote(ALICE, 2, 2);
        run_to_the_draw();
        reveal_drawn(ALICE, &votes[..2]);
        run_to_the_end();
        assert_eq!(capability(ALICE), DECLARED);
        for index in 2..4 {
            assert_eq!(bond(verifier(index)), BOND - VOTE_BOND);
        }
    });
}

#[test]
fn a_bond_that_is_less_than_the_penalty_is_lost_and_no_more() {
    in_a_round(|| {
        respond(ALICE);
        let votes = vote(ALICE, 3, 1);
        run_to_the_draw();
        reveal_drawn(ALICE, &votes);
        // Left in the meantime, with all but a part of the bond: as if it had been cut elsewhere.
        use agora_primitives::money::{Escrow as _, Purpose, Scope};
        let loser = verifier(3);
        assert_ok!(Escrow::release(
            Purpose::RoleBond,
            Scope::Role(Role::Verifier),
            &loser,
            BOND - 7
        ));
        run_to_the_end();
        assert_eq!((bond(loser), wealth(loser)), (0, ENDOWMENT - 7));
        assert_eq!(wealth(verifier(0)), ENDOWMENT + FEE / 3 + 3);
    });
}

#[test]
fn a_worker_that_is_gone_is_passed_over() {
    in_a_round(|| {
        respond(ALICE);
        let votes = vote(ALICE, 3, 0);
        assert_ok!(Registry::request_exit(signed(ALICE), Role::Worker));
        run_to(PERIOD + 2);
        assert_ok!(Registry::withdraw_bond(signed(ALICE), Role::Worker));
        run_to_the_draw();
        reveal_drawn(ALICE, &votes);
        run_to_the_end();
        assert_eq!(fees(ALICE), 0);
        assert_noop!(reveal(verifier(0), ALICE, Valid), Error::<Test>::NotRevealing);
    });
}

/// Votes first, then responses, both in steps that a block has room for; other rounds go on meanwhile.
#[test]
fn is_done_bit_by_bit_in_the_order_of_rounds() {
    let responses = 3 * u64::from(MAX_STEPS);
    in_a_round(|| {
        for worker in 200..200 + responses {
            register(worker, Role::Worker, 0);
            respond(worker);
        }
        VoteBondOfChain::set(VOTE_BOND / 100);
        for worker in 200..200 + responses {
            for index in 0..4 {
                assert_ok!(commit(verifier(index), worker, Valid));
            }
        }
        run_to_the_draw();
        let left = || {
            (
                Votes::<Test>::iter_keys().count() as u64,
                Responses::<Test>::iter_keys().count() as u64,
            )
        };
        let (mut now, ends_at) = (System::block_number(), round().ends_at);
        while now < 2 * PERIOD {
            // No room in the blocks.
            Capability::on_idle(now, Weight::from_parts(1, 1));
            now += 1;
            System::set_block_number(now);
            Capability::on_initialize(now);
        }
        assert!(now > ends_at);
        assert_eq!((round().number, PastRounds::<Test>::contains_key(1)), (2, true));
        assert_eq!(left(), (4 * responses, responses));
        respond(ALICE);
        check_state();
        let room_for_one = <() as crate::WeightInfo>::sweep(MAX_SWEPT).max(<() as crate::WeightInfo>::settle(64));
        for votes_left in [2 * u64::from(MAX_SWEPT), u64::from(MAX_SWEPT), 0] {
            assert_eq!(
                Capability::on_idle(now, room_for_one),
                <() as crate::WeightInfo>::sweep(MAX_SWEPT)
            );
            assert_eq!(left(), (votes_left, responses + 1));
            check_state();
        }
        for responses_left in [2 * u64::from(MAX_STEPS), u64::from(MAX_STEPS), 0] {
            Capability::on_idle(now, Weight::MAX);
            assert_eq!(left(), (0, responses_left + 1));
            check_state();
        }
        Capability::on_idle(now, Weight::MAX);
        assert!(!PastRounds::<Test>::contains_key(1));
        // The round that is open is not touched.
        Capability::on_idle(now, Weight::MAX);
        assert_eq!(left(), (0, 1));
        run_to_the_end();
        assert_eq!(left(), (0, 0));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever was voted and revealed: what verifiers and worker have less is what was burned and what the treasury has more, nobody who
    /// is right and reveals has less than before, and nothing is held for a round that is over.
    #[test]
    fn money_is_conserved_and_who_is_right_loses_nothing(
        votes in prop::collection::vec((any::<bool>(), prop::bool::weighted(0.8), 0u128..20), 0..10),
        seats in 1u32..=16,
    ) {
        let schedule = crate::Schedule { seats, quorum: 1, ..SCHEDULE };
        in_a_round_of(schedule, || {
            let everybody = || verifiers().chain([ALICE]).map(wealth).sum::<Balance>();
            let before = (everybody(), Balances::total_issuance(), wealth(TREASURY));
            respond(ALICE);
            for (who, (valid, _, more)) in verifiers().zip(&votes) {
                if *more > 0 {
                    assert_ok!(Registry::add_bond(signed(who), Role::Verifier, more * VOTE_BOND));
                }
                assert_ok!(commit(who, ALICE, Attestation::of(*valid)));
            }
            run_to_the_draw();
            let mut silent = 0;
            for (who, (valid, reveals, _)) in verifiers().zip(&votes) {
                match (drawn(who, ALICE), reveals) {
                    (true, true) => {
                        assert_ok!(reveal(who, ALICE, Attestation::of(*valid)));
                    }
                    (true, false) => silent += 1,
                    (false, _) => {}
                }
            }
            let tally = response_of(ALICE).unwrap().tally();
            run_to_the_end();
            let wrong = u128::from(tally.in_favour.min(tally.against)) * u128::from((tally.in_favour != tally.against) as u8);
            let burned = before.1 - Balances::total_issuance();
            let to_treasury = wealth(TREASURY) - before.2;
            assert_eq!(burned, wrong * (VOTE_BOND - HALF));
            assert_eq!(to_treasury, silent * VOTE_BOND);
            assert_eq!(before.0 - everybody(), burned + to_treasury);
            let majority = tally.in_favour > tally.against;
            for (who, (valid, reveals, _)) in verifiers().zip(&votes) {
                let lost = wealth(who) < ENDOWMENT;
                let may_lose = !reveals || (*valid != majority && wrong > 0);
                assert!(may_lose || !lost, "{who} was right and lost");
                assert_eq!(open_votes(who), 0);
            }
            assert_eq!(fees(ALICE), 0);
        });
    }
}

#[test]
fn a_wrong_vote_costs_the_same_on_both_sides() {
    in_a_round(|| {
        decide(ALICE, 4, 1);
        assert_eq!(bond(verifier(4)), BOND - VOTE_BOND);
        run_to(2 * PERIOD);
        decide(BOB, 1, 3);
        assert_eq!(bond(verifier(0)), BOND - VOTE_BOND);
    });
}
