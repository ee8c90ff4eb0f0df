//! Blocks and clocks: what comes too late.

use super::{
    FakeEngine, Rig,
    fake::{KEPT, Mishap},
};
use agora_primitives::TaskId;
use std::{sync::atomic::Ordering, time::Duration};

fn engine(rig: &Rig) -> &FakeEngine {
    &rig.engines[0]
}

#[tokio::test]
async fn an_acceptance_that_would_come_too_late_to_compute_is_in_no_block() {
    // It takes 3 or 81 s, to be on the safe side, of 100 blocks of a second.
    for (seconds, late, is_accepted) in [(1, 10, true), (1, 20, false), (40, 4, true), (40, 10, false)] {
        let mut rig = Rig::new(1, 1);
        rig.learn(seconds);
        rig.chain.publish(1, 100);
        rig.chain.mishaps(&[Mishap::Late(late)]);
        let _ = rig.look().await;
        assert_eq!(rig.chain.waiting(), 1);
        // The machine sleeps.
        rig.chain.grow(late as usize + 1, 2);
        assert_eq!(
            rig.chain.newest().parts.len(),
            usize::from(is_accepted),
            "{seconds} {late}"
        );
        if is_accepted {
            rig.until(300, |rig| rig.is_paid(1)).await;
        }
    }
}

#[tokio::test]
async fn a_commitment_that_got_nowhere_is_sent_again_in_the_last_block_that_takes_it() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 60);
    rig.until(100, |rig| rig.chain.sent() == 1).await;
    // It computes.
    let _ = rig.look().await;
    let newest = rig.chain.newest();
    let last = newest.tasks[&TaskId(1)].until;
    rig.chain.grow((last - 2 - newest.block.number) as usize, 2);
    rig.chain.mishaps(&[Mishap::CallLost]);
    let _ = rig.look().await;
    assert_eq!(rig.chain.sent(), 1, "the commitment got nowhere");
    rig.chain
        .grow(last as usize - 1 - rig.chain.newest().block.number as usize, 2);
    let _ = rig.look().await;
    assert_eq!(rig.chain.sent(), 2, "it is not late yet");
    rig.until(200, |rig| rig.is_paid(1)).await;
    assert_eq!(rig.chain.newest().lost, 0);
}

#[tokio::test]
async fn an_acceptance_is_withdrawn_when_its_task_does_not_suit_any_more() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 100);
    rig.chain.mishaps(&[Mishap::Late(14)]);
    let _ = rig.look().await;
    assert_eq!(rig.chain.waiting(), 1);
    rig.chain.leave(KEPT);
    rig.pass(8).await;
    assert_eq!(rig.chain.waiting(), 0);
    assert!(rig.chain.newest().parts.is_empty());
}

#[tokio::test]
async fn a_computation_goes_on_while_blocks_come_slower_than_they_should() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 60);
    rig.until(100, |rig| rig.chain.sent() == 1).await;
    // By the clock, all blocks of the task are over at once.
    rig.policy.block_ms = 1;
    engine(&rig).slow_ms.store(400, Ordering::SeqCst);
    rig.start();
    rig.until(200, |rig| rig.is_paid(1)).await;
    assert_eq!(engine(&rig).runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_computation_is_cancelled_when_the_chain_says_that_it_is_too_late() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 30);
    rig.until(100, |rig| rig.chain.sent() == 1).await;
    engine(&rig).slow_ms.store(60_000, Ordering::SeqCst);
    rig.chain.grow(1, 2);
    let _ = rig.only_look().await;
    assert_eq!(rig.steps(), 1);
    let until = rig.chain.newest().tasks[&TaskId(1)].until;
    let left = until - rig.chain.newest().block.number;
    rig.chain.grow(left as usize, 2);
    let _ = rig.only_look().await;
    let ended = tokio::time::timeout(Duration::from_secs(20), rig.end_steps()).await;
    assert_eq!(ended.expect("it is cancelled").len(), 1);
    assert_eq!(engine(&rig).runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_task_is_taken_while_this_machines_clock_is_minutes_ahead() {
    let mut rig = Rig::new(2, 1);
    rig.chain.publish(1, 200);
    rig.until(20, |rig| rig.chain.sent() == 1).await;
    rig.chain.set_clock(-600);
    rig.chain.publish(2, 200);
    rig.until(50, |rig| rig.chain.sent() == 2).await;
    rig.pass(10).await;
    assert_eq!(rig.in_hand(), 1, "what is in hand goes on, and nothing else is begun");
    assert!(rig.metrics.render().contains("agora_taking 0"));
    rig.chain.set_clock(0);
    rig.until(400, |rig| rig.is_paid(2)).await;
}

#[tokio::test]
async fn tasks_are_taken_while_this_machines_clock_is_minutes_behind() {
    let mut rig = Rig::new(1, 1);
    rig.chain.set_clock(600);
    rig.chain.publish(1, 100);
    rig.until(200, |rig| rig.is_paid(1)).await;
}
