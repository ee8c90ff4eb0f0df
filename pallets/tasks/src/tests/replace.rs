//! Workers that are silent for longer than their slots are their own, and those that take over.

use crate::{Contributions, Error, Event, mock::*};
use agora_primitives::{
    TaskId,
    reputation::Outcome,
    task::{ContributionState, Difficulty, Phase},
};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResultWithPostInfo};

fn take_over(n: u64, task: TaskId) -> DispatchResultWithPostInfo {
    Tasks::accept(RuntimeOrigin::signed(worker(n)), task)
}

fn state(n: u64, task: TaskId) -> ContributionState<BlockNumber> {
    Contributions::<Test>::get(task, worker(n)).unwrap().state
}

/// A task whose slots the first three workers took in this block, and the first block in which they are late.
fn silent() -> (TaskId, BlockNumber) {
    let task = publish();
    (0..3).for_each(|n| accept(n, task));
    (task, now() + COMMIT_WINDOW + 1)
}

#[test]
fn a_silent_worker_loses_its_slot_to_another_and_pays_for_it() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, late_from) = silent();
        run_to(3);
        (1..3).for_each(|n| commit(n, task, 1));
        run_to(late_from - 1);
        assert_noop!(take_over(3, task), Error::<Test>::AllSlotsTaken);
        run_to(late_from);
        assert_ok!(take_over(3, task));
        has_event(Event::WorkerJudged {
            task,
            worker: worker(0),
            outcome: Outcome::Late,
        });
        has_event(Event::WorkerReplaced {
            task,
            worker: worker(0),
            by: worker(3),
        });
        last_event(Event::Accepted {
            task,
            worker: worker(3),
        });
        assert_eq!(state(0, task), ContributionState::Replaced);
        assert_eq!((bond_held(0, task), bond_held(3, task)), (0, BOND));
        assert_eq!(gain(worker(0)), -(LATE as i128));
        assert_eq!(gain(TREASURY), LATE as i128);
        assert_eq!(world(|world| world.slots[&worker(0)]), 0);
        assert_eq!(progress(task).accepted, 3);

        run_to(now() + 2);
        commit(3, task, 1);
        assert_eq!(phase(task), Phase::Revealing);
        (1..4).for_each(|n| reveal(n, task, 1));
        run_to(now() + 2);
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(gain(worker(0)), -(LATE as i128), "it pays once, and is not paid");
        assert_eq!(records_of(worker(0)), [(AS_WORKER, Outcome::Late)]);
        assert!((1..4).all(|n| gain(worker(n)) > 0));
    });
}

#[test]
fn who_commits_in_the_last_block_of_its_time_keeps_its_slot() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, late_from) = silent();
        jump_to(late_from - 1);
        (0..3).for_each(|n| commit(n, task, 1));
        assert_eq!(phase(task), Phase::Revealing);
        jump_to(late_from);
        assert_noop!(take_over(3, task), Error::<Test>::NotAccepting);
        (0..3).for_each(|n| reveal(n, task, 1));
        run_to(late_from + 2);
        run_to(progress(task).due + 1);
        assert!(
            (0..3).all(|n| gain(worker(n)) > 0),
            "right and in time is never punished"
        );
    });
}

#[test]
fn who_is_late_may_commit_as_long_as_nobody_takes_over() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, late_from) = silent();
        run_to(late_from + 3);
        commit(0, task, 1);
        assert_ok!(take_over(3, task));
        assert!(matches!(state(0, task), ContributionState::Committed { .. }));
        assert_eq!(gain(worker(0)), 0);
        let replaced = (1..3).filter(|n| state(*n, task) == ContributionState::Replaced);
        assert_eq!(replaced.count(), 1);
    });
}

#[test]
fn of_the_silent_the_one_that_was_late_first_is_replaced() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        for n in [2, 0, 1] {
            accept(n, task);
            run_to(now() + 1);
        }
        run_to(COMMIT_WINDOW + 4);
        assert_ok!(take_over(3, task));
        assert_eq!(state(2, task), ContributionState::Replaced);
        assert_ok!(take_over(4, task));
        assert_eq!(state(0, task), ContributionState::Replaced);
        assert!(matches!(state(1, task), ContributionState::Accepted { .. }));
    });
}

#[test]
fn a_replaced_worker_does_not_come_back() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        run_to(2);
        (1..3).for_each(|n| accept(n, task));
        run_to(2 + COMMIT_WINDOW);
        assert_ok!(take_over(3, task));
        assert_noop!(take_over(0, task), Error::<Test>::AlreadyAccepted);
        let signed = || RuntimeOrigin::signed(worker(0));
        let hash = commitment_of(0, task, 1);
        assert_noop!(Tasks::commit(signed(), task, hash), Error::<Test>::Replaced);
        run_to(now() + 2);
        (1..4).for_each(|n| commit(n, task, 1));
        assert_noop!(Tasks::reveal(signed(), task, claim(1), SALT), Error::<Test>::Replaced);
    });
}

#[test]
fn a_replaced_worker_is_not_drawn_for_later_rounds() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let (task, late_from) = silent();
        run_to(now() + 2);
        (1..3).for_each(|n| commit(n, task, n as u8));
        run_to(late_from);
        assert_ok!(take_over(3, task));
        run_to(now() + 2);
        commit(3, task, 3);
        (1..4).for_each(|n| reveal(n, task, n as u8));
        run_to(now() + 2);
        assert_eq!(progress(task).round, 1);
        await_draw(task);
        let invited = Tasks::task(task).unwrap().invited.unwrap();
        assert_eq!(invited.workers, [worker(4), worker(5)]);
        assert_noop!(take_over(0, task), Error::<Test>::AlreadyAccepted);
        assert_eq!(progress(task).workers(), 4);
    });
}

#[test]
fn slots_change_hands_only_as_often_as_there_is_room_and_then_the_publisher_may_cancel() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, late_from) = silent();
        run_to(late_from);
        assert_ok!(take_over(3, task));
        assert_ok!(take_over(4, task));
        assert_eq!(progress(task).replaced, 2);
        let cancel = || Tasks::cancel(RuntimeOrigin::signed(ALICE), task);
        assert_noop!(cancel(), Error::<Test>::TaskNotOpen);
        run_to(late_from + COMMIT_WINDOW + 1);
        assert_noop!(take_over(5, task), Error::<Test>::AllSlotsTaken);
        assert_eq!(Tasks::task(task).unwrap().slots_kept_until, None);
        assert_ok!(cancel());
        // Holding up a task with five accounts costs five penalties.
        assert_eq!(gain(TREASURY), (FEE + 5 * LATE) as i128);
        assert!((0..5).all(|n| gain(worker(n)) == -(LATE as i128)));
        assert_eq!(gain(ALICE), -(FEE as i128));
    });
}

#[test]
fn everybody_may_take_over_who_could_have_accepted_and_nobody_else() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, late_from) = silent();
        run_to(late_from);
        let publisher = Tasks::accept(RuntimeOrigin::signed(ALICE), task);
        assert_noop!(publisher, Error::<Test>::PublisherMayNotWork);
        world(|world| world.inactive.insert(worker(3)));
        assert!(take_over(3, task).is_err());
        assert_noop!(
            Tasks::accept(RuntimeOrigin::signed(5), task),
            pallet_agora_escrow::Error::<Test>::InsufficientBalance
        );
        // The doubles' slots are not undone with the call.
        world(|world| {
            world.slots.remove(&5);
            world.slots.extend((0..3).map(|n| (worker(n), 1)));
        });
        assert_eq!(progress(task).replaced, 0);
        jump_to(DEADLINE - 1);
        assert_noop!(take_over(4, task), Error::<Test>::TooLateToAccept);
        jump_to(DEADLINE - 2);
        assert_ok!(take_over(4, task));
    });
}

#[test]
fn harder_tasks_leave_more_time_and_no_change_of_the_class_less() {
    let with_room = |class: &mut Class| class.max_difficulty = Difficulty(3_000);
    ExtBuilder::default().with_class(with_room).build_and_execute(|| {
        let publish = |difficulty, n| {
            let id = crate::NextTaskId::<Test>::get();
            let (reward, deadline) = (3 * REWARD, 90);
            assert_ok!(Tasks::publish(
                RuntimeOrigin::signed(ALICE),
                CLASS,
                job(),
                Difficulty(difficulty),
                reward,
                deadline,
                reference(n),
            ));
            id
        };
        let (easy, hard) = (publish(1_000, 1), publish(2_500, 2));
        let shorter = Class {
            commit_window: 3,
            ..class()
        };
        assert_ok!(Tasks::set_class(RuntimeOrigin::root(), CLASS, shorter));
        for (task, window) in [(easy, COMMIT_WINDOW), (hard, COMMIT_WINDOW * 5 / 2)] {
            accept(0, task);
            let view = Tasks::task(task).unwrap();
            assert_eq!(view.commit_window, window);
            let ContributionState::Accepted { commit_by, .. } = state(0, task) else {
                panic!("it has accepted");
            };
            assert_eq!((commit_by, view.commit_by(now())), (now() + window, now() + window));
        }
    });
}

#[test]
fn an_easy_task_of_a_class_leaves_no_less_than_the_window() {
    let easy = |class: &mut Class| class.min_difficulty = Difficulty(1);
    ExtBuilder::default().with_class(easy).build_and_execute(|| {
        let terms = crate::Classes::<Test>::get(CLASS)
            .unwrap()
            .terms(REWARD, Difficulty(1), ());
        assert_eq!(terms.unwrap().commit_window, COMMIT_WINDOW);
        let overflowing = Class {
            commit_window: u64::MAX / 2,
            ..class()
        };
        let terms = overflowing.terms(REWARD, Difficulty(3_000), ());
        assert_eq!(terms.unwrap().commit_window, u64::MAX, "the round ends before");
    });
}

#[test]
fn clients_see_when_a_slot_may_be_taken_over() {
    ExtBuilder::default().build_and_execute(|| {
        let (task, late_from) = silent();
        let view = || Tasks::task(task).unwrap();
        assert_eq!(view().slots_kept_until, Some(late_from - 1));
        assert!(!view().takes(&worker(3), late_from - 2));
        assert!(view().takes(&worker(3), late_from - 1), "in the next block");
        let wanting = || Tasks::tasks_wanting_workers(None).tasks;
        assert_eq!(wanting(), [view()], "sooner or later it takes one more");
        run_to(3);
        commit(0, task, 1);
        assert_eq!(view().slots_kept_until, Some(late_from - 1));
        (1..3).for_each(|n| commit(n, task, 1));
        assert_eq!(view().slots_kept_until, None);
        assert_eq!(wanting(), []);
    });
}

#[test]
fn slots_change_hands_in_an_appeal_too() {
    let quick = |class: &mut Class| class.commit_window = 3;
    ExtBuilder::default().with_class(quick).build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        attest(task, 0, 1);
        run_to(progress(task).due + 1);
        assert_eq!((phase(task), progress(task).round), (Phase::Working, 1));
        run_to(now() + 3);
        accept(3, task);
        run_to(now() + 1);
        (4..6).for_each(|n| accept(n, task));
        run_to(now() + 2);
        assert_noop!(take_over(6, task), Error::<Test>::AllSlotsTaken);
        run_to(now() + 1);
        assert_noop!(
            Tasks::accept(RuntimeOrigin::signed(VERIFIER), task),
            Error::<Test>::AttesterMayNotWork
        );
        assert_ok!(take_over(6, task));
        run_to(now() + 2);
        (4..7).for_each(|n| commit(n, task, 2));
        (4..7).for_each(|n| reveal(n, task, 2));
        run_to(now() + 2);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(gain(worker(3)), -(LATE as i128));
        assert!((4..7).all(|n| gain(worker(n)) > 0));
    });
}
