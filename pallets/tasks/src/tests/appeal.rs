//! What happens after a result was attested against.

use crate::{Error, Event, Results, mock::*};
use agora_primitives::{
    TaskId,
    judging::Ruling,
    reputation::Outcome,
    task::{Phase, RoundKind},
};
use frame_support::assert_noop;

/// A task whose result, answer 1 of workers 0 and 1 against answer 2 of worker 2, was attested against.
fn reopened(in_favour: u32, against: u32) -> TaskId {
    let task = publish();
    ReputationDouble::set_confidence(worker(0), 30);
    answer_all(task, &[(0, 1), (1, 1), (2, 2)]);
    assert_eq!(phase(task), Phase::Appealable);
    attest(task, in_favour, against);
    run_to(progress(task).due + 1);
    task
}

fn rulings() -> Vec<Ruling> {
    Rulings::get().into_iter().map(|(_, ruling)| ruling).collect()
}

#[test]
fn asks_for_fresh_workers() {
    ExtBuilder::default().build_and_execute(|| {
        let task = reopened(2, 1);
        has_event(Event::Reopened { task, round: 1 });
        await_draw(task);
        let workers = vec![worker(3), worker(4), worker(5)].try_into().unwrap();
        last_event(Event::WorkersInvited {
            task,
            workers,
            until: now() + 3,
        });
        let progress = progress(task);
        assert_eq!((progress.phase, progress.kind), (Phase::Working, RoundKind::Appeal));
        assert_eq!((progress.wanted, progress.contributions), (3, 3));
        let call = Tasks::accept(RuntimeOrigin::signed(worker(0)), task);
        assert_noop!(call, Error::<Test>::AlreadyAccepted);
        assert!(rulings().is_empty());
    });
}

#[test]
fn an_attester_may_not_work_in_the_round_that_rules_on_its_word() {
    ExtBuilder::default().build_and_execute(|| {
        let task = reopened(1, 1);
        await_draw(task);
        run_to(now() + 4);
        for attester in [VERIFIER, VERIFIER + 1] {
            let call = Tasks::accept(RuntimeOrigin::signed(attester), task);
            assert_noop!(call, Error::<Test>::AttesterMayNotWork);
        }
        accept(3, task);
    });
}

#[test]
fn the_same_result_again_upholds_the_first() {
    ExtBuilder::default().build_and_execute(|| {
        let task = reopened(1, 2);
        let best = Results::<Test>::get(task).unwrap().best;
        answer_all(task, &[(3, 1), (4, 1), (5, 1)]);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(rulings(), [Ruling::Upheld]);
        last_event(Event::Settled {
            task,
            claim: claim(1),
            best,
        });
        assert_eq!(gain(worker(2)), -(WRONG as i128));
        for n in [0, 1, 3, 4, 5] {
            assert!(gain(worker(n)) > 0);
            assert_eq!(records_of(worker(n)), [(AS_WORKER, Outcome::Right { confirmed: true })]);
        }
        assert_eq!(
            gain(VERIFIER),
            333,
            "of the verifiers' part a third, as there were three"
        );
        assert_eq!(gain(VERIFIER + 1), 0);
        assert_eq!(terminal_events().len(), 1);
    });
}

#[test]
fn another_result_overturns_the_first_and_pays_who_was_right_all_along() {
    ExtBuilder::default().build_and_execute(|| {
        let task = reopened(1, 2);
        answer_all(task, &[(3, 2), (4, 2), (5, 2)]);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(rulings(), [Ruling::Overturned]);
        let chosen = Results::<Test>::get(task).unwrap();
        assert_eq!(chosen.claim, claim(2));
        last_event(Event::Settled {
            task,
            claim: claim(2),
            best: chosen.best,
        });
        for n in [0, 1] {
            assert_eq!(gain(worker(n)), -(WRONG as i128));
            assert_eq!(records_of(worker(n)), [(AS_WORKER, Outcome::Wrong)]);
        }
        for n in [2, 3, 4, 5] {
            assert!(gain(worker(n)) > 0);
        }
        assert_eq!(gain(VERIFIER), 0);
        assert_eq!(gain(VERIFIER + 1), 333);
        assert_eq!(gain(VERIFIER + 2), 333);
    });
}

#[test]
fn the_first_answers_have_no_say() {
    ExtBuilder::default().build_and_execute(|| {
        let task = reopened(0, 1);
        // Worker 0 alone outweighs three others, but is not asked.
        ReputationDouble::set_confidence(worker(0), 3_000);
        answer_all(task, &[(3, 3), (4, 3), (5, 3)]);
        assert_eq!(rulings(), [Ruling::Overturned]);
        assert_eq!(Results::<Test>::get(task).unwrap().claim, claim(3));
    });
}

#[test]
fn without_fresh_agreement_the_larger_side_in_favour_decides() {
    ExtBuilder::default().build_and_execute(|| {
        let task = reopened(2, 1);
        answer_all(task, &[(3, 2), (4, 3), (5, 4)]);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(rulings(), [Ruling::Upheld]);
        for n in [2, 3, 4, 5] {
            assert_eq!(gain(worker(n)), -(WRONG as i128));
        }
        assert!(gain(worker(0)) > 0);
    });
}

#[test]
fn without_anybody_fresh_the_larger_side_in_favour_decides() {
    ExtBuilder::default().build_and_execute(|| {
        let task = reopened(2, 1);
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(rulings(), [Ruling::Upheld]);
    });
}

#[test]
fn a_tie_without_fresh_agreement_leaves_the_task_undecided() {
    ExtBuilder::default().build_and_execute(|| {
        let task = reopened(1, 1);
        accept(6 - 3, task);
        run_to(progress(task).due + 1);
        undecided(task);
        assert_eq!(gain(worker(3)), -(LATE as i128));
        assert_eq!(gain(TREASURY), (FEE + LATE) as i128);
    });
}

#[test]
fn a_result_that_falls_without_another_in_its_place_leaves_the_task_undecided() {
    ExtBuilder::default().build_and_execute(|| {
        let task = reopened(1, 2);
        answer_all(task, &[(3, 2), (4, 3), (5, 4)]);
        undecided(task);
        for n in [3, 4, 5] {
            assert_eq!(gain(worker(n)), 0);
        }
        assert_eq!(gain(TREASURY), FEE as i128);
    });
}

fn undecided(task: TaskId) {
    assert_eq!(phase(task), Phase::Failed);
    assert_eq!(rulings(), [Ruling::Disagreed]);
    assert_eq!(terminal_events(), [Event::Failed { task }]);
    assert_eq!(gain(ALICE), -(FEE as i128));
    for n in 0..3 {
        assert_eq!(gain(worker(n)), 0);
        assert!(records_of(worker(n)).is_empty());
    }
    assert!(!Results::<Test>::contains_key(task));
}
