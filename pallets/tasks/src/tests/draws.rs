//! Draws: when they are carried out, with which seed, and for whom.

use crate::{
    DRAW_DELAY, DrawOrders, DrawQueue, Error, Invitations, MAX_DRAWS_PER_BLOCK, WeightInfo, mock::*, types::Queue,
};
use agora_primitives::{
    TaskId,
    judging::Seed,
    task::{Difficulty, Phase},
};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::RuntimeDbWeight};

fn invited(task: TaskId) -> Vec<AccountId> {
    Invitations::<Test>::get(task).map_or_else(Vec::new, |invited| invited.workers.to_vec())
}

fn drawn() -> usize {
    world(|world| world.draws.len())
}

/// Publishers and workers cannot be asked one after the other until somebody suits: nobody may accept before the draw, not even
/// those who would be drawn.
#[test]
fn nobody_may_accept_before_the_draw() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = publish();
        for block in 1..=2 {
            run_to(block);
            check_state();
            assert_eq!(drawn(), 0);
            for n in [0, 5] {
                let call = Tasks::accept(RuntimeOrigin::signed(worker(n)), task);
                assert_noop!(call, Error::<Test>::NotInvited);
            }
        }
        run_to(3);
        assert_eq!(drawn(), 1);
        assert_ok!(Tasks::accept(RuntimeOrigin::signed(worker(0)), task));
    });
}

/// What the publisher can choose, the block and the id, is chosen before the seed is known; and it is not the seed of the block
/// of the order.
#[test]
fn the_seed_is_that_of_the_block_that_draws() {
    ExtBuilder::default().priority().build_and_execute(|| {
        run_to(4);
        let task = publish();
        let subject = (b"agora/invite", task, 0u32).encode();
        let seed = || BlockSeed::<Test>::seed(&subject);
        let known = seed();
        run_to(4 + u64::from(DRAW_DELAY));
        assert_eq!(world(|world| world.draws.clone()), [(now(), seed())]);
        assert_ne!(known, seed());
    });
}

#[test]
fn later_rounds_are_drawn_later_too_and_without_those_who_were_there() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 2), (2, 3)]);
        // Judged, and the round begun, in the block before.
        let begun = now() - 1;
        assert_eq!((progress(task).round, drawn()), (1, 0));
        let call = Tasks::accept(RuntimeOrigin::signed(worker(3)), task);
        assert_noop!(call, Error::<Test>::NotInvited);
        await_draw(task);
        assert_eq!(now(), begun + u64::from(DRAW_DELAY));
        assert_eq!(invited(task), [worker(3), worker(4)]);
    });
}

#[test]
fn where_nobody_can_be_drawn_anybody_may_accept() {
    let nobody = ExtBuilder::default()
        .priority()
        .with_class(|class| class.invite_window = 0);
    nobody.build_and_execute(|| {
        let task = publish();
        assert_ok!(Tasks::accept(RuntimeOrigin::signed(worker(5)), task));
        assert!(DrawOrders::<Test>::iter().next().is_none());
    });
}

#[test]
fn a_task_that_is_over_draws_nobody() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let cancelled = publish();
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(ALICE), cancelled));
        check_state();
        let task = publish_as(BOB, 1);
        await_draw(task);
        assert_eq!(drawn(), 1);
        assert_eq!((phase(cancelled), invited(cancelled)), (Phase::Cancelled, vec![]));
        assert_eq!(DrawQueue::<Test>::get(), Queue { first: 2, next: 2 });
    });
}

/// Nobody is drawn for a round that is over, nor for the next one before its own turn.
#[test]
fn an_order_is_for_its_round_alone() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        answer_all(task, &[(0, 1), (1, 2), (2, 3)]);
        DrawOrders::<Test>::mutate(0, |order| order.as_mut().unwrap().round = 7);
        run_to(now() + u64::from(DRAW_DELAY));
        assert_eq!((drawn(), invited(task)), (0, vec![]));
        Invitations::<Test>::remove(task);
    });
}

/// Tasks that are published to keep somebody's draw out only wait in line before it, and none falls out of it.
#[test]
fn a_crowd_is_drawn_in_turn_and_never_fills_a_block() {
    let crowd = 2 * MAX_DRAWS_PER_BLOCK + 3;
    let many = ExtBuilder::default()
        .priority()
        .with_class(|class| class.max_open_per_publisher = 100);
    many.build().execute_with(|| {
        BucketLimit::set(100);
        let tasks: Vec<_> = (0..crowd)
            .map(|n| publish_as([ALICE, BOB][n as usize % 2], n as u8))
            .collect();
        let waiting = || tasks.iter().filter(|task| invited(**task).is_empty()).count() as u32;
        for left in [
            crowd,
            crowd,
            crowd - MAX_DRAWS_PER_BLOCK,
            crowd - 2 * MAX_DRAWS_PER_BLOCK,
            0,
        ] {
            assert_eq!(waiting(), left);
            // The oldest first.
            assert!(
                tasks[(crowd - left) as usize..]
                    .iter()
                    .all(|task| invited(*task).is_empty())
            );
            check_state();
            run_to(now() + 1);
        }
    });
}

/// Tasks that are cancelled at once, for the fee, hold up nobody.
#[test]
fn orders_of_tasks_that_are_over_hold_up_nobody() {
    let many = ExtBuilder::default()
        .priority()
        .with_class(|class| class.max_open_per_publisher = 100);
    many.build_and_execute(|| {
        for n in 0..3 * MAX_DRAWS_PER_BLOCK {
            let task = publish_as(BOB, n as u8);
            assert_ok!(Tasks::cancel(RuntimeOrigin::signed(BOB), task));
        }
        let task = publish();
        run_to(1 + u64::from(DRAW_DELAY));
        assert_eq!((drawn(), invited(task).len()), (1, 3));
    });
}

#[test]
fn each_draw_of_a_block_is_paid_for() {
    ExtBuilder::default().priority().build_and_execute(|| {
        publish();
        publish_as(BOB, 1);
        Tasks::on_idle(1, frame_support::weights::Weight::MAX);
        System::set_block_number(3);
        let database: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
        // What calls find in memory, and the queue; two orders with task and progress.
        let expected = Tasks::queue_weight()
            .saturating_add(database.reads_writes(1, 1))
            .saturating_add(Tasks::order_weight().saturating_mul(2))
            .saturating_add(<() as WeightInfo>::invite().saturating_mul(2));
        assert_eq!(Tasks::on_initialize(3), expected);
    });
}

/// A worker that reveals last sees all other answers, and could wait for a block whose lots let it win. It sees the seed of no
/// block that judges.
#[test]
fn the_last_to_reveal_cannot_wait_for_a_lot_that_wins() {
    let best_after = |wait: u64, peek: bool| {
        let mut best = (None, None);
        ExtBuilder::default().build_and_execute(|| {
            let task = publish();
            commit_all(task, &[(0, 1), (1, 1), (2, 1)]);
            reveal(0, task, 1);
            reveal(1, task, 1);
            run_to(now() + wait);
            let revealed_at = now();
            reveal(2, task, 1);
            run_to(now() + 2);
            best.0 = crate::Results::<Test>::get(task).map(|chosen| chosen.best);
            // What the lots would be, by the seed that the last one could have known.
            if peek {
                let subject = (b"agora/judge", task).encode();
                let known = sp_io::hashing::blake2_256(&[&revealed_at.to_le_bytes()[..], &subject].concat());
                let used = AppealWindows::get(task).map(|(terms, ..)| terms.seed);
                assert_ne!(used, Some(known.into()));
                best.1 = used;
            }
        });
        best
    };
    let seeds: std::collections::BTreeSet<_> = (0..4).map(|wait| best_after(wait, true).1).collect();
    assert_eq!(seeds.len(), 4, "each block has its own lots");
}

#[test]
fn a_deadline_leaves_time_for_the_draw() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let publish = |deadline| {
            let origin = RuntimeOrigin::signed(ALICE);
            Tasks::publish(origin, CLASS, job(), Difficulty::ONE, REWARD, deadline, reference(1))
        };
        // Two blocks until the draw, two to think.
        let earliest = now() + u64::from(DRAW_DELAY) + 2;
        assert_noop!(
            publish(earliest - 1).map_err(|refused| refused.error),
            Error::<Test>::DeadlineTooSoon
        );
        assert_ok!(publish(earliest));
        let task = TaskId(0);
        accept(0, task);
        run_to(earliest);
        commit(0, task, 1);
    });
}
