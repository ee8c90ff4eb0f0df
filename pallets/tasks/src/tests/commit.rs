//! `commit`.

use crate::{Contributions, Error, Event, mock::*};
use agora_primitives::{
    TaskId,
    task::{ContributionState, Phase},
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

fn call(n: u64, task: TaskId) -> frame_support::dispatch::DispatchResult {
    Tasks::commit(RuntimeOrigin::signed(worker(n)), task, H256::repeat_byte(9))
}

#[test]
fn keeps_the_commitment() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        run_to(3);
        assert_ok!(call(0, task));
        let commitment = H256::repeat_byte(9);
        last_event(Event::Committed {
            task,
            worker: worker(0),
            commitment,
        });
        let state = Contributions::<Test>::get(task, worker(0)).unwrap().state;
        assert_eq!(state, ContributionState::Committed { commitment, at: 3 });
        assert_eq!(phase(task), Phase::Working);
    });
}

#[test]
fn the_last_one_that_is_wanted_starts_the_reveal_at_once() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        (0..3).for_each(|n| accept(n, task));
        run_to(3);
        (0..2).for_each(|n| call(n, task).unwrap());
        assert_eq!(phase(task), Phase::Working);
        assert_ok!(call(2, task));
        last_event(Event::RevealStarted { task, until: 8 });
        assert_eq!(phase(task), Phase::Revealing);
        assert_eq!(progress(task).scheduled_at, Some(DEADLINE + 1));
        run_to(4);
        assert_eq!(progress(task).scheduled_at, Some(9));
    });
}

#[test]
fn all_who_accepted_are_not_all_who_are_wanted() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 1)]);
        assert_eq!(phase(task), Phase::Working);
        run_to(DEADLINE + 2);
        has_event(Event::RevealStarted {
            task,
            until: DEADLINE + 6,
        });
        assert_eq!(phase(task), Phase::Revealing);
    });
}

#[test]
fn fails_for_a_task_that_does_not_exist() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(call(0, TaskId(3)), Error::<Test>::UnknownTask);
    });
}

#[test]
fn fails_for_who_has_not_accepted() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        assert_noop!(call(1, task), Error::<Test>::NotAccepted);
    });
}

#[test]
fn fails_before_the_thinking_time_is_over() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        run_to(2);
        assert_noop!(call(0, task), Error::<Test>::TooEarly);
        run_to(3);
        assert_ok!(call(0, task));
    });
}

#[test]
fn fails_after_the_deadline() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        accept(1, task);
        jump_to(DEADLINE);
        assert_ok!(call(0, task));
        jump_to(DEADLINE + 1);
        assert_noop!(call(1, task), Error::<Test>::TooLate);
    });
}

#[test]
fn fails_the_second_time() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        run_to(3);
        assert_ok!(call(0, task));
        assert_noop!(call(0, task), Error::<Test>::AlreadyCommitted);
    });
}

#[test]
fn fails_once_revealing_has_begun() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        accept(1, task);
        run_to(3);
        assert_ok!(call(0, task));
        run_to(DEADLINE + 2);
        assert_eq!(phase(task), Phase::Revealing);
        assert_noop!(call(1, task), Error::<Test>::NotWorking);
    });
}

#[test]
fn fails_in_a_later_round_than_was_accepted() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(2, task);
        answer_all(task, &[(0, 1), (1, 2)]);
        assert_eq!((phase(task), progress(task).round), (Phase::Working, 1));
        assert_noop!(call(2, task), Error::<Test>::RoundOver);
    });
}
