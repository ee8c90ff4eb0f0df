//! The court: results that stand, that are waited for, that fall.

use crate::{Agenda, Contributions, Error, Event, Fallen, Hastened, Places, Results, mock::*};
use agora_primitives::{
    TaskId,
    courts::{CaseTerms, Cases, Standing},
    judging::Ruling,
    reputation::{Outcome, Side},
    task::{LATE_AFTER, LATE_STEP_PARTS, Phase, RoundKind},
};
use frame_support::{BoundedVec, assert_noop, assert_ok};

/// To workers, of the reward.
const WORKERS_PART: i128 = 2_500;
/// To verifiers, of the reward.
const VERIFIERS_PART: i128 = 1_000;
/// Burned, of the reward.
const BURN: Balance = 6_000;
/// What an accuser gets for each worker whose claim fell.
const BOUNTY: i128 = WRONG as i128 / 2;

/// An account that is not there.
const NOBODY: AccountId = 777;

/// A task whose result is in court: answer 1, in which the first worker is believed.
fn in_court(answers: &[(u64, u8)]) -> TaskId {
    world(|world| world.has_court = true);
    ReputationDouble::set_confidence(worker(0), 300);
    let task = publish();
    answer_all(task, answers);
    assert_eq!(phase(task), Phase::Appealable);
    assert_eq!(Results::<Test>::get(task).unwrap().claim, claim(1));
    task
}

/// Three workers, two of whom say 1 and one 2.
fn two_against_one() -> TaskId {
    in_court(&[(0, 1), (1, 1), (2, 2)])
}

/// Three workers, who all say 1.
fn three_of_one_mind() -> TaskId {
    in_court(&[(0, 1), (1, 1), (2, 1)])
}

/// Takes the step that is due next.
fn close(task: TaskId) {
    run_to(progress(task).due + 1);
}

/// The result falls, as `by` has shown, who says that answer `own` is right.
fn fell(task: TaskId, by: AccountId, own: Option<u8>) {
    if let Some(own) = own {
        <Tasks as Cases<AccountId>>::enter(task, &by, claim(own));
    }
    decide(task, fallen([by]));
    close(task);
}

/// The claim of which a case is open.
fn accused(task: TaskId) -> Option<agora_primitives::job::Claim> {
    OpenCases::get(task).map(|(terms, _)| terms.claim)
}

fn rulings() -> Vec<Ruling> {
    Rulings::get().into_iter().map(|(_, ruling)| ruling).collect()
}

fn best(task: TaskId) -> AccountId {
    Results::<Test>::get(task).unwrap().best
}

/// The task has failed; its publisher has reward and stake back.
fn failed(task: TaskId) {
    assert_eq!(phase(task), Phase::Failed);
    assert_eq!(terminal_events(), [Event::Failed { task }]);
    assert_eq!(gain(ALICE), -(FEE as i128));
    assert!(!Results::<Test>::contains_key(task));
    ended(task);
}

/// Nothing is left of what was in court.
fn ended(task: TaskId) {
    assert_eq!(accused(task), None);
    assert!(!Fallen::<Test>::contains_key(task));
    assert!(!AppealWindows::contains_key(task));
}

mod that_stands {
    use super::*;

    #[test]
    fn has_a_case_for_as_long_as_the_appeal_window() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            let (terms, ..) = AppealWindows::get(task).unwrap();
            let (case, _) = OpenCases::get(task).unwrap();
            let (job, until) = (job(), progress(task).until());
            assert_eq!(until, terms.until);
            let claim = claim(1);
            assert_eq!(case, CaseTerms { job, claim, until });
        });
    }

    #[test]
    fn is_settled_as_without_a_court() {
        let gains = [false, true].map(|has_court| {
            let mut gains = Vec::new();
            ExtBuilder::default().build_and_execute(|| {
                let task = two_against_one();
                if !has_court {
                    // As if there had been none.
                    OpenCases::remove(task);
                }
                attest(task, 1, 0);
                close(task);
                assert_eq!(phase(task), Phase::Settled);
                assert_eq!(rulings(), [Ruling::Upheld]);
                ended(task);
                let accounts = (0..3).map(worker).chain([ALICE, VERIFIER, TREASURY]);
                gains = accounts.map(gain).collect();
                assert_eq!(
                    burned(),
                    BURN,
                    "penalties are not burned where nobody has shown anything"
                );
            });
            gains
        });
        assert_eq!(gains[0], gains[1]);
    }

    #[test]
    fn is_appealed_if_it_was_attested_against_and_what_comes_out_has_a_case_of_its_own() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 0, 1);
            close(task);
            has_event(Event::Reopened { task, round: 1 });
            assert_eq!(Tasks::task(task).unwrap().appeal_until, None, "nobody attests any more");
            assert_eq!(accused(task), None, "nobody accuses what is being ruled on");
            answer_all(task, &[(3, 2), (4, 2), (5, 2)]);
            assert_eq!(phase(task), Phase::Appealable);
            assert_eq!(accused(task), Some(claim(2)));
            assert_eq!(rulings(), [], "the bonds wait for the court");
            let until = progress(task).until();
            let (claim, best) = (claim(2), best(task));
            last_event(Event::ResultReplaced {
                task,
                claim,
                best,
                until,
            });
            assert_eq!(until, now() - 1 + class().appeal_window);
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(rulings(), [Ruling::Overturned]);
            assert_eq!(gain(VERIFIER), VERIFIERS_PART);
            ended(task);
        });
    }

    #[test]
    fn after_an_appeal_that_upheld_it_is_the_first_result_still() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 1, 1);
            close(task);
            answer_all(task, &[(3, 1), (4, 1), (5, 1)]);
            assert_eq!(accused(task), Some(claim(1)));
            close(task);
            assert_eq!(phase(task), Phase::Settled, "no second round");
            assert_eq!(rulings(), [Ruling::Upheld]);
        });
    }

    #[test]
    fn stands_though_fresh_workers_agree_on_nothing() {
        // A publisher that has half of the attesters, and a place in the round that it spoils; or more than half, where most of the
        // round says what was said before.
        for (attested, fresh) in [((1, 1), [1, 3, 4]), ((1, 1), [2, 2, 4]), ((0, 2), [1, 1, 4])] {
            ExtBuilder::default().build_and_execute(|| {
                let task = two_against_one();
                attest(task, attested.0, attested.1);
                close(task);
                answer_all(task, &[(3, fresh[0]), (4, fresh[1]), (5, fresh[2])]);
                assert_eq!(phase(task), Phase::Appealable);
                assert_eq!(accused(task), Some(claim(1)), "it may be accused once more");
                let until = progress(task).until();
                last_event(Event::ResultReplaced {
                    task,
                    claim: claim(1),
                    best: best(task),
                    until,
                });
                close(task);
                assert_eq!(phase(task), Phase::Settled, "and the publisher pays");
                assert_eq!(
                    rulings(),
                    [Ruling::Disagreed],
                    "who objected loses a part of the bond alone"
                );
                let paid = if attested.0 > 0 { VERIFIERS_PART / 2 } else { 0 };
                assert_eq!(gain(VERIFIER), paid, "its output is right");
                for n in [0, 1] {
                    assert!(gain(worker(n)) > 0);
                }
                assert_eq!(gain(ALICE), -((REWARD + FEE) as i128));
                ended(task);
            });
        }
    }

    #[test]
    fn gives_way_to_what_most_fresh_workers_say_where_most_attesters_are_against_it() {
        ExtBuilder::default().build_and_execute(|| {
            // A cartel with the first workers, and a place in the round that it spoils: two newcomers do not agree enough.
            let task = two_against_one();
            attest(task, 1, 2);
            close(task);
            answer_all(task, &[(3, 1), (4, 2), (5, 2)]);
            assert_eq!(phase(task), Phase::Appealable);
            assert_eq!(accused(task), Some(claim(2)));
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(rulings(), [Ruling::Overturned]);
            assert!([2, 4, 5].iter().all(|n| gain(worker(*n)) > 0));
            assert!([0, 1, 3].iter().all(|n| gain(worker(*n)) == -(WRONG as i128)));
        });
    }

    #[test]
    fn falls_after_fresh_workers_agreed_on_nothing_as_any_other() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 1, 1);
            close(task);
            answer_all(task, &[(3, 1), (4, 3), (5, 4)]);
            fell(task, BOB, Some(5));
            // What one worker says comes before what was entered.
            assert!([2, 3, 4].map(|answer| Some(claim(answer))).contains(&accused(task)));
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(rulings(), [Ruling::Overturned], "who objected was right after all");
            assert_eq!(gain(worker(0)), -(WRONG as i128));
        });
    }

    #[test]
    fn waits_for_those_who_may_still_attest_because_blocks_were_full() {
        for has_court in [false, true] {
            ExtBuilder::default().build_and_execute(|| {
                let task = two_against_one();
                if !has_court {
                    OpenCases::remove(task);
                }
                let (mut terms, ..) = AppealWindows::get(task).unwrap();
                terms.until += 7;
                let until = terms.until;
                AppealWindows::insert(task, (terms, 0, 0));
                close(task);
                assert_eq!((phase(task), progress(task).due), (Phase::Appealable, until + 1));
                close(task);
                assert_eq!(phase(task), Phase::Settled);
            });
        }
    }

    #[test]
    fn is_settled_later_if_the_tree_is_full_and_in_court_until_then() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            world(|world| world.tree_is_full = true);
            close(task);
            assert_eq!(phase(task), Phase::Appealable);
            assert_eq!(accused(task), Some(claim(1)), "closing it was undone");
            world(|world| world.tree_is_full = false);
            run_to(now() + 5);
            assert_eq!(phase(task), Phase::Settled);
        });
    }
}

mod that_is_not_decided {
    use super::*;

    fn undecided(until: BlockNumber) -> TaskId {
        let task = two_against_one();
        decide(task, Standing::Pending { until });
        task
    }

    #[test]
    fn waits_for_the_last_block_of_the_court_and_no_longer() {
        ExtBuilder::default().build_and_execute(|| {
            let task = undecided(50);
            close(task);
            assert_eq!((phase(task), progress(task).due), (Phase::Appealable, 51));
            // Clients are told of both.
            let view = Tasks::task(task).unwrap();
            let (terms, ..) = AppealWindows::get(task).unwrap();
            assert_eq!((view.until, view.appeal_until), (50, Some(terms.until)));
            assert!(terms.until < 50);
            assert_eq!(progress(task).scheduled_at, Some(51));
            let events = events().len();
            run_to(51);
            assert_eq!(super::events().len(), events, "nothing happens");
            decide(task, Standing::Stands);
            run_to(52);
            assert_eq!(phase(task), Phase::Settled, "nobody had to say anything");
        });
    }

    #[test]
    fn goes_on_in_the_block_in_which_the_court_says_that_it_has_decided() {
        ExtBuilder::default().build_and_execute(|| {
            let task = undecided(50);
            close(task);
            run_to(30);
            decide(task, Standing::Stands);
            assert_ok!(Tasks::decided(task));
            assert_eq!(Hastened::<Test>::get().to_vec(), [task]);
            check_state();
            run_to(31);
            assert_eq!(phase(task), Phase::Settled);
            assert!(!Agenda::<Test>::contains_key(51), "it does not wait any more");
        });
    }

    #[test]
    fn falls_in_the_appeal_window_already_if_the_court_has_decided() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            decide(task, fallen([BOB]));
            assert_ok!(Tasks::decided(task));
            run_to(now() + 1);
            assert_eq!(accused(task), Some(claim(2)));
        });
    }

    #[test]
    fn is_asked_about_again_if_the_court_says_too_early_that_it_has_decided() {
        ExtBuilder::default().build_and_execute(|| {
            let task = undecided(50);
            close(task);
            assert_ok!(Tasks::decided(task));
            run_to(now() + 1);
            assert_eq!((phase(task), progress(task).due), (Phase::Appealable, 51));
            // Clients are told of both.
            let view = Tasks::task(task).unwrap();
            let (terms, ..) = AppealWindows::get(task).unwrap();
            assert_eq!((view.until, view.appeal_until), (50, Some(terms.until)));
            assert!(terms.until < 50);
            assert!(Hastened::<Test>::get().is_empty());
        });
    }

    #[test]
    fn is_asked_about_once_a_block_if_the_court_names_one_that_has_passed() {
        ExtBuilder::default().build_and_execute(|| {
            let task = undecided(1);
            close(task);
            for _ in 0..5 {
                assert_eq!(progress(task).due, now());
                assert_ok!(Tasks::decided(task));
                assert_ok!(Tasks::advance(RuntimeOrigin::signed(BOB), task));
                let call = Tasks::advance(RuntimeOrigin::signed(BOB), task);
                assert_noop!(call, Error::<Test>::NothingDue);
                run_to(now() + 1);
            }
            decide(task, Standing::Stands);
            run_to(now() + 1);
            assert_eq!(phase(task), Phase::Settled);
        });
    }

    #[test]
    fn is_not_in_the_way_of_others() {
        ExtBuilder::default().build_and_execute(|| {
            let (task, unknown) = (two_against_one(), TaskId(9));
            assert_noop!(Tasks::decided(unknown), Error::<Test>::UnknownTask);
            let working = publish_as(BOB, 1);
            assert_ok!(Tasks::decided(working));
            assert_eq!(progress(working).due, now() + DEADLINE);
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_ok!(Tasks::decided(task));
            assert!(Hastened::<Test>::get().is_empty(), "neither waits for a court");
        });
    }

    #[test]
    fn is_served_later_if_too_many_are_decided_in_one_block() {
        ExtBuilder::default().build_and_execute(|| {
            let task = undecided(50);
            close(task);
            let others = (100..100 + u64::from(MAX_TASKS_PER_BLOCK)).map(TaskId).collect();
            Hastened::<Test>::put(BoundedVec::truncate_from(others));
            decide(task, Standing::Stands);
            assert_ok!(Tasks::decided(task));
            run_to(51);
            assert_eq!(phase(task), Phase::Appealable);
            run_to(52);
            assert_eq!(phase(task), Phase::Settled);
        });
    }

    #[test]
    fn nobody_is_paid_for_finding_that_out() {
        ExtBuilder::default().build_and_execute(|| {
            let task = undecided(200);
            jump_to(progress(task).due + u64::from(LATE_AFTER) + 5);
            assert_ok!(Tasks::advance(RuntimeOrigin::signed(BOB), task));
            assert_eq!((gain(BOB), progress(task).paid_steps), (0, 0));
            assert_eq!(progress(task).due, 201);
            run_to(now() + 1);
        });
    }

    #[test]
    fn is_not_late_when_the_court_decides_but_may_be_later() {
        ExtBuilder::default().build_and_execute(|| {
            let task = undecided(10_000);
            // The chain has no time for its agenda.
            jump_to(progress(task).due + u64::from(LATE_AFTER) + 40);
            decide(task, Standing::Stands);
            assert_ok!(Tasks::decided(task));
            assert_ok!(Tasks::advance(RuntimeOrigin::signed(BOB), task));
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(gain(BOB), 0, "the court has only just decided");
            run_to(now() + 1);
        });
        ExtBuilder::default().build_and_execute(|| {
            let task = undecided(10_000);
            close(task);
            decide(task, Standing::Stands);
            assert_ok!(Tasks::decided(task));
            jump_to(now() + u64::from(LATE_AFTER) + 1);
            assert_ok!(Tasks::advance(RuntimeOrigin::signed(BOB), task));
            assert_eq!(gain(BOB), (FEE / Balance::from(LATE_STEP_PARTS)) as i128);
            run_to(now() + 1);
        });
    }

    #[test]
    fn takes_neither_workers_nor_answers_and_is_not_taken_back() {
        ExtBuilder::default().priority().build_and_execute(|| {
            let task = undecided(50);
            close(task);
            let signed = RuntimeOrigin::signed;
            assert_noop!(Tasks::cancel(signed(ALICE), task), Error::<Test>::TaskNotOpen);
            assert_noop!(Tasks::accept(signed(worker(5)), task), Error::<Test>::NotAccepting);
            assert_noop!(Tasks::decline(signed(worker(5)), task), Error::<Test>::NotAccepting);
            let commit = Tasks::commit(signed(worker(0)), task, commitment_of(0, task, 2));
            assert_noop!(commit, Error::<Test>::AlreadyCommitted);
        });
    }
}

mod that_fell {
    use super::*;

    #[test]
    fn is_noted_with_its_accuser_until_the_task_ends() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            fell(task, BOB, None);
            assert_eq!(Fallen::<Test>::get(task).to_vec(), [(claim(1), accusers([BOB]))]);
            has_event(Event::ResultFell {
                task,
                claim: claim(1),
                accusers: accusers([BOB]),
            });
            close(task);
            ended(task);
        });
    }

    #[test]
    fn gives_way_to_what_most_of_the_rest_say_which_has_a_case_of_its_own() {
        ExtBuilder::default().build_and_execute(|| {
            let task = in_court_of_five(&[(0, 1), (1, 2), (2, 3), (3, 3), (4, 1)]);
            // The accuser says the same as one worker alone.
            fell(task, BOB, Some(2));
            let (until, best) = (progress(task).until(), best(task));
            assert_eq!(until, now() - 1 + class().appeal_window);
            assert!([2, 3].map(worker).contains(&best));
            last_event(Event::ResultReplaced {
                task,
                claim: claim(3),
                best,
                until,
            });
            let (case, _) = OpenCases::get(task).unwrap();
            assert_eq!((case.claim, case.until), (claim(3), until));
            assert_eq!((phase(task), rulings()), (Phase::Appealable, vec![]));
            assert_eq!(progress(task).contributions, 5, "nobody enters");
            assert!(Places::<Test>::get(task).is_empty());
        });
    }

    /// A task of five workers, the first of whom is believed.
    fn in_court_of_five(answers: &[(u64, u8)]) -> TaskId {
        assert_eq!(answers.len(), 5);
        crate::Classes::<Test>::mutate(CLASS, |class| class.as_mut().unwrap().replicas = 5);
        crate::Classes::<Test>::mutate(CLASS, |class| class.as_mut().unwrap().max_replicas = 5);
        in_court(answers)
    }

    #[test]
    fn pays_who_was_right_and_who_showed_it_and_burns_the_rest() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 1, 2);
            fell(task, BOB, Some(2));
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            let (claim, best) = (claim(2), worker(2));
            last_event(Event::Settled { task, claim, best });
            assert_eq!(rulings(), [Ruling::Overturned]);
            for n in [0, 1] {
                assert_eq!(gain(worker(n)), -(WRONG as i128));
                assert_eq!(records_of(worker(n)), [(AS_WORKER, Outcome::Wrong)]);
            }
            assert_eq!(gain(worker(2)), WORKERS_PART);
            assert_eq!(gain(BOB), 2 * BOUNTY);
            assert_eq!(burned(), BURN + WRONG);
            assert_eq!(gain(VERIFIER), 0, "it attested for what fell");
            assert_eq!([1, 2].map(|n| gain(VERIFIER + n)), [VERIFIERS_PART / 3; 2]);
            assert_eq!(terminal_events().len(), 1);
            ended(task);
        });
    }

    #[test]
    fn without_another_claim_of_the_accuser_gives_way_to_the_largest_group_of_the_rest() {
        ExtBuilder::default().build_and_execute(|| {
            let task = in_court_of_five(&[(0, 1), (1, 1), (2, 2), (3, 3), (4, 3)]);
            fell(task, BOB, None);
            assert_eq!(Results::<Test>::get(task).unwrap().claim, claim(3));
            fell(task, BOB, None);
            assert_eq!(Results::<Test>::get(task).unwrap().claim, claim(2));
            fell(task, BOB, None);
            failed(task);
            assert_eq!(gain(BOB), 5 * BOUNTY);
        });
    }

    #[test]
    fn without_any_other_ends_the_task_and_costs_no_attester_anything() {
        ExtBuilder::default().build_and_execute(|| {
            let task = in_court(&[(0, 1), (1, 1), (2, 1)]);
            attest(task, 2, 1);
            fell(task, BOB, None);
            failed(task);
            assert_eq!(
                rulings(),
                [Ruling::Undecided],
                "its output may be right, with other states"
            );
            for n in 0..3 {
                assert_eq!(gain(worker(n)), -(WRONG as i128));
            }
            assert_eq!((gain(BOB), burned()), (3 * BOUNTY, 3 * WRONG / 2));
            assert_eq!(gain(TREASURY), FEE as i128);
        });
    }

    #[test]
    fn is_not_ruled_on_by_a_round_even_if_it_was_attested_against() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 0, 3);
            fell(task, BOB, None);
            assert_eq!(progress(task).kind, RoundKind::Appeal);
            close(task);
            assert_eq!(phase(task), Phase::Settled);
        });
    }

    #[test]
    fn for_the_states_before_its_output_costs_no_attester_anything() {
        for own in [OTHER_STATES, 2] {
            ExtBuilder::default().build_and_execute(|| {
                // A publisher with all workers has them say the right output, after states that are wrong. Checks pass it.
                let task = three_of_one_mind();
                attest(task, 2, 1);
                fell(task, BOB, Some(own));
                close(task);
                assert_eq!(phase(task), Phase::Settled);
                // Who said that the output is right was right about it.
                let third = VERIFIERS_PART / 3;
                let (ruling, gains) = match own {
                    OTHER_STATES => (Ruling::Undecided, [third, third, 0]),
                    _ => (Ruling::Overturned, [0, 0, third]),
                };
                assert_eq!(rulings(), [ruling]);
                assert_eq!([0, 1, 2].map(|n| gain(VERIFIER + n)), gains);
            });
        }
    }

    #[test]
    fn after_an_appeal_gives_way_to_the_first_if_that_is_what_is_left() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 1, 1);
            close(task);
            answer_all(task, &[(3, 3), (4, 3), (5, 3)]);
            assert_eq!(accused(task), Some(claim(3)));
            fell(task, VERIFIER, Some(1));
            assert_eq!(accused(task), Some(claim(1)));
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(rulings(), [Ruling::Upheld], "the first result stood in the end");
            for n in [3, 4, 5] {
                assert_eq!(gain(worker(n)), -(WRONG as i128));
            }
            assert!(gain(worker(0)) > 0 && gain(worker(1)) > 0);
            assert_eq!(gain(VERIFIER), 3 * BOUNTY + VERIFIERS_PART / 2);
        });
    }

    #[test]
    fn after_an_appeal_that_upheld_it_is_overturned_all_the_same() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 1, 1);
            close(task);
            answer_all(task, &[(3, 1), (4, 1), (5, 1)]);
            fell(task, BOB, Some(2));
            close(task);
            assert_eq!(rulings(), [Ruling::Overturned]);
            assert_eq!(gain(worker(2)), WORKERS_PART);
            assert_eq!(gain(BOB), 5 * BOUNTY);
        });
    }

    #[test]
    fn gives_way_by_lot_to_answers_of_one_block() {
        let best_after = |blocks| {
            let mut chosen = 0;
            ExtBuilder::default().build_and_execute(|| {
                let task = in_court(&[(0, 1), (1, 2), (2, 2)]);
                decide(task, Standing::Pending { until: now() + blocks });
                run_to(now() + blocks);
                fell(task, BOB, None);
                chosen = best(task);
            });
            chosen
        };
        let chosen: std::collections::BTreeSet<_> = (5..15).map(best_after).collect();
        assert_eq!(chosen.into_iter().collect::<Vec<_>>(), [worker(1), worker(2)]);
    }

    #[test]
    fn does_not_come_back() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            // It says itself that its accusation is wrong.
            fell(task, BOB, Some(1));
            assert_eq!(accused(task), Some(claim(2)), "what the others say");
            fell(task, BOB, Some(1));
            failed(task);
        });
    }

    #[test]
    fn pays_its_second_accuser_nothing_of_what_the_first_has_shown() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            fell(task, BOB, None);
            fell(task, VERIFIER, None);
            failed(task);
            assert_eq!((gain(BOB), gain(VERIFIER)), (2 * BOUNTY, BOUNTY));
        });
    }

    #[test]
    fn is_settled_at_once_where_there_is_no_court_any_more() {
        ExtBuilder::default().build_and_execute(|| {
            let task = three_of_one_mind();
            world(|world| world.has_court = false);
            fell(task, BOB, Some(3));
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(best(task), BOB);
            assert_eq!(gain(BOB), 3 * BOUNTY + WORKERS_PART);
            ended(task);
        });
    }
}

mod an_accuser {
    use super::*;

    #[test]
    fn whose_claim_nobody_has_enters_with_a_workers_bond_and_is_paid_as_one() {
        ExtBuilder::default().build_and_execute(|| {
            let task = three_of_one_mind();
            let slots = world(|world| world.slots.clone());
            fell(task, BOB, Some(3));
            let place = Places::<Test>::get(task).into_inner().pop().unwrap();
            assert_eq!((place.who, place.claim, place.bond), (BOB, claim(3), BOND));
            let held = Balances::reserved_balance(BOB);
            assert_eq!((held, accused(task)), (BOND, Some(claim(3))));
            assert!(!Contributions::<Test>::contains_key(task, BOB), "it is no worker");
            let progress = progress(task);
            assert_eq!((progress.round, progress.contributions), (0, 3));
            check_state();
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(gain(BOB), 3 * BOUNTY + WORKERS_PART);
            assert_eq!(records_of(BOB), [(AS_WORKER, Outcome::Right { confirmed: false })]);
            assert_eq!(burned(), BURN + 3 * WRONG / 2);
            assert_eq!(world(|world| world.slots.clone()), slots, "it had no slot");
            assert!(Places::<Test>::get(task).is_empty());
        });
    }

    #[test]
    fn who_is_a_worker_elsewhere_keeps_its_slots_there() {
        ExtBuilder::default().build_and_execute(|| {
            let task = three_of_one_mind();
            let other = publish_as(BOB, 1);
            accept(5, other);
            fell(task, worker(5), Some(3));
            fell(task, BOB, Some(4));
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(world(|world| world.slots[&worker(5)]), 1);
            run_to(now() + DEADLINE);
        });
    }

    #[test]
    fn whose_own_claim_falls_pays_the_next_one() {
        ExtBuilder::default().build_and_execute(|| {
            let task = three_of_one_mind();
            fell(task, BOB, Some(3));
            fell(task, VERIFIER, Some(4));
            assert_eq!(accused(task), Some(claim(4)));
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(gain(BOB), 3 * BOUNTY - WRONG as i128);
            assert_eq!(gain(VERIFIER), BOUNTY + WORKERS_PART);
        });
    }

    #[test]
    fn whose_claim_waits_behind_a_workers_that_is_right_pays_for_being_wrong() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            fell(task, BOB, Some(3));
            assert_eq!(accused(task), Some(claim(2)), "workers come first");
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(gain(BOB), 2 * BOUNTY - WRONG as i128);
            assert_eq!(gain(worker(2)), WORKERS_PART, "timely right work is paid");
        });
    }

    #[test]
    fn of_its_own_claim_loses_what_is_burned() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            fell(task, worker(1), Some(2));
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            // It pays its own penalty, and gets half of it and half of its fellow's.
            assert_eq!(gain(worker(1)), 2 * BOUNTY - WRONG as i128);
            assert_eq!(gain(worker(0)), -(WRONG as i128));
            assert_eq!(
                gain(worker(0)) + gain(worker(1)),
                -(WRONG as i128),
                "together they lose the other half"
            );
        });
    }

    #[test]
    fn who_is_the_publisher_does_not_work_on_its_own_task() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            fell(task, ALICE, Some(3));
            assert!(!Contributions::<Test>::contains_key(task, ALICE));
            assert_eq!(accused(task), Some(claim(2)));
            close(task);
            assert_eq!(gain(worker(2)), WORKERS_PART);
            assert_eq!(gain(ALICE), 2 * BOUNTY - (REWARD + FEE) as i128);
        });
        ExtBuilder::default().build_and_execute(|| {
            let task = three_of_one_mind();
            assert!(!<Tasks as Cases<AccountId>>::enter(task, &ALICE, claim(3)));
            decide(task, fallen([ALICE]));
            close(task);
            assert_eq!(phase(task), Phase::Failed);
        });
    }

    #[test]
    fn who_has_another_answer_in_the_task_has_no_second_one() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            fell(task, worker(2), Some(3));
            assert_eq!(accused(task), Some(claim(2)), "what it had answered");
            assert_eq!(progress(task).contributions, 3);
            assert_eq!(bond_held(2, task), BOND);
        });
    }

    #[test]
    fn who_was_silent_in_the_task_does_not_come_back() {
        ExtBuilder::default().build_and_execute(|| {
            world(|world| world.has_court = true);
            ReputationDouble::set_confidence(worker(0), 300);
            let task = publish();
            accept(4, task);
            commit_all(task, &[(0, 1), (2, 2)]);
            run_to(progress(task).due + 1);
            reveal(0, task, 1);
            reveal(2, task, 2);
            run_to(now() + 2);
            fell(task, worker(4), Some(3));
            assert_eq!(accused(task), Some(claim(2)));
            close(task);
            assert_eq!(gain(worker(4)), BOUNTY - LATE as i128);
        });
    }

    #[test]
    fn who_cannot_pay_the_bond_does_not_enter_but_has_its_reward() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            let has = BOND - 1;
            let rich = RuntimeOrigin::signed(VERIFIER);
            assert_ok!(Balances::transfer_keep_alive(rich, NOBODY, has));
            fell(task, NOBODY, Some(3));
            assert!(!Contributions::<Test>::contains_key(task, NOBODY));
            assert_eq!(accused(task), Some(claim(2)));
            close(task);
            assert_eq!(free(NOBODY) as i128, has as i128 + 2 * BOUNTY);
        });
    }

    #[test]
    fn who_cannot_receive_leaves_its_reward_to_the_treasury() {
        let part = sp_runtime::Permill::from_parts(2_000);
        let cheap = |class: &mut Class| (class.late_penalty, class.wrong_penalty) = (part, part);
        ExtBuilder::default().with_class(cheap).build_and_execute(|| {
            let penalty = part.mul_floor(BOND);
            assert!(penalty > 0 && penalty < ED, "less than an account needs");
            let task = two_against_one();
            fell(task, NOBODY, None);
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(free(NOBODY), 0);
            assert_eq!(gain(worker(0)), -(penalty as i128));
            // Nobody attested.
            let (own, verifiers, bounties) = (500, VERIFIERS_PART, 2 * (penalty / 2));
            assert_eq!(gain(TREASURY), own + verifiers + (FEE + bounties) as i128);
        });
    }

    #[test]
    fn who_attested_is_paid_for_both() {
        ExtBuilder::default().build_and_execute(|| {
            let task = three_of_one_mind();
            attest(task, 0, 1);
            fell(task, VERIFIER, Some(3));
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(gain(VERIFIER), 3 * BOUNTY + WORKERS_PART + VERIFIERS_PART);
        });
    }

    #[test]
    fn may_say_that_the_input_is_unusable() {
        ExtBuilder::default().build_and_execute(|| {
            let task = three_of_one_mind();
            fell(task, BOB, Some(UNUSABLE));
            assert_eq!(best(task), BOB);
            close(task);
            assert_eq!(phase(task), Phase::Settled);
            assert_eq!(gain(ALICE), -((STAKE + FEE) as i128));
            assert_eq!(records_of(ALICE), [(Side::Publisher, Outcome::Wrong)]);
            assert_eq!(gain(BOB), 3 * BOUNTY + WORKERS_PART / 2);
        });
    }

    #[test]
    fn that_it_is_unusable_may_fall_as_any_claim() {
        ExtBuilder::default().build_and_execute(|| {
            let task = three_of_one_mind();
            fell(task, BOB, Some(UNUSABLE));
            fell(task, VERIFIER, Some(2));
            close(task);
            assert_eq!(gain(BOB), 3 * BOUNTY - WRONG as i128);
            assert_eq!(gain(ALICE), -((REWARD + FEE) as i128));
        });
    }
}

mod that_nobody_can_decide {
    use super::*;

    #[test]
    fn ends_the_task_and_punishes_nobody_who_revealed() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 1, 1);
            decide(task, Standing::Undecided);
            close(task);
            failed(task);
            assert_eq!(rulings(), [Ruling::Undecided]);
            for n in 0..3 {
                assert_eq!(gain(worker(n)), 0);
                assert!(records_of(worker(n)).is_empty());
            }
            assert_eq!(burned(), 0);
        });
    }

    #[test]
    fn after_another_fell_punishes_for_that_one_alone() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 1, 1);
            fell(task, BOB, Some(3));
            decide(task, Standing::Undecided);
            close(task);
            failed(task);
            assert_eq!(rulings(), [Ruling::Undecided], "nobody knows what output is right");
            assert_eq!(gain(worker(0)), -(WRONG as i128));
            assert_eq!(gain(worker(2)), 0);
            assert_eq!(gain(BOB), 2 * BOUNTY, "it has its bond back");
        });
    }

    #[test]
    fn after_an_appeal_leaves_the_first_result_undecided() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 1, 1);
            close(task);
            answer_all(task, &[(3, 2), (4, 2), (5, 2)]);
            decide(task, Standing::Undecided);
            close(task);
            failed(task);
            assert_eq!(rulings(), [Ruling::Undecided]);
        });
    }

    #[test]
    fn after_one_that_replaced_the_first_fell_leaves_the_first_undecided() {
        ExtBuilder::default().build_and_execute(|| {
            let task = two_against_one();
            attest(task, 1, 1);
            close(task);
            answer_all(task, &[(3, 2), (4, 2), (5, 2)]);
            fell(task, BOB, Some(1));
            decide(task, Standing::Undecided);
            close(task);
            failed(task);
            assert_eq!(rulings(), [Ruling::Undecided]);
            assert_eq!(gain(worker(2)), -(WRONG as i128));
            assert_eq!(gain(worker(0)), 0);
        });
    }
}
