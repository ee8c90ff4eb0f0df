//! `cancel`.

use crate::{Error, Event, mock::*};
use agora_primitives::{TaskId, task::Phase};
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
