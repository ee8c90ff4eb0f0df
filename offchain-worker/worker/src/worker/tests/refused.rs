//! What a worker does not take: of whom it does not want, of what, and what it is too slow for.

use super::Rig;
use crate::logged::Logged;
use agora_blobs::BlobKind;
use agora_primitives::{
    job::{BlobRef, JobKind, JobSource, JobSpec, MatmulJob},
    participants::{Specialisation, Specialisations},
};

#[tokio::test]
async fn only_tasks_of_publishers_who_are_wanted_are_taken() {
    let mut rig = Rig::new(1, 1);
    let publisher = crate::worker::sample_task(1).publisher;
    rig.policy.publishers.denied = [publisher].into();
    rig.start();
    rig.chain.publish(1, 300);
    rig.pass(5).await;
    assert_eq!(rig.chain.sent(), 0);
    let text = rig.metrics.render();
    assert!(
        text.contains(r#"reason="this worker does not work for its publisher"} 1"#),
        "{text}"
    );
    rig.policy.publishers.denied.clear();
    rig.policy.publishers.only = Some([publisher].into());
    rig.start();
    rig.until(400, |rig| rig.is_paid(1)).await;
}

#[tokio::test]
async fn a_task_of_a_denied_blob_is_not_taken_and_nothing_of_it_is_fetched() {
    for denied_is_input in [false, true] {
        let mut rig = Rig::new(1, 1);
        rig.policy.specialisations = Specialisations::NONE.with(Specialisation::RowTransform);
        let (matrix, vectors) = (vec![1u8; 4], vec![2u8; 2]);
        let (denied, fetched) = match denied_is_input {
            true => (&vectors, &matrix),
            false => (&matrix, &vectors),
        };
        rig.denied = [BlobRef::to(denied).hash.0].into_iter().collect();
        rig.start();
        let spec = JobSpec::V2(JobKind::Matmul(MatmulJob {
            matrix: BlobRef::to(&matrix),
            columns: 2,
            first_row: 0,
            rows: 2,
            input: BlobRef::to(&vectors),
            vectors: 1,
        }));
        rig.chain.publish_as(1, 300, |task| {
            task.specialisation = Specialisation::RowTransform;
            task.job = JobSource::Inline(spec);
        });
        for blob in [denied, fetched] {
            rig.blobs.put(BlobKind::Input, blob.clone()).await.expect("put");
        }
        rig.pass(5).await;
        assert_eq!(rig.chain.sent(), 0);
        assert!(!rig.tasks().join("1").exists(), "nothing was fetched");
        let text = rig.metrics.render();
        assert!(
            text.contains(r#"reason="is made of a blob that is not wanted here"} 1"#),
            "{text}"
        );
        rig.denied = Default::default();
        rig.start();
        rig.until(400, |rig| rig.is_paid(1)).await;
    }
}

/// What is said when a worker is too slow.
const TOO_SLOW: &str = "Only time keeps this machine";

#[tokio::test]
async fn a_worker_that_is_too_slow_for_everything_says_so_once() {
    let mut rig = Rig::new(1, 1);
    rig.learn(1000);
    let logged = Logged::start();
    for task in 1..=3 {
        rig.chain.publish(task, 100);
    }
    rig.pass(90).await;
    for task in 4..=6 {
        rig.chain.publish(task, 100);
    }
    rig.pass(20).await;
    assert_eq!(rig.chain.sent(), 0);
    let said = logged.with(TOO_SLOW);
    assert!(
        matches!(said.as_slice(), [line] if line.starts_with("WARN")),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_worker_that_is_kept_from_tasks_by_other_things_does_not_blame_its_speed() {
    // Too late for anybody; another kind of work; no money.
    let mut rig = Rig::new(1, 1);
    let logged = Logged::start();
    rig.chain.publish(1, 9);
    rig.chain
        .publish_as(2, 300, |task| task.specialisation = Specialisation::Rendering);
    rig.pass(20).await;
    rig.chain.leave(0);
    rig.chain.publish(3, 300);
    rig.pass(20).await;
    assert_eq!(rig.chain.sent(), 0);
    assert_eq!(logged.with(TOO_SLOW), [""; 0]);
    // Nor does one that is busy with something that it is fast enough for.
    let mut rig = Rig::new(5, 1);
    rig.learn(40);
    rig.chain.publish(1, 200);
    rig.until(50, |rig| rig.chain.sent() == 1).await;
    rig.chain.publish(2, 60);
    rig.only_look().await.expect("it looks");
    assert_eq!(logged.with(TOO_SLOW), [""; 0]);
    rig.until(400, |rig| rig.is_paid(1)).await;
}
