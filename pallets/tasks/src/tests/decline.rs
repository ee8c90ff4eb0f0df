//! `decline`.

use crate::{Error, Event, Invitations, mock::*};
use agora_primitives::{TaskId, judging::TaskParties, task::Phase};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchResultWithPostInfo, Pays},
};

fn decline(n: u64, task: TaskId) -> DispatchResultWithPostInfo {
    Tasks::decline(RuntimeOrigin::signed(worker(n)), task)
}

fn accept_of(n: u64, task: TaskId) -> DispatchResultWithPostInfo {
    Tasks::accept(RuntimeOrigin::signed(worker(n)), task)
}

/// A task whose workers have been drawn.
fn drawn() -> TaskId {
    let task = publish();
    await_draw(task);
    task
}

fn invited(task: TaskId) -> Vec<AccountId> {
    Invitations::<Test>::get(task).map_or_else(Vec::new, |invitation| invitation.workers.into_inner())
}

#[test]
fn opens_the_slot_to_all_at_once_and_costs_nothing() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = drawn();
        assert_noop!(accept_of(5, task), Error::<Test>::NotInvited);
        assert_eq!(decline(1, task).unwrap().pays_fee, Pays::No);
        last_event(Event::InvitationDeclined {
            task,
            worker: worker(1),
        });
        assert_eq!(invited(task), [worker(0), worker(2)]);
        assert_eq!((gain(worker(1)), records_of(worker(1))), (0, vec![]));
        let view = Tasks::task(task).unwrap();
        assert!(view.takes(&worker(5), now()));
        assert_ok!(accept_of(5, task));
        assert_noop!(accept_of(6, task), Error::<Test>::NotInvited);
        [0, 2].into_iter().for_each(|n| accept(n, task));
        assert!(!Invitations::<Test>::contains_key(task));
        assert_noop!(accept_of(6, task), Error::<Test>::AllSlotsTaken);
    });
}

#[test]
fn keeps_the_slots_of_the_others_for_them() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = drawn();
        accept(0, task);
        assert_ok!(decline(2, task));
        assert_ok!(accept_of(7, task));
        run_to(6);
        assert_noop!(accept_of(8, task), Error::<Test>::NotInvited);
        assert!(!Tasks::task(task).unwrap().takes(&worker(8), 5));
        assert_ok!(accept_of(1, task));
    });
}

#[test]
fn leaves_no_invitation_when_all_decline_and_who_declined_may_accept_like_anybody() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = drawn();
        (0..3).for_each(|n| {
            assert_ok!(decline(n, task));
        });
        assert!(!Invitations::<Test>::contains_key(task));
        [9, 0, 1].into_iter().for_each(|n| accept(n, task));
        assert_eq!(progress(task).accepted, 3);
    });
}

#[test]
fn leaves_no_interest_in_the_task() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = drawn();
        let is_party = |n| <Tasks as TaskParties<AccountId>>::is_party(task, &worker(n));
        assert!(is_party(0));
        assert_ok!(decline(0, task));
        assert!(!is_party(0));
        accept(1, task);
        assert!(is_party(1) && is_party(2));
    });
}

#[test]
fn fails_for_who_is_not_invited() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = drawn();
        assert_noop!(decline(5, task), Error::<Test>::NotInvited);
        assert_ok!(decline(0, task));
        assert_noop!(decline(0, task), Error::<Test>::NotInvited);
        accept(1, task);
        assert_noop!(decline(1, task), Error::<Test>::NotInvited);
        run_to(7);
        assert_noop!(decline(2, task), Error::<Test>::NotInvited);
    });
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        assert_noop!(decline(0, task), Error::<Test>::NotInvited);
    });
}

#[test]
fn fails_where_there_is_nothing_to_decline() {
    ExtBuilder::default().priority().build_and_execute(|| {
        assert_noop!(decline(0, TaskId(9)), Error::<Test>::UnknownTask);
        let task = publish();
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(ALICE), task));
        assert_eq!(phase(task), Phase::Cancelled);
        assert_noop!(decline(0, task), Error::<Test>::NotAccepting);
    });
}
