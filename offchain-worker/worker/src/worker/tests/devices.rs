//! Devices that fail or are wrong.

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
