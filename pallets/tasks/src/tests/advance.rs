//! `advance`: anyone takes the step that is due.

use crate::{Error, Event, WeightInfo, mock::*};
use agora_primitives::{TaskId, task::Phase};
use frame_support::{assert_noop, assert_ok, weights::Weight};

fn advance(task: TaskId) -> Weight {
    Tasks::advance(RuntimeOrigin::signed(BOB), task)
        .unwrap()
        .actual_weight
        .unwrap()
}

#[test]
fn takes_every_step_without_the_agenda() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        accept(1, task);
        jump_to(3);
        commit(0, task, 1);
        commit(1, task, 1);
        jump_to(DEADLINE + 1);
        assert_eq!(advance(task), <() as WeightInfo>::start_reveal());
        reveal(0, task, 1);
        reveal(1, task, 1);
        jump_to(now() + 1);
        assert_eq!(advance(task), <() as WeightInfo>::judge(2));
        assert_eq!(phase(task), Phase::Appealable);
        jump_to(progress(task).due);
        assert_eq!(advance(task), <() as WeightInfo>::settle(2));
        assert_eq!(phase(task), Phase::Settled);
        jump_to(progress(task).due);
        assert_eq!(advance(task), <() as WeightInfo>::purge());
        last_event(Event::Purged { task });
        assert_eq!(gain(BOB), 0);
    });
}

#[test]
fn expires_replicates_fails_and_reopens() {
    ExtBuilder::default().build_and_execute(|| {
        let expires = publish_as(BOB, 1);
        let fails = publish();
        commit_all(fails, &[(0, 1), (1, 2), (2, 3)]);
        (0..3).for_each(|n| reveal(n, fails, n as u8 + 1));
        jump_to(now() + 1);
        assert_eq!(advance(fails), <() as WeightInfo>::replicate(3));
        jump_to(progress(fails).due);
        assert_eq!(advance(fails), <() as WeightInfo>::fail(3));
        jump_to(DEADLINE + 1);
        assert_eq!(advance(expires), <() as WeightInfo>::expire(0));
        let reopens = publish_as(ALICE, 2);
        answer_all(reopens, &[(0, 1), (1, 1), (2, 1)]);
        attest(reopens, 0, 1);
        jump_to(progress(reopens).due);
        assert_eq!(advance(reopens), <() as WeightInfo>::reopen(3));
        jump_to(progress(reopens).due);
        assert_eq!(advance(reopens), <() as WeightInfo>::rule(3));
        // The blocks that were jumped over are served now.
        run_to(now() + 1);
    });
}

#[test]
fn fails_while_nothing_is_due() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        let call = || Tasks::advance(RuntimeOrigin::signed(BOB), task);
        assert_noop!(call(), Error::<Test>::NothingDue);
        jump_to(DEADLINE);
        assert_noop!(call(), Error::<Test>::NothingDue);
        jump_to(DEADLINE + 1);
        assert_ok!(call());
        assert_noop!(call(), Error::<Test>::NothingDue);
    });
}

#[test]
fn fails_for_a_task_that_does_not_exist() {
    ExtBuilder::default().build_and_execute(|| {
        let call = Tasks::advance(RuntimeOrigin::signed(BOB), TaskId(3));
        assert_noop!(call, Error::<Test>::UnknownTask);
    });
}
