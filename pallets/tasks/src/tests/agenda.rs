//! The agenda: spilling, postponing, staying within the weight.

use crate::{AGENDA_PROBES, Agenda, Event, Hastened, ServedUpTo, WeightInfo, mock::*};
use agora_primitives::{TaskId, task::Phase};
use frame_support::{assert_ok, traits::Hooks, weights::Weight};

fn many() -> ExtBuilder {
    ExtBuilder::default().with_class(|class| class.max_open_per_publisher = 100)
}

fn fill(block: BlockNumber) {
    let tasks = (0..3).map(|n| TaskId(1_000 + n)).collect::<Vec<_>>();
    Agenda::<Test>::insert(block, frame_support::BoundedVec::truncate_from(tasks));
}

#[test]
fn full_buckets_spill_into_the_next_and_all_are_served() {
    many().build_and_execute(|| {
        let tasks: Vec<_> = (0..12).map(|n| publish_as(ALICE, n)).collect();
        for (n, task) in tasks.iter().enumerate() {
            let block = DEADLINE + 1 + n as u64 / 3;
            assert_eq!(progress(*task).scheduled_at, Some(block));
            assert!(Agenda::<Test>::get(block).contains(task));
        }
        run_to(DEADLINE + 1 + u64::from(AGENDA_PROBES));
        assert!(tasks.iter().all(|task| phase(*task) == Phase::Expired));
        assert_eq!(terminal_events().len(), 12);
        assert_eq!(gain(ALICE), 0);
    });
}

#[test]
fn what_does_not_fit_waits_for_the_next_block() {
    many().build_and_execute(|| {
        let tasks: Vec<_> = (0..3).map(|n| publish_as(ALICE, n)).collect();
        run_to(DEADLINE + 1);
        let look = Tasks::look_weight();
        let overhead = Tasks::base_weight().saturating_add(<() as WeightInfo>::on_idle_bucket());
        let one = <() as WeightInfo>::expire(0).saturating_add(look);
        let expired = || tasks.iter().filter(|task| phase(**task) == Phase::Expired).count();

        end_block(Weight::zero());
        assert_eq!(expired(), 0);
        end_block(overhead.saturating_add(one));
        assert_eq!(expired(), 1);
        assert_eq!(ServedUpTo::<Test>::get(), Some(DEADLINE));
        check_state();
        // On_idle begins with the bucket that is not done.
        end_block(overhead.saturating_add(one).saturating_add(one));
        assert_eq!(expired(), 3);
        run_to(now() + 1);
        assert_eq!(ServedUpTo::<Test>::get(), Some(now() - 1));
    });
}

#[test]
fn never_takes_more_weight_than_there_is() {
    many().build_and_execute(|| {
        let tasks: Vec<_> = (0..3).map(|n| publish_as(ALICE, n)).collect();
        commit_all(tasks[0], &[(0, 1), (1, 1), (2, 1)]);
        for tenth in 0..200u64 {
            let limit = <() as WeightInfo>::expire(0).saturating_mul(tenth) / 10;
            let used = Tasks::on_idle(now(), limit);
            assert!(used.all_lte(limit), "{used:?} of {limit:?}");
            System::set_block_number(now() + 1);
        }
        assert!(tasks.iter().all(|task| !matches!(
            crate::Progress::<Test>::get(task).map(|progress| progress.phase),
            Some(Phase::Open)
        )));
    });
}

#[test]
fn hastened_tasks_wait_for_weight() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1), (1, 1), (2, 1)]);
        assert_eq!(Hastened::<Test>::get().to_vec(), [task]);
        end_block(Tasks::base_weight());
        assert_eq!(Hastened::<Test>::get().to_vec(), [task]);
        run_to(now() + 1);
        assert!(Hastened::<Test>::get().is_empty());
        assert_eq!(progress(task).scheduled_at, Some(progress(task).due));
    });
}

#[test]
fn of_the_hastened_tasks_the_first_is_served_first() {
    many().replicas(1).build_and_execute(|| {
        let tasks: Vec<_> = (0..3).map(|n| publish_as(ALICE, n)).collect();
        tasks.iter().zip(0..).for_each(|(task, n)| accept(n, *task));
        run_to(3);
        tasks.iter().zip(0..).for_each(|(task, n)| commit(n, *task, 1));
        assert_eq!(Hastened::<Test>::get().to_vec(), tasks);
        // Enough to move two of them, one for each half, and to read the bucket of this block.
        let one = <() as WeightInfo>::reschedule().saturating_add(Tasks::look_weight());
        let overhead = Tasks::base_weight().saturating_add(<() as WeightInfo>::on_idle_bucket());
        end_block(overhead.saturating_add(one.saturating_mul(2)));
        assert_eq!(Hastened::<Test>::get().to_vec(), tasks[2..]);
        for moved in &tasks[..2] {
            assert_eq!(progress(*moved).scheduled_at, Some(progress(*moved).due));
        }
        run_to(now() + 1);
        assert!(Hastened::<Test>::get().is_empty());
    });
}

#[test]
fn neither_queue_keeps_the_other_from_being_served() {
    many().replicas(1).build_and_execute(|| {
        let overdue: Vec<_> = (0..3).map(|n| publish_as(ALICE, n)).collect();
        run_to(5);
        let hastened: Vec<_> = (3..6).map(|n| publish_as(ALICE, n)).collect();
        hastened.iter().zip(0..).for_each(|(task, n)| accept(n, *task));
        run_to(DEADLINE + 1);
        hastened.iter().zip(0..).for_each(|(task, n)| commit(n, *task, 1));
        let expired = || overdue.iter().filter(|task| phase(**task) == Phase::Expired).count();
        // A block has room for one step of each, and there is more to do in both.
        let one = <() as WeightInfo>::expire(0)
            .max(<() as WeightInfo>::reschedule())
            .saturating_add(Tasks::look_weight());
        let limit = Tasks::base_weight()
            .saturating_add(<() as WeightInfo>::on_idle_bucket())
            .saturating_add(one.saturating_mul(2));
        for served in 1..=2 {
            end_block(limit);
            assert!(expired() >= served, "the buckets starve");
            assert!(Hastened::<Test>::get().len() <= 3 - served, "what was hastened starves");
        }
        assert!(
            expired() < 3 || !Hastened::<Test>::get().is_empty(),
            "there was more to do"
        );
        run_to(now() + 3);
        assert_eq!((expired(), Hastened::<Test>::get().len()), (3, 0));
    });
}

#[test]
fn takes_no_more_than_its_share_of_a_block_that_is_idle() {
    many().build_and_execute(|| {
        let tasks: Vec<_> = (0..12).map(|n| publish_as(ALICE, n)).collect();
        let share = Tasks::least_share();
        AgendaShare::set(share);
        run_to(DEADLINE + 1);
        let open = || tasks.iter().filter(|task| phase(**task) == Phase::Open).count();
        let mut before = open();
        while before > 0 {
            let used = Tasks::on_idle(now(), Weight::MAX);
            assert!(used.all_lte(share), "{used:?} of {share:?}");
            let left = open();
            assert!(left < before, "each share is enough for a step");
            assert!(left > 0 || before < 12, "twelve steps are more than a share");
            before = left;
            jump_to(now() + 4);
        }
    });
}

#[test]
fn too_many_hastened_tasks_are_served_later_but_served() {
    many().replicas(1).build_and_execute(|| {
        let tasks: Vec<_> = (0..4).map(|n| publish_as(ALICE, n)).collect();
        tasks.iter().zip(0..).for_each(|(task, n)| accept(n, *task));
        run_to(3);
        tasks.iter().zip(0..).for_each(|(task, n)| commit(n, *task, 1));
        assert_eq!(Hastened::<Test>::get().len(), 3);
        run_to(4);
        // Its place in the agenda is still the deadline, one block later because three came before it.
        assert_eq!(progress(tasks[3]).scheduled_at, Some(DEADLINE + 2));
        run_to(DEADLINE + 3);
        assert!(tasks.iter().all(|task| phase(*task) == Phase::Expired));
    });
}

#[test]
fn a_task_that_is_served_before_it_is_due_is_moved() {
    many().replicas(1).build_and_execute(|| {
        let task = publish();
        accept(0, task);
        jump_to(DEADLINE);
        commit(0, task, 1);
        Hastened::<Test>::kill();
        ServedUpTo::<Test>::put(DEADLINE - 1);
        run_to(DEADLINE + 2);
        assert_eq!(phase(task), Phase::Revealing);
        assert_eq!(progress(task).scheduled_at, Some(DEADLINE + 6));
    });
}

#[test]
fn a_task_for_which_there_is_no_room_is_left_to_anyone() {
    ExtBuilder::default().replicas(1).build_and_execute(|| {
        let task = publish();
        commit_all(task, &[(0, 1)]);
        let due = progress(task).due;
        (due..due + u64::from(AGENDA_PROBES)).for_each(fill);
        run_to(now() + 1);
        last_event(Event::NotScheduled { task, due });
        assert_eq!(progress(task).scheduled_at, None);
        (due..due + u64::from(AGENDA_PROBES)).for_each(Agenda::<Test>::remove);
        check_state();
        run_to(due + 2);
        assert_eq!(phase(task), Phase::Revealing);
        assert_ok!(Tasks::advance(RuntimeOrigin::signed(BOB), task));
        assert_eq!(phase(task), Phase::Expired);
        assert!(progress(task).scheduled_at.is_some());
    });
}

#[test]
fn a_pallet_that_joins_a_running_chain_does_not_walk_its_past() {
    ExtBuilder::default().build_and_execute(|| {
        jump_to(1_000_000);
        let used = Tasks::on_idle(now(), Weight::MAX);
        assert_eq!(ServedUpTo::<Test>::get(), Some(1_000_000));
        let one = Tasks::base_weight().saturating_add(<() as WeightInfo>::on_idle_bucket());
        assert_eq!(used, one);
    });
}
