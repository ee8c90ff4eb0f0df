//! `accept`.

use crate::{Contributions, Error, Event, mock::*};
use agora_primitives::{
    TaskId,
    task::{ContributionState, Phase},
};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResultWithPostInfo};
use sp_runtime::DispatchError;

fn call(who: AccountId, task: TaskId) -> DispatchResultWithPostInfo {
    Tasks::accept(RuntimeOrigin::signed(who), task)
}

#[test]
fn holds_the_bond_and_occupies_a_slot() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        assert_ok!(call(worker(0), task));
        last_event(Event::Accepted {
            task,
            worker: worker(0),
        });
        assert_eq!(phase(task), Phase::Working);
        assert_eq!(bond_held(0, task), BOND);
        assert_eq!(free(worker(0)), ENDOWMENT - BOND);
        assert_eq!(free(worker(1)), ENDOWMENT);
        assert_eq!(world(|world| world.slots[&worker(0)]), 1);
        let contribution = Contributions::<Test>::get(task, worker(0)).unwrap();
        let (commit_from, commit_by) = (3, 1 + COMMIT_WINDOW);
        assert_eq!(
            contribution.state,
            ContributionState::Accepted { commit_from, commit_by }
        );
        assert_eq!((contribution.round, contribution.accepted_at), (0, 1));
    });
}

#[test]
fn fails_for_a_task_that_does_not_exist() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(call(worker(0), TaskId(3)), Error::<Test>::UnknownTask);
    });
}

#[test]
fn fails_for_the_publisher() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        assert_noop!(call(ALICE, task), Error::<Test>::PublisherMayNotWork);
        assert_ok!(call(BOB, task));
    });
}

#[test]
fn fails_the_second_time() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        accept(0, task);
        assert_noop!(call(worker(0), task), Error::<Test>::AlreadyAccepted);
    });
}

#[test]
fn fails_when_all_slots_are_taken() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        (0..3).for_each(|n| accept(n, task));
        assert_noop!(call(worker(3), task), Error::<Test>::AllSlotsTaken);
    });
}

#[test]
fn fails_when_it_is_too_late_to_think_and_commit() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        jump_to(DEADLINE - 1);
        assert_noop!(call(worker(0), task), Error::<Test>::TooLateToAccept);
        jump_to(DEADLINE - 2);
        assert_ok!(call(worker(0), task));
        jump_to(DEADLINE);
        commit(0, task, 1);
    });
}

#[test]
fn fails_when_the_task_is_not_open_for_acceptance() {
    ExtBuilder::default().replicas(1).build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1)]);
        assert_eq!(phase(task), Phase::Revealing);
        assert_noop!(call(worker(1), task), Error::<Test>::NotAccepting);
        let cancelled = publish_as(BOB, 1);
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(BOB), cancelled));
        assert_noop!(call(worker(1), cancelled), Error::<Test>::NotAccepting);
    });
}

#[test]
fn is_for_invited_workers_first_and_then_for_anybody() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = publish();
        assert_noop!(call(worker(5), task), Error::<Test>::NotInvited);
        accept(0, task);
        run_to(6);
        assert_noop!(call(worker(5), task), Error::<Test>::NotInvited);
        run_to(7);
        accept(5, task);
    });
}

#[test]
fn fails_for_a_worker_who_is_not_active_not_suited_or_has_no_slot() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        world(|world| world.inactive.insert(worker(0)));
        assert_noop!(call(worker(0), task), DispatchError::Other("inactive"));
        world(|world| world.unsuited.insert(worker(1)));
        assert_noop!(call(worker(1), task), DispatchError::Other("unsuited"));
        (2..2 + u64::from(SLOTS))
            .map(|n| publish_as(BOB, n as u8))
            .for_each(|task| accept(2, task));
        assert_noop!(call(worker(2), task), DispatchError::Other("no slot"));
    });
}

#[test]
fn fails_without_the_money_for_the_bond() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        let pauper = 5;
        assert_noop!(
            call(pauper, task),
            pallet_agora_escrow::Error::<Test>::InsufficientBalance
        );
        // The double's slot is not undone with the call.
        world(|world| world.slots.clear());
    });
}
