//! `advance`: anyone takes the step that is due.

use crate::{Error, Event, WeightInfo, mock::*, types::TaskProgress};
use agora_primitives::{
    TaskId,
    task::{LATE_AFTER, LATE_STEP_PARTS, MOST_LATE_STEPS, Phase, RoundKind},
};
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
        // No court is asked about what comes out of it.
        let (rule, settle) = (<() as WeightInfo>::rule(3), <() as WeightInfo>::settle(3));
        assert_eq!(advance(reopens), rule.saturating_add(settle));
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

/// What a late step is paid with.
const PAY: Balance = FEE / LATE_STEP_PARTS as Balance;

/// The first block in which the step of a task is late.
fn late_from(task: TaskId) -> BlockNumber {
    progress(task).due + u64::from(LATE_AFTER) + 1
}

#[test]
fn pays_who_takes_a_late_step_of_the_fee_and_nobody_else() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        jump_to(late_from(task));
        let weight = <() as WeightInfo>::expire(0).saturating_add(<() as WeightInfo>::cancel());
        assert_eq!(advance(task), weight);
        assert_eq!(phase(task), Phase::Expired);
        assert_eq!((gain(BOB), gain(ALICE)), (PAY as i128, -(PAY as i128)));
        assert_eq!(gain(TREASURY), 0, "the rest of the fee goes back");
    });
}

#[test]
fn pays_nothing_for_a_step_that_is_due_but_not_late() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        jump_to(late_from(task) - 1);
        assert_eq!(advance(task), <() as WeightInfo>::expire(0));
        assert_eq!((gain(BOB), gain(ALICE)), (0, 0));
    });
}

#[test]
fn pays_nothing_for_a_record_that_is_kept_too_long() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(ALICE), task));
        jump_to(late_from(task));
        assert_eq!(advance(task), <() as WeightInfo>::purge());
        assert_eq!(gain(BOB), 0);
    });
}

#[test]
fn what_is_paid_for_late_steps_is_what_the_treasury_does_not_get() {
    let settled = |late: bool| {
        let mut gains = (0, 0, 0);
        ExtBuilder::default().build_and_execute(|| {
            let task = publish();
            answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
            jump_to(if late { late_from(task) } else { progress(task).due });
            advance(task);
            assert_eq!(phase(task), Phase::Settled);
            gains = (gain(BOB), gain(TREASURY), gain(ALICE));
        });
        gains
    };
    let (in_time, late) = (settled(false), settled(true));
    let pay = PAY as i128;
    assert_eq!(late, (in_time.0 + pay, in_time.1 - pay, in_time.2));
}

#[test]
fn pays_nothing_for_a_step_that_cannot_be_taken() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        jump_to(late_from(task));
        world(|world| world.tree_is_full = true);
        let call = Tasks::advance(RuntimeOrigin::signed(BOB), task);
        assert_noop!(call, sp_runtime::DispatchError::Exhausted);
        assert_eq!((gain(BOB), progress(task).paid_steps), (0, 0));
        world(|world| world.tree_is_full = false);
        advance(task);
        assert_eq!(gain(BOB), PAY as i128);
    });
}

#[test]
fn pays_for_some_steps_of_a_task_so_that_most_of_the_fee_stays_one() {
    let mut progress = TaskProgress::<BlockNumber>::published(RoundKind::Replication, DEADLINE, 3, 5);
    let late = DEADLINE + 1 + u64::from(LATE_AFTER) + 1;
    for _ in 0..MOST_LATE_STEPS {
        assert!(!progress.pay_step(late - 1));
        assert!(progress.pay_step(late));
    }
    assert!(!progress.pay_step(BlockNumber::MAX));
    const { assert!(MOST_LATE_STEPS * 2 <= LATE_STEP_PARTS) };
}
