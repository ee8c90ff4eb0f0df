//! Disks and stores that fail: money comes first.

use super::{Rig, block_folder};
use agora_blobs::{BlobKind, Wanted};
use agora_compute::{CancelFlag, CpuEngine, Engine, NoInputs, NoProgress};
use agora_primitives::{
    TaskId,
    job::{BlobRef, JobKind, JobSource, JobSpec, MatmulJob},
    participants::{Specialisation, Specialisations},
    task::Phase,
};
use std::{path::Path, sync::atomic::Ordering};

fn runs(rig: &Rig) -> u32 {
    rig.engines[0].runs.load(Ordering::SeqCst)
}

/// A worker of products, a task of one, and its inputs.
fn product() -> (Rig, [Vec<u8>; 2]) {
    let mut rig = Rig::new(1, 1);
    rig.policy.specialisations = Specialisations::NONE.with(Specialisation::RowTransform);
    rig.start();
    let (matrix, vectors) = (vec![1u8; 4], vec![2u8; 2]);
    let spec = JobSpec::V2(JobKind::Matmul(MatmulJob {
        matrix: BlobRef::to(&matrix),
        columns: 2,
        first_row: 0,
        rows: 2,
        input: BlobRef::to(&vectors),
        vectors: 1,
    }));
    spec.validate().expect("it is within its limits");
    rig.chain.publish_as(1, 150, |task| {
        task.specialisation = Specialisation::RowTransform;
        task.job = JobSource::Inline(spec);
    });
    (rig, [matrix, vectors])
}

#[tokio::test]
async fn a_task_with_a_missing_input_is_taken_when_it_comes() {
    let (mut rig, inputs) = product();
    rig.pass(20).await;
    assert_eq!(rig.chain.sent(), 0, "no bond before the inputs are here");
    for blob in inputs {
        rig.blobs.put(BlobKind::Input, blob).await.expect("put");
    }
    rig.until(400, |rig| rig.is_paid(1)).await;
}

/// Overwrites all files in a folder.
fn damage(folder: &Path) -> usize {
    let mut damaged = 0;
    for entry in std::fs::read_dir(folder).expect("it is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            damaged += damage(&path);
        } else {
            std::fs::remove_file(&path).expect("removed");
            std::fs::write(&path, "garbage").expect("written");
            damaged += 1;
        }
    }
    damaged
}

#[tokio::test]
async fn what_is_damaged_in_a_jobs_folder_is_fetched_again() {
    let (mut rig, inputs) = product();
    for blob in inputs {
        rig.blobs.put(BlobKind::Input, blob).await.expect("put");
    }
    rig.until(100, |rig| rig.chain.sent() == 1).await;
    assert_eq!(damage(&rig.tasks().join("1")), 2, "both inputs");
    rig.until(400, |rig| rig.is_paid(1)).await;
}

#[tokio::test]
async fn no_task_is_taken_while_the_disk_takes_nothing() {
    let mut rig = Rig::new(1, 1);
    block_folder(&rig.tasks());
    rig.chain.publish(1, 150);
    rig.pass(5).await;
    assert_eq!(rig.chain.sent(), 0, "no bond while the disk is full");
    std::fs::remove_file(rig.tasks()).expect("removed");
    rig.is_disk_full.store(true, Ordering::SeqCst);
    rig.pass(40).await;
    assert_eq!(rig.chain.sent(), 0, "the salt must be on the disk");
    rig.is_disk_full.store(false, Ordering::SeqCst);
    rig.until(400, |rig| rig.is_paid(1)).await;
}

#[tokio::test]
async fn a_task_in_hand_goes_on_whatever_the_disk_takes() {
    // Full after the acceptance, and after the commitment.
    for sent in [1, 2] {
        let mut rig = Rig::new(1, 1);
        rig.chain.publish(1, 60);
        rig.until(100, |rig| rig.chain.sent() == sent).await;
        rig.is_disk_full.store(true, Ordering::SeqCst);
        block_folder(&rig.tasks());
        rig.until(200, |rig| rig.chain.sent() == 3).await;
        assert_eq!(runs(&rig), 1, "it is computed once");
        // Nothing else is begun.
        rig.chain.publish(2, 200);
        rig.pass(20).await;
        assert_eq!(rig.chain.sent(), 3);
        rig.is_disk_full.store(false, Ordering::SeqCst);
        std::fs::remove_file(rig.tasks()).expect("removed");
        rig.until(600, |rig| rig.is_paid(2)).await;
    }
}

#[tokio::test]
async fn a_result_that_the_disk_refuses_is_there_for_others_in_the_end() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 60);
    rig.until(100, |rig| rig.chain.sent() == 1).await;
    block_folder(&rig.tasks());
    rig.until(200, |rig| rig.is_paid(1)).await;
    let JobSource::Inline(spec) = crate::worker::sample_task(1).job else {
        panic!("it is inline");
    };
    let right = CpuEngine::new().run(&spec, &NoInputs, &NoProgress, &CancelFlag::new());
    let claim = right.expect("it is computed").claim();
    let output = Wanted::content(BlobKind::Output, claim.output().expect("it has one"));
    assert!(rig.blobs.contains(output.kind, &output.key).await.expect("it answers"));
}

#[tokio::test]
async fn a_claim_that_the_disk_never_had_is_computed_again_after_a_crash() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 60);
    rig.until(100, |rig| rig.chain.sent() == 1).await;
    rig.is_disk_full.store(true, Ordering::SeqCst);
    rig.until(200, |rig| rig.chain.sent() == 2).await;
    rig.is_disk_full.store(false, Ordering::SeqCst);
    rig.start();
    rig.until(400, |rig| rig.is_paid(1)).await;
    assert_eq!(runs(&rig), 2);
}

#[tokio::test]
async fn a_lost_claim_is_computed_again_beyond_the_end_of_the_work() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish(1, 40);
    rig.until(100, |rig| rig.chain.sent() == 1).await;
    rig.is_disk_full.store(true, Ordering::SeqCst);
    rig.until(100, |rig| rig.chain.sent() == 2).await;
    // The process ends, and with it what the disk did not take.
    rig.is_disk_full.store(false, Ordering::SeqCst);
    rig.start();
    let task = |rig: &Rig| rig.chain.newest().tasks[&TaskId(1)].clone();
    while task(&rig).until > rig.chain.newest().block.number + 2 {
        rig.chain.grow(1, 2);
    }
    assert_eq!(task(&rig).phase, Phase::Working);
    assert_eq!(runs(&rig), 1);
    rig.engines[0].slow_ms.store(500, Ordering::SeqCst);
    let looked = rig.only_look().await.expect("it looks");
    assert!(matches!(looked, super::Looked::Well), "{looked:?}");
    // It is being computed while the phase ends.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    rig.chain.grow(4, 2);
    assert_eq!(task(&rig).phase, Phase::Revealing);
    rig.only_look().await.expect("it looks");
    rig.end_steps().await;
    assert_eq!(runs(&rig), 2, "it was not broken off");
    rig.until(100, |rig| rig.is_paid(1)).await;
    assert_eq!(runs(&rig), 2);
}

#[tokio::test]
async fn a_lost_result_is_not_computed_again_where_that_would_make_another_task_late() {
    let mut rig = Rig::new(2, 1);
    rig.chain.publish(1, 60);
    rig.until(100, |rig| rig.chain.sent() == 2).await;
    std::fs::remove_dir_all(rig.tasks().join("1")).expect("removed");
    rig.chain.publish(2, 90);
    rig.until(200, |rig| rig.chain.sent() == 4).await;
    rig.until(400, |rig| rig.is_paid(2)).await;
    assert_eq!(runs(&rig), 3, "both, and one of them twice");
}

/// Checks that nobody but its owner may do anything with `folder` and what is in it, and counts the files.
#[cfg(unix)]
fn private_files(folder: &Path) -> usize {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("it is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files += private_files(&path);
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            files += 1;
        }
    }
    files
}

#[cfg(unix)]
#[tokio::test]
async fn jobs_and_results_in_hand_are_their_owners_alone_also_where_the_folder_was_open() {
    use std::os::unix::fs::PermissionsExt;
    let (mut rig, inputs) = product();
    for blob in inputs {
        rig.blobs.put(BlobKind::Input, blob).await.expect("put");
    }
    std::fs::create_dir_all(rig.tasks()).expect("made");
    std::fs::set_permissions(rig.tasks(), PermissionsExt::from_mode(0o755)).expect("it is ours");
    rig.running = None;
    // It is stopped before it does anything else.
    let stopped = tokio_util::sync::CancellationToken::new();
    stopped.cancel();
    rig.worker().run(stopped).await.expect("it stops well");
    private_files(&rig.tasks());
    std::fs::remove_dir(rig.tasks()).expect("it is empty");
    rig.start();
    rig.until(100, |rig| rig.chain.sent() == 2).await;
    // Two inputs, the output and its states.
    assert_eq!(private_files(&rig.tasks()), 4);
}
