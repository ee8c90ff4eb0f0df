//! Tasks that the chain computes itself: the worker reveals with the inputs of the job, and is paid in that block.

use super::{Rig, fake::FEE};
use agora_blobs::BlobKind;
use agora_primitives::{
    TaskId,
    job::{BlobRef, JobKind, JobSource, JobSpec, MatmulJob},
    judging::JudgeRule,
    participants::{Specialisation, Specialisations},
    task::Phase,
};

/// A worker of products, a task of one that the chain computes, and its inputs.
fn product() -> (Rig, [Vec<u8>; 2]) {
    let mut rig = Rig::new(1, 1);
    rig.policy.specialisations = Specialisations::NONE.with(Specialisation::RowTransform);
    rig.start();
    // In the order of their hashes they would be the other way round.
    let inputs = [vec![1u8; 4], vec![2u8; 2]];
    let spec = JobSpec::V2(JobKind::Matmul(MatmulJob {
        matrix: BlobRef::to(&inputs[0]),
        columns: 2,
        first_row: 0,
        rows: 2,
        input: BlobRef::to(&inputs[1]),
        vectors: 1,
    }));
    rig.chain.publish_as(1, 150, |task| {
        task.specialisation = Specialisation::RowTransform;
        task.judge = JudgeRule::Exact;
        task.wanted = 1;
        task.job = JobSource::Inline(spec);
    });
    (rig, inputs)
}

async fn put(rig: &Rig, inputs: &[Vec<u8>]) {
    for blob in inputs {
        rig.blobs.put(BlobKind::Input, blob.clone()).await.expect("put");
    }
}

fn phase(rig: &Rig) -> Phase {
    rig.chain.newest().tasks[&TaskId(1)].phase
}

#[tokio::test]
async fn is_revealed_with_its_inputs_and_settled_at_once() {
    let (mut rig, inputs) = product();
    put(&rig, &inputs).await;
    rig.until(400, |rig| phase(rig) == Phase::Settled).await;
    // Accepted, committed, revealed.
    assert_eq!(rig.chain.sent(), 3);
    // What is paid for is there for the publisher already.
    let output: Vec<u8> = [4i32, 4].iter().flat_map(|product| product.to_le_bytes()).collect();
    let key = BlobRef::to(&output).hash;
    let served = rig.blobs.get(BlobKind::Output, &key.0, 8).await.expect("it is there");
    assert_eq!(served, output);
    rig.until(400, |rig| rig.is_paid(1)).await;
}

#[tokio::test]
async fn evidence_that_this_machine_has_lost_is_fetched_again() {
    let (mut rig, inputs) = product();
    put(&rig, &inputs).await;
    rig.until(100, |rig| rig.chain.sent() == 2).await;
    assert_eq!(phase(&rig), Phase::Working);
    std::fs::remove_dir_all(rig.tasks().join("1").join("inputs")).expect("they were kept");
    rig.until(400, |rig| rig.is_paid(1)).await;
    assert_eq!(phase(&rig), Phase::Settled);
}

#[tokio::test]
async fn a_reveal_that_a_fork_has_undone_is_made_again() {
    let (mut rig, inputs) = product();
    put(&rig, &inputs).await;
    rig.until(400, |rig| phase(rig) == Phase::Settled).await;
    rig.chain.reorg(1);
    assert_eq!(phase(&rig), Phase::Revealing);
    rig.until(400, |rig| rig.is_paid(1)).await;
}

#[tokio::test]
async fn what_would_cost_more_than_it_brings_is_not_taken() {
    let (mut rig, inputs) = product();
    put(&rig, &inputs).await;
    // As much as the share of the reward, for each of the calls.
    rig.chain.set_fee(250_000_000_000);
    rig.pass(5).await;
    assert_eq!(rig.chain.sent(), 0);
    rig.chain.set_fee(FEE);
    rig.until(400, |rig| rig.is_paid(1)).await;
}

#[tokio::test]
async fn a_chain_that_computes_nothing_has_work_all_the_same() {
    let mut rig = Rig::new(1, 1);
    rig.chain.compute_nothing();
    rig.chain.publish(1, 150);
    rig.until(400, |rig| rig.is_paid(1)).await;
}
