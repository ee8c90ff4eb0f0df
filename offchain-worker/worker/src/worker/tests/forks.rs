//! Tasks that are others on another fork.

use super::Rig;
use agora_primitives::job::{JobKind, JobSource, JobSpec, SyntheticJob};
use std::sync::atomic::Ordering;

/// Another job than that of `publish`.
fn other_job() -> JobSource {
    JobSource::Inline(JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [9; 32],
        matrix_size: 16,
        iterations: 1,
    })))
}

#[tokio::test]
async fn a_task_that_is_another_one_on_the_fork_that_wins_is_computed_anew() {
    // Undone after the acceptance, after the computation, and after the commitment.
    for rounds in [1, 2, 8] {
        let mut rig = Rig::new(1, 1);
        rig.chain.grow(5, 0);
        rig.chain.publish(1, 80);
        for _ in 0..rounds {
            rig.chain.grow(1, 1000);
            let _ = rig.look().await;
        }
        let before = rig.engines[0].runs.load(Ordering::SeqCst);
        assert!(rig.chain.sent() > 0, "it was accepted");
        rig.chain.reorg(1000);
        rig.chain.publish_as(1, 80, |task| task.job = other_job());
        rig.until(300, |rig| rig.is_paid(1)).await;
        assert_eq!(rig.engines[0].runs.load(Ordering::SeqCst), before + 1);
    }
}

#[tokio::test]
async fn an_acceptance_that_is_under_way_does_not_accept_the_task_of_another_fork() {
    let mut rig = Rig::new(1, 1);
    rig.chain.grow(5, 0);
    rig.chain.publish(1, 80);
    rig.chain.grow(1, 1000);
    rig.chain.mishaps(&[super::fake::Mishap::Late(5)]);
    let _ = rig.look().await;
    assert_eq!(rig.chain.waiting(), 1);
    rig.chain.reorg(1000);
    rig.chain.publish_as(1, 80, |task| task.job = other_job());
    rig.chain.grow(10, 1000);
    assert!(rig.chain.newest().parts.is_empty(), "nobody has looked at this job");
}
