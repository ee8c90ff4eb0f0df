//! What attackers try, each against honest verifiers that look at whatever they can fetch.

use crate::{Error, Event, Schedule, mock::*};
use agora_primitives::{
    judging::Attestation::{self, Invalid, Valid},
    participants::Role,
};
use frame_support::{assert_noop, assert_ok};

/// Verifiers beside those of the mock.
fn more_verifiers(count: u64) -> Vec<AccountId> {
    let more: Vec<_> = (verifier(VERIFIERS)..verifier(VERIFIERS + count)).collect();
    for who in &more {
        register(*who, Role::Verifier, BOND);
    }
    more
}

fn all_commit(
    voters: impl IntoIterator<Item = AccountId>,
    worker: AccountId,
    said: Attestation,
) -> Vec<(AccountId, Attestation)> {
    voters
        .into_iter()
        .map(|who| {
            assert_ok!(commit(who, worker, said));
            (who, said)
        })
        .collect()
}

/// There are no places to fill any more: eight accounts that are first have as many seats as their bonds are worth among all.
#[test]
fn eight_that_are_first_neither_block_a_response_nor_pass_one() {
    for (truth, lie, counts) in [(Valid, Invalid, DECLARED), (Invalid, Valid, 1)] {
        in_a_round(|| {
            let others = more_verifiers(30);
            respond(ALICE);
            let eight = all_commit(verifiers().take(8), ALICE, lie);
            let honest = all_commit(others, ALICE, truth);
            run_to_the_draw();
            let drawn_of = |votes: &[(AccountId, Attestation)]| {
                votes
                    .iter()
                    .filter(|(who, _)| drawn(*who, ALICE))
                    .map(|(who, _)| *who)
                    .collect::<Vec<_>>()
            };
            let (liars, right) = (drawn_of(&eight), drawn_of(&honest));
            // In the mock's draw, the same in each run.
            assert!(!liars.is_empty() && liars.len() < right.len(), "{liars:?} {right:?}");
            reveal_drawn(ALICE, &eight);
            reveal_drawn(ALICE, &honest);
            run_to_the_end();
            assert_eq!(capability(ALICE), counts);
            assert!(liars.iter().all(|who| bond(*who) == BOND - VOTE_BOND));
            assert!(right.iter().all(|who| wealth(*who) >= ENDOWMENT));
        });
    }
}

/// Honest verifiers do not vote on what they cannot fetch. So friends of a worker that withholds its output are alone, and that is too few
/// as long as more bond votes on what can be fetched.
#[test]
fn a_withheld_response_is_not_passed_by_those_who_say_that_they_have_it() {
    in_a_round(|| {
        respond(ALICE);
        respond(BOB);
        let honest = all_commit(verifiers().take(7), BOB, Valid);
        // Three of ten, who vote on other responses too.
        let cartel = [all_commit(verifiers().skip(7), BOB, Valid), honest].concat();
        let friends = all_commit(verifiers().skip(7), ALICE, Valid);
        run_to_the_draw();
        reveal_drawn(BOB, &cartel);
        reveal_drawn(ALICE, &friends);
        run_to_the_end();
        assert_eq!((capability(ALICE), capability(BOB)), (1, DECLARED));
        System::assert_has_event(
            Event::ResponseUndecided {
                round: 1,
                worker: ALICE,
            }
            .into(),
        );
    });
}

/// A worker that serves its output to some only: those to whom it does not do not vote, and lose nothing.
#[test]
fn a_worker_that_serves_some_only_harms_nobody_else() {
    for (served, counts) in [(5, DECLARED), (4, 1)] {
        in_a_round(|| {
            respond(ALICE);
            respond(BOB);
            let to_bob = all_commit(verifiers(), BOB, Valid);
            let to_alice = all_commit(verifiers().take(served), ALICE, Valid);
            run_to_the_draw();
            reveal_drawn(BOB, &to_bob);
            reveal_drawn(ALICE, &to_alice);
            run_to_the_end();
            assert_eq!(capability(ALICE), counts, "served to {served} of ten");
            assert!(verifiers().all(|who| wealth(who) >= ENDOWMENT));
        });
    }
}

/// The other way round: those who vote much on one response, so that others have too few, need more bond than all who vote on the others.
#[test]
fn votes_on_one_response_take_no_other_down() {
    in_a_round(|| {
        respond(ALICE);
        respond(BOB);
        let honest = all_commit(verifiers().take(6), ALICE, Valid);
        all_commit(verifiers().take(6), BOB, Valid);
        all_commit(verifiers().skip(6), BOB, Invalid);
        run_to_the_draw();
        reveal_drawn(ALICE, &honest);
        run_to_the_end();
        assert_eq!(capability(ALICE), DECLARED);
    });
}

/// A verifier that comes, or raises its bond, when the draw is known, has no vote, or the weight that it had.
#[test]
fn who_comes_after_the_draw_comes_too_late() {
    in_a_round(|| {
        respond(ALICE);
        assert_ok!(commit(verifier(0), ALICE, Valid));
        run_to_the_draw();
        for who in more_verifiers(3) {
            assert_noop!(commit(who, ALICE, Invalid), Error::<Test>::VotingClosed);
        }
        assert_ok!(Registry::add_bond(signed(verifier(0)), Role::Verifier, 50 * VOTE_BOND));
        assert_eq!(crate::Votes::<Test>::get((1, verifier(0), ALICE)).unwrap().weight, 10);
    });
}

/// What a rival with a minority of the bonds spends to keep one response after the other from counting, and who has it.
#[test]
fn a_rival_that_blocks_pays_those_who_look() {
    let schedule = Schedule { quorum: 1, ..SCHEDULE };
    in_a_round_of(schedule, || {
        let rivals: Vec<_> = verifiers().take(4).collect();
        let honest: Vec<_> = verifiers().skip(4).collect();
        for number in 1..=5 {
            run_to(number * PERIOD);
            respond(ALICE);
            let votes = [
                all_commit(rivals.clone(), ALICE, Invalid),
                all_commit(honest.clone(), ALICE, Valid),
            ]
            .concat();
            run_to_the_draw();
            reveal_drawn(ALICE, &votes);
            run_to_the_end();
            assert_eq!(capability(ALICE), DECLARED);
            // Who has less than the least bond votes no more, until it has raised it.
            for rival in &rivals {
                assert_eq!(bond(*rival), BOND - VOTE_BOND);
                assert_noop!(
                    Capability::commit_vote(signed(*rival), round().number, ALICE, DIGEST, DIGEST),
                    pallet_agora_registry::Error::<Test>::BondTooSmall
                );
                assert_ok!(Registry::add_bond(signed(*rival), Role::Verifier, VOTE_BOND));
            }
        }
        let of = |who: &[AccountId]| who.iter().map(|who| wealth(*who)).sum::<Balance>();
        assert_eq!(of(&rivals), 4 * ENDOWMENT - 5 * 4 * VOTE_BOND);
        assert!(of(&honest) >= 6 * ENDOWMENT + 5 * 4 * (VOTE_BOND / 2));
    });
}
