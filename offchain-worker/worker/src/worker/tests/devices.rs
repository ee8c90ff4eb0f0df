//! Devices that fail, are wrong or too small.

use super::Rig;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_wrong_result_is_computed_again_on_another_device_and_never_committed() {
    for wrong in 0..2 {
        let mut rig = Rig::new(1, 2);
        rig.engines[wrong].wrong.store(1, Ordering::SeqCst);
        rig.chain.publish(1, 60);
        rig.until(200, |rig| rig.is_paid(1)).await;
        let text = rig.metrics.render();
        let failures = text.contains("agora_device_failures_total 1");
        let runs = rig
            .engines
            .iter()
            .map(|engine| engine.runs.load(Ordering::SeqCst))
            .sum::<u32>();
        assert_eq!(failures, runs > 1, "{text}");
    }
}

#[tokio::test]
async fn a_device_that_fails_is_tried_again_after_a_rest() {
    let mut rig = Rig::new(1, 1);
    rig.engines[0].failing.store(1, Ordering::SeqCst);
    rig.chain.publish(1, 100);
    rig.until(200, |rig| rig.is_paid(1)).await;
    assert!(rig.metrics.render().contains("agora_device_failures_total 1"));
}

#[tokio::test]
async fn a_task_that_fits_into_no_device_costs_no_bond_and_else_goes_to_one_that_it_fits_into() {
    let mut rig = Rig::new(1, 2);
    rig.engines
        .iter()
        .for_each(|engine| engine.is_small.store(true, Ordering::SeqCst));
    rig.chain.publish(1, 100);
    rig.pass(10).await;
    assert_eq!(rig.chain.sent(), 0);
    rig.engines[1].is_small.store(false, Ordering::SeqCst);
    rig.start();
    rig.until(300, |rig| rig.is_paid(1)).await;
    let runs = rig.engines.iter().map(|engine| engine.runs.load(Ordering::SeqCst));
    assert_eq!(runs.collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn the_processor_computes_what_turns_out_to_be_too_large_for_every_device() {
    let mut rig = Rig::new(1, 1);
    rig.engines[0].is_full.store(true, Ordering::SeqCst);
    rig.chain.publish(1, 100);
    rig.until(300, |rig| rig.is_paid(1)).await;
}
