//! `cancel`.

use crate::{Error, Event, mock::*};
use agora_primitives::{TaskId, reputation::Outcome, task::Phase};
use frame_support::{assert_noop, assert_ok};

#[test]
fn gives_reward_and_stake_back_and_the_fee_to_the_treasury() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(ALICE), task));
        last_event(Event::Cancelled { task });
        assert_eq!(phase(task), Phase::Cancelled);
        assert_eq!(free(ALICE), ENDOWMENT - FEE);
        assert_eq!(gain(TREASURY), FEE as i128);
        assert_eq!(gain(BOB), 0);
        assert_eq!(terminal_events(), [Event::Cancelled { task }]);
    });
}

#[test]
fn removes_the_invitation() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = publish();
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(ALICE), task));
        assert!(!crate::Invitations::<Test>::contains_key(task));
    });
}

#[test]
fn fails_for_anybody_else() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        let call = Tasks::cancel(RuntimeOrigin::signed(BOB), task);
        assert_noop!(call, Error::<Test>::NotPublisher);
    });
}

#[test]
fn fails_once_somebody_has_accepted() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        let call = Tasks::cancel(RuntimeOrigin::signed(ALICE), task);
        assert_noop!(call, Error::<Test>::TaskNotOpen);
    });
}

#[test]
fn one_acceptance_does_not_prevent_it_for_ever() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        run_to(2);
        accept(1, task);
        let cancel = || Tasks::cancel(RuntimeOrigin::signed(ALICE), task);
        run_to(2 + COMMIT_WINDOW);
        assert_noop!(cancel(), Error::<Test>::TaskNotOpen);
        run_to(3 + COMMIT_WINDOW);
        assert_ok!(cancel());
        assert_eq!(terminal_events(), [Event::Cancelled { task }]);
        assert_eq!(free(ALICE), ENDOWMENT - FEE);
        for n in [0, 1] {
            assert_eq!(free(worker(n)), ENDOWMENT - LATE);
            assert_eq!(records_of(worker(n)), [(AS_WORKER, Outcome::Late)]);
        }
        assert_eq!(gain(TREASURY), (FEE + 2 * LATE) as i128);
    });
}

#[test]
fn fails_once_somebody_has_committed_however_late_the_others_are() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(1, task);
        commit_all(task, &[(0, 1)]);
        run_to(3 + COMMIT_WINDOW);
        let cancel = || Tasks::cancel(RuntimeOrigin::signed(ALICE), task);
        assert_noop!(cancel(), Error::<Test>::TaskNotOpen);
        run_to(DEADLINE + 2);
        assert_eq!(phase(task), Phase::Revealing);
        assert_noop!(cancel(), Error::<Test>::TaskNotOpen);
    });
}

#[test]
fn fails_in_a_later_round_because_there_are_answers() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 2), (2, 3)]);
        assert_eq!((phase(task), progress(task).round), (Phase::Working, 1));
        let cancel = || Tasks::cancel(RuntimeOrigin::signed(ALICE), task);
        assert_noop!(cancel(), Error::<Test>::TaskNotOpen);
        accept(3, task);
        run_to(now() + COMMIT_WINDOW + 1);
        assert_eq!(phase(task), Phase::Working);
        assert_noop!(cancel(), Error::<Test>::TaskNotOpen);
    });
}

#[test]
fn fails_the_second_time() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(ALICE), task));
        let call = Tasks::cancel(RuntimeOrigin::signed(ALICE), task);
        assert_noop!(call, Error::<Test>::TaskNotOpen);
    });
}

#[test]
fn fails_for_a_task_that_does_not_exist() {
    ExtBuilder::default().build_and_execute(|| {
        let call = Tasks::cancel(RuntimeOrigin::signed(ALICE), TaskId(3));
        assert_noop!(call, Error::<Test>::UnknownTask);
    });
}
