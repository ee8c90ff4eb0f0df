//! The whole loop, with streams of blocks.

use super::{Rig, fake::FEE};
use agora_primitives::{TaskId, task::LATE_AFTER};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Blocks come fast while the worker runs, until `done`.
async fn run(rig: &mut Rig, done: impl Fn(&Rig, usize) -> bool) {
    rig.running = None;
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(rig.worker().run(shutdown.clone()));
    for block in 0.. {
        tokio::time::sleep(Duration::from_millis(20)).await;
        rig.chain.grow(1, 2);
        if done(rig, block) {
            break;
        }
        assert!(block < 2000, "it is not done");
    }
    shutdown.cancel();
    worker.await.expect("no panic").expect("it stops well");
}

#[tokio::test]
async fn a_worker_works_from_block_to_block_and_survives_what_it_does_not_understand() {
    let mut rig = Rig::new(1, 1);
    rig.chain.grow(5, 2);
    run(&mut rig, |rig, block| {
        match block {
            3 => rig.chain.publish(1, 60),
            // Before the commitment, and while it is revealed.
            10 | 70 => rig.chain.break_streams(),
            _ => {}
        }
        rig.chain.newest().judged.len() == 1
    })
    .await;
    assert_eq!(rig.chain.newest().lost, 0);
    assert_eq!(rig.chain.newest().refused, 0);
}

#[tokio::test]
async fn reads_are_in_proportion_to_what_changes() {
    let mut rig = Rig::new(1, 1);
    for task in 1..=500 {
        // Another kind of work.
        rig.chain.publish_as(task, 5000, |task| {
            task.specialisation = agora_primitives::participants::Specialisation::Training;
        });
    }
    let reads = std::sync::Mutex::new(Vec::new());
    run(&mut rig, |rig, block| {
        if block == 20 {
            rig.chain.publish(1000, 100);
        }
        reads.lock().expect("no panic").push(rig.chain.take_reads());
        block == 60
    })
    .await;
    let reads = reads.into_inner().expect("no panic");
    let whole = reads.iter().filter(|reads| **reads >= 500).count();
    assert_eq!(whole, 1, "all tasks are read once: {reads:?}");
    assert!(reads[25..].iter().all(|reads| *reads < 20), "{reads:?}");
}

#[tokio::test]
async fn no_finalised_block_is_skipped_when_the_stream_of_blocks_breaks() {
    let mut rig = Rig::new(1, 1);
    // A busy machine needs more than a few of these blocks to accept and to commit.
    rig.chain.publish(1, 60);
    let broke = std::sync::atomic::AtomicBool::new(false);
    run(&mut rig, |rig, _| {
        let is_judged = rig.chain.newest().judged.len() == 1;
        if is_judged && !broke.swap(true, std::sync::atomic::Ordering::SeqCst) {
            // The verdict becomes final while nobody listens.
            rig.chain.break_streams();
            rig.chain.grow(10, 0);
        }
        rig.metrics.render().contains("agora_ended_total 1")
    })
    .await;
    let text = rig.metrics.render();
    assert!(text.contains(r#"agora_outcomes_total{reason="right"} 1"#), "{text}");
}

#[tokio::test]
async fn steps_that_the_chain_is_late_with_are_taken_if_that_pays() {
    for (fee, is_taken) in [(100 * FEE, true), (7 * FEE, false)] {
        let mut rig = Rig::new(1, 1);
        rig.chain.stall();
        rig.chain.publish_as(1, 100, |task| task.fee = fee);
        rig.until(50, |rig| rig.chain.sent() == 2).await;
        // Until the end of the work nothing is late: to reveal, and to judge.
        let late = rig.chain.newest().tasks[&TaskId(1)].until + LATE_AFTER;
        while rig.chain.newest().block.number <= late {
            rig.pass(1).await;
            assert_eq!(rig.chain.newest().paid_steps, 0);
        }
        if is_taken {
            rig.until(400, |rig| rig.is_paid(1)).await;
            assert!(rig.chain.newest().paid_steps > 0);
        } else {
            rig.pass(100).await;
            assert_eq!((rig.chain.newest().paid_steps, rig.chain.newest().refused), (0, 0));
        }
    }
}
