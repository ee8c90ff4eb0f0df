//! What is earned and lost is counted once, and fees are those of today.

use super::{
    Rig,
    fake::{BOND, FEE, WORKER},
};
use crate::{News, StopLoss, driver::Duty};
use agora_chain::{AccountId, BlockRef, H256, views::PaymentView};
use agora_primitives::{
    TaskId,
    money::{Payee, Purpose, Scope},
    participants::Role,
    reputation::Outcome,
};
use std::{sync::atomic::Ordering, time::Duration};

/// A worker that has lost a part of a bond, because its device failed for as long as a round lasted.
async fn loser(most: u128) -> Rig {
    let mut rig = Rig::new(1, 1);
    rig.policy.stop_loss = Some(StopLoss {
        most,
        within: Duration::from_secs(86_400),
    });
    rig.start();
    rig.chain.publish_as(1, 12, |task| task.min_thinking = 1);
    rig.until(50, |rig| rig.chain.sent() == 1).await;
    rig.engines[0].failing.store(u32::MAX, Ordering::SeqCst);
    rig.policy.block_ms = 10;
    rig.start();
    for _ in 0..90 {
        rig.chain.grow(1, 2);
        // At any block, with what was told written and nothing done about it.
        rig.settle();
        rig.start();
        let _ = rig.look().await;
    }
    assert!(rig.chain.newest().lost > 0);
    assert_eq!(rig.in_hand(), 0);
    rig.engines[0].failing.store(0, Ordering::SeqCst);
    rig.policy.block_ms = 1000;
    rig.start();
    rig
}

#[tokio::test]
async fn what_was_lost_is_remembered_after_a_restart() {
    for (most, goes_on) in [(1, false), (1_000_000_000_000, true)] {
        let mut rig = loser(most).await;
        rig.chain.publish(2, 60);
        rig.pass(20).await;
        assert_eq!(rig.chain.sent() > 1, goes_on, "{}", rig.metrics.render());
    }
}

#[tokio::test]
async fn what_a_task_came_to_is_counted_once_whenever_the_process_ends() {
    let rig = loser(1).await;
    let (worker, _) = rig.running.as_ref().expect("it runs");
    let lost = worker.shared.book.ended(TaskId(1)).expect("it is there").came_to.lost;
    assert_eq!(lost, rig.chain.newest().lost);
}

#[tokio::test]
async fn fees_that_were_high_once_do_not_keep_a_worker_from_work() {
    let mut rig = Rig::new(1, 1);
    rig.chain.set_fee(1_000_000_000_000);
    rig.chain.publish(1, 250);
    rig.pass(10).await;
    assert_eq!(rig.chain.sent(), 0, "it costs more than it pays");
    rig.chain.set_fee(FEE);
    rig.until(120, |rig| rig.chain.sent() > 0).await;
    rig.until(400, |rig| rig.is_paid(1)).await;
}

#[tokio::test]
async fn what_must_stay_on_the_account_stays_there() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 100);
    // One bond, all calls, and not quite what must stay.
    rig.chain.leave(BOND + 1_000_000_000);
    rig.pass(10).await;
    assert_eq!(rig.chain.sent(), 0);
    rig.chain.leave(BOND + 1_000_000_000 + 20 * FEE);
    rig.until(100, |rig| rig.chain.sent() > 0).await;
}

#[tokio::test]
async fn only_some_tasks_are_looked_at_at_a_time() {
    let mut rig = Rig::new(100, 1);
    for task in 1..=50 {
        rig.chain.publish(task, 200);
    }
    let _ = rig.only_look().await;
    assert!((1..=8).contains(&rig.steps()), "{}", rig.steps());
    rig.end_steps().await;
}

#[tokio::test]
async fn a_worker_that_was_replaced_has_lost_little_and_goes_on_with_other_tasks() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish_as(1, 200, |task| task.commit_window = 40);
    rig.until(50, |rig| rig.chain.sent() == 1).await;
    rig.engines[0].failing.store(u32::MAX, Ordering::SeqCst);
    rig.chain.grow(41, 2);
    rig.chain.replace(1);
    rig.engines[0].failing.store(0, Ordering::SeqCst);
    rig.until(60, |rig| rig.in_hand() == 0).await;
    let (worker, _) = rig.running.as_ref().expect("it runs");
    let came_to = worker.shared.book.ended(TaskId(1)).expect("it is there").came_to;
    assert_eq!(came_to.lost, rig.chain.newest().lost);
    assert_eq!(came_to.judged, Some(crate::Judged::Late));
    assert_eq!(rig.chain.sent(), 1, "nothing more was sent about it");
    rig.chain.publish(2, 200);
    rig.until(300, |rig| rig.chain.newest().judged.contains_key(&TaskId(2)))
        .await;
    let newest = rig.chain.newest();
    assert_eq!(newest.judged[&TaskId(2)], Outcome::Right { confirmed: true });
    assert_eq!(newest.refused, 0);
}

/// A finalised block behind those that `rig` has counted, with these payments.
fn block_with(rig: &mut Rig, payments: Vec<PaymentView>) {
    rig.chain.grow(5, 2);
    rig.settle();
    let (worker, _) = rig.running.as_mut().expect("it runs");
    let number = worker.settled_up_to().expect("it has counted some") + 1;
    let hash = H256([9; 32]);
    worker.settle(News {
        block: BlockRef { number, hash },
        changed: vec![],
        judged: vec![],
        attested: vec![],
        payments,
        terms_changed: false,
    });
}

#[tokio::test]
async fn what_is_lost_in_court_and_for_votes_is_told_and_stops_a_worker_too() {
    let lost = |purpose, scope, amount| PaymentView {
        purpose,
        scope,
        from: WORKER,
        payee: Payee::Burn,
        amount,
    };
    let vote = lost(Purpose::RoleBond, Scope::Role(Role::Verifier), 2_000_000_000_000);
    let court = lost(Purpose::CourtBond, Scope::Task(TaskId(77)), 1_000_000_000_000);
    let won = PaymentView {
        from: AccountId([8; 32]),
        payee: Payee::Account(WORKER),
        ..court.clone()
    };
    for (payments, goes_on) in [(vec![vote.clone()], true), (vec![vote, court, won], false)] {
        let mut rig = Rig::new(1, 1);
        rig.policy.stop_loss = Some(StopLoss {
            most: 3_000_000_000_000,
            within: Duration::from_secs(86_400),
        });
        rig.start();
        let expected = match goes_on {
            true => ["agora_lost_total 2.0", "agora_earned_total 0.0"],
            false => ["agora_lost_total 3.0", "agora_earned_total 1.0"],
        };
        block_with(&mut rig, payments);
        let text = rig.metrics.render();
        assert!(expected.iter().all(|line| text.contains(line)), "{text}");
        rig.start();
        rig.chain.publish(1, 100);
        rig.pass(20).await;
        assert_eq!(rig.chain.sent() > 0, goes_on, "after a restart, too");
    }
}
