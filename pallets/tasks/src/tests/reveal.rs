//! `reveal`.

use crate::{Contributions, Error, Event, mock::*};
use agora_primitives::{
    TaskId,
    task::{ContributionState, Phase},
};
use frame_support::{assert_noop, assert_ok};

fn call(n: u64, task: TaskId, answer: u8) -> frame_support::dispatch::DispatchResult {
    let origin = RuntimeOrigin::signed(worker(n));
    Tasks::reveal(origin, task, claim(answer), SALT)
}

#[test]
fn keeps_the_result() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 1), (2, 1)]);
        assert_ok!(call(0, task, 1));
        last_event(Event::Revealed {
            task,
            worker: worker(0),
            claim: claim(1),
        });
        let state = Contributions::<Test>::get(task, worker(0)).unwrap().state;
        let (claim, committed_at) = (claim(1), 3);
        assert_eq!(state, ContributionState::Revealed { claim, committed_at });
        assert_eq!(phase(task), Phase::Revealing);
    });
}

#[test]
fn the_last_one_makes_judging_due_in_the_next_block() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 1), (2, 1)]);
        (0..3).for_each(|n| call(n, task, 1).unwrap());
        assert_eq!(phase(task), Phase::Judging);
        // Whoever reveals last must not know the lots.
        assert_eq!(progress(task).due, now() + 1);
        run_to(now() + 1);
        assert_eq!(phase(task), Phase::Judging);
        run_to(now() + 1);
        assert_eq!(phase(task), Phase::Appealable);
    });
}

#[test]
fn fails_for_a_task_that_does_not_exist() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(call(0, TaskId(3), 1), Error::<Test>::UnknownTask);
    });
}

#[test]
fn fails_for_who_has_not_accepted() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 1), (2, 1)]);
        assert_noop!(call(3, task, 1), Error::<Test>::NotAccepted);
    });
}

#[test]
fn fails_for_who_has_not_committed() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(1, task);
        commit_all(task, &[(0, 1)]);
        run_to(DEADLINE + 2);
        assert_noop!(call(1, task, 1), Error::<Test>::NotCommitted);
    });
}

#[test]
fn fails_before_revealing_begins() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1)]);
        assert_noop!(call(0, task, 1), Error::<Test>::NotRevealing);
    });
}

#[test]
fn fails_after_the_window() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 1), (2, 1)]);
        let until = progress(task).until();
        jump_to(until);
        assert_ok!(call(0, task, 1));
        jump_to(until + 1);
        assert_noop!(call(1, task, 1), Error::<Test>::TooLate);
    });
}

#[test]
fn fails_the_second_time() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 1), (2, 1)]);
        assert_ok!(call(0, task, 1));
        assert_noop!(call(0, task, 1), Error::<Test>::AlreadyRevealed);
    });
}

#[test]
fn fails_with_anything_else_than_was_committed_to() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 2), (2, 1)]);
        let origin = || RuntimeOrigin::signed(worker(0));
        assert_noop!(call(0, task, 2), Error::<Test>::CommitmentMismatch);
        let salted = Tasks::reveal(origin(), task, claim(1), [8; 32]);
        assert_noop!(salted, Error::<Test>::CommitmentMismatch);
        for other in [OTHER_STATES, UNUSABLE] {
            assert_noop!(call(0, task, other), Error::<Test>::CommitmentMismatch);
        }
    });
}

#[test]
fn fails_with_somebody_elses_commitment() {
    ExtBuilder::default().replicas(2).build_and_execute(|| {
        let task = publish();
        accept(0, task);
        accept(1, task);
        run_to(3);
        let copied = commitment_of(0, task, 1);
        commit(0, task, 1);
        assert_ok!(Tasks::commit(RuntimeOrigin::signed(worker(1)), task, copied));
        assert_ok!(call(0, task, 1));
        // The claim belongs to nobody; the commitment to it does.
        assert_noop!(call(1, task, 1), Error::<Test>::CommitmentMismatch);
    });
}

#[test]
fn fails_in_a_later_round_than_was_committed() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 2), (2, 1)]);
        reveal(0, task, 1);
        reveal(1, task, 2);
        run_to(progress(task).due + 1);
        assert_eq!((phase(task), progress(task).round), (Phase::Working, 1));
        assert_noop!(call(2, task, 1), Error::<Test>::RoundOver);
    });
}
