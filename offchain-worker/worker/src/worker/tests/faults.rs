//! What a node, a disk or a store does, one at a time.

use super::{Looked, Rig, fake::Mishap};
use crate::Stage;
use agora_primitives::{TaskId, task::Phase};

fn is_in(rig: &Rig, phase: Phase) -> bool {
    rig.chain.newest().tasks[&TaskId(1)].phase == phase
}

fn stage(rig: &Rig) -> Option<Stage> {
    let (worker, _) = rig.running.as_ref().expect("it runs");
    worker.shared.book.all().first().map(|(_, record)| record.stage)
}

#[tokio::test]
async fn a_task_is_taken_computed_committed_revealed_and_closed() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 40);
    rig.until(200, |rig| rig.is_paid(1)).await;
    assert_eq!(rig.chain.sent(), 3, "accept, commit, reveal, once each");
    assert_eq!(rig.chain.newest().refused, 0);
    let rendered = rig.metrics.render();
    assert!(rendered.contains("agora_ended_total 1"), "{rendered}");
}

#[tokio::test]
async fn an_acceptance_whose_answer_is_lost_is_found_on_chain() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 60);
    rig.chain.mishaps(&[Mishap::AnswerLost]);
    rig.until(200, |rig| rig.is_paid(1)).await;
    assert_eq!(rig.chain.sent(), 3);
    assert_eq!(rig.chain.newest().refused, 0, "nothing is sent twice");
}

#[tokio::test]
async fn calls_that_get_nowhere_and_answers_that_are_lost_cost_nothing() {
    for lost in [Mishap::CallLost, Mishap::PoolFull, Mishap::AnswerLost] {
        for at in 0..3 {
            let mut rig = Rig::new(1, 1);
            rig.chain.publish(1, 60);
            rig.until(200, |rig| rig.chain.sent() == at).await;
            rig.chain.mishaps(&[lost, lost]);
            rig.until(300, |rig| rig.is_paid(1)).await;
        }
    }
}

#[tokio::test]
async fn a_node_that_is_behind_is_believed_in_nothing() {
    // Before each step, the node shows the chain as it was before the task, for longer than a window.
    for phase in [Phase::Working, Phase::Revealing, Phase::Appealable] {
        let mut rig = Rig::new(1, 1);
        rig.chain.grow(50, 2);
        rig.chain.publish(1, 40);
        rig.until(200, |rig| is_in(rig, phase)).await;
        let before = stage(&rig);
        assert!(before.is_some(), "{phase}");
        let behind = 45.min(rig.chain.newest().block.number as usize - 2);
        rig.chain.show(Some(behind));
        for _ in 0..3 {
            let (looked, steps) = rig.look().await;
            assert!(matches!(looked, Ok(Looked::Waiting(_))), "{looked:?}");
            assert!(steps.is_empty());
            // Nor does a worker that starts then.
            rig.start();
        }
        assert_eq!(stage(&rig), before, "{phase}");
        rig.chain.show(None);
        rig.until(200, |rig| rig.is_paid(1)).await;
    }
}

/// As in run 272 of `random`: the node shows old blocks from the one after that in which the result was computed until it is too late.
#[tokio::test]
async fn a_result_is_committed_to_before_the_node_shows_another_block() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish_as(1, 12, |task| task.min_thinking = 2);
    rig.until(20, |rig| rig.chain.sent() == 1).await;
    // The thinking time is over, and nothing is computed yet.
    rig.chain.grow(2, 2);
    assert!(stage(&rig) == Some(Stage::Accepting) && is_in(&rig, Phase::Working));
    let _ = rig.look().await;
    rig.chain.show(Some(3));
    while is_in(&rig, Phase::Working) {
        rig.chain.grow(1, 2);
        let _ = rig.look().await;
    }
    rig.chain.show(None);
    rig.until(200, |rig| rig.is_paid(1)).await;
}

#[tokio::test]
async fn an_answer_is_waited_for_only_while_there_is_time() {
    for (blocks, sent) in [(12, 2), (40, 1)] {
        let mut rig = Rig::new(1, 1);
        rig.chain.publish(1, blocks);
        rig.until(20, |rig| rig.chain.sent() == 1).await;
        rig.chain.grow(2, 2);
        rig.chain.mishaps(&[Mishap::CallLost]);
        // The commitment is lost, and the node shows no other block.
        for _ in 0..2 {
            let _ = rig.look().await;
        }
        assert_eq!(rig.chain.sent(), sent, "{blocks} blocks");
        rig.until(200, |rig| rig.is_paid(1)).await;
    }
}

#[tokio::test]
async fn a_node_that_falls_behind_while_a_result_is_computed_is_believed_in_nothing() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 40);
    rig.until(20, |rig| rig.chain.sent() == 1).await;
    rig.chain.grow(3, 2);
    rig.only_look().await.expect("it looks");
    rig.chain.show(Some(3));
    rig.end_steps().await;
    assert_eq!((rig.chain.sent(), stage(&rig)), (1, Some(Stage::Committing)));
    rig.chain.show(None);
    rig.until(200, |rig| rig.is_paid(1)).await;
    assert_eq!(rig.chain.newest().refused, 0);
}

#[tokio::test]
async fn a_reorg_that_undoes_a_call_makes_the_worker_do_it_again() {
    for sent in 1..=3 {
        let mut rig = Rig::new(1, 1);
        rig.chain.publish(1, 60);
        rig.chain.grow(3, 1);
        rig.until(200, |rig| rig.chain.sent() == sent).await;
        rig.chain.reorg(1);
        rig.until(300, |rig| rig.is_paid(1)).await;
    }
}

#[tokio::test]
async fn a_worker_that_is_late_sends_nothing_for_money_in_the_next_round() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish_as(1, 12, |task| task.min_thinking = 1);
    rig.until(50, |rig| rig.chain.sent() == 1).await;
    // The only device fails for longer than the round lasts, whose blocks are short.
    let failing = &rig.engines[0].failing;
    failing.store(u32::MAX, std::sync::atomic::Ordering::SeqCst);
    rig.policy.block_ms = 10;
    rig.start();
    for _ in 0..30 {
        rig.chain.grow(1, 2);
        let _ = rig.look().await;
    }
    assert_eq!(rig.chain.newest().refused, 0);
    assert_eq!(rig.chain.sent(), 1, "only the acceptance");
    rig.until(100, |rig| rig.in_hand() == 0).await;
}

#[tokio::test]
async fn a_refused_acceptance_is_not_repeated_each_block() {
    let mut rig = Rig::new(2, 1);
    rig.chain.ban();
    rig.chain.publish(1, 200);
    for _ in 0..60 {
        rig.chain.grow(1, 2);
        let _ = rig.look().await;
    }
    let refused = rig.chain.newest().refused;
    assert!((1..=4).contains(&refused), "{refused} refusals in 60 blocks");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_does_not_stop_the_others() {
    let mut rig = Rig::new(2, 1);
    rig.chain.publish(1, 60);
    rig.until(100, |rig| rig.chain.sent() == 2).await;
    rig.running = None;
    let path = rig.folder.path().join("journal");
    let journal = crate::Journal::open(&path, super::GENESIS.0, super::WORKER.0).expect("it opens");
    journal.put_raw(TaskId(99), b"garbage");
    drop(journal);
    rig.start();
    rig.until(200, |rig| rig.is_paid(1)).await;
}

#[tokio::test]
async fn no_more_is_accepted_than_there_are_slots_and_they_are_free_when_the_round_is_judged() {
    let mut rig = Rig::new(2, 1);
    for task in 1..=6 {
        rig.chain.publish(task, 150);
    }
    rig.until(20, |rig| rig.chain.newest().occupied == 2).await;
    for _ in 0..5 {
        rig.chain.grow(1, 2);
        let _ = rig.look().await;
    }
    assert_eq!(rig.chain.newest().refused, 0, "nothing is accepted beyond the slots");
    // Judged, and not finished: the slots are free.
    let busy = |rig: &Rig| rig.chain.newest().parts.len();
    rig.until(300, |rig| {
        rig.in_hand() == 2 && is_in(rig, Phase::Appealable) || busy(rig) == 0
    })
    .await;
    rig.chain.publish(7, 150);
    rig.chain.publish(8, 150);
    rig.until(20, |rig| rig.chain.newest().occupied == 2).await;
    assert!(rig.in_hand() >= 2);
    rig.until(600, |rig| rig.in_hand() == 0).await;
    assert_eq!(rig.chain.newest().lost, 0);
}

#[tokio::test]
async fn money_that_is_promised_for_one_bond_is_not_promised_for_another() {
    let mut rig = Rig::new(4, 1);
    // It learns what the calls cost.
    rig.chain.publish(1, 60);
    rig.until(200, |rig| rig.is_paid(1)).await;
    // Enough for one bond and the fees. The first acceptance is lost on its way, so its bond is not taken yet.
    rig.chain.leave(150_000_000_000);
    rig.chain.mishaps(&[Mishap::CallLost]);
    for task in 2..=3 {
        rig.chain.publish(task, 60);
    }
    for _ in 0..10 {
        rig.chain.grow(1, 2);
        let _ = rig.look().await;
        assert!(rig.chain.newest().occupied < 2);
    }
    assert_eq!(rig.chain.newest().occupied, 1);
}

#[tokio::test]
async fn bonds_are_not_more_than_the_worker_risks_and_fees_are_kept() {
    let mut rig = Rig::new(4, 1);
    rig.policy.max_exposure = 250_000_000_000;
    rig.start();
    for task in 1..=4 {
        rig.chain.publish(task, 60);
    }
    for _ in 0..10 {
        rig.chain.grow(1, 2);
        let _ = rig.look().await;
    }
    assert_eq!(rig.chain.newest().occupied, 2, "a third bond would be too much");
    assert!(
        rig.metrics.render().contains("leave no room"),
        "{}",
        rig.metrics.render()
    );
}

#[tokio::test]
async fn without_knowing_what_calls_cost_no_bond_is_put_up() {
    let mut rig = Rig::new(1, 1);
    rig.chain.tell_fees(false);
    rig.chain.publish(1, 100);
    rig.pass(10).await;
    assert_eq!((rig.chain.sent(), rig.in_hand()), (0, 0));
    rig.chain.tell_fees(true);
    rig.until(20, |rig| rig.chain.sent() > 0).await;
    // What was known once is good enough to go on with.
    rig.chain.tell_fees(false);
    rig.until(200, |rig| rig.is_paid(1)).await;
}
