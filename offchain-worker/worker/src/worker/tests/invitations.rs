//! What a worker does about invitations.

use super::{Rig, fake::WORKER};
use agora_chain::{AccountId, views::TaskView};
use agora_primitives::{
    TaskId,
    job::{BlobRef, JobSource, StoredJob},
    participants::Specialisation,
    task::Invitation,
};

/// Invites the worker and another one for the next `blocks`.
fn invite(task: &mut TaskView, blocks: u32) {
    let now = task.until - 100;
    task.invited = Some(Invitation {
        workers: vec![WORKER, AccountId([8; 32])],
        until: now + blocks,
    });
}

fn invited(rig: &Rig) -> usize {
    let newest = rig.chain.newest();
    newest.tasks[&TaskId(1)]
        .invited
        .as_ref()
        .expect("it invites")
        .workers
        .len()
}

#[tokio::test]
async fn an_invitation_to_what_cannot_be_fetched_is_declined_at_no_cost() {
    let mut rig = Rig::new(1, 1);
    let before = rig.chain.newest().free;
    rig.chain.publish_as(1, 100, |task| {
        invite(task, 30);
        task.job = JobSource::Stored(StoredJob {
            spec: BlobRef::to(b"nobody has it"),
            specialisation: Specialisation::Synthetic,
        });
    });
    rig.until(30, |rig| invited(rig) == 1).await;
    let newest = rig.chain.newest();
    assert_eq!((rig.chain.sent(), newest.refused, newest.free), (1, 0, before));
    rig.pass(20).await;
    assert_eq!(rig.chain.sent(), 1, "once");
}

#[tokio::test]
async fn an_invitation_to_what_is_against_the_policy_is_declined() {
    let mut rig = Rig::new(1, 1);
    rig.policy.max_bond = 1;
    rig.start();
    rig.chain.publish_as(1, 100, |task| invite(task, 30));
    rig.until(30, |rig| invited(rig) == 1).await;
    assert_eq!(rig.chain.newest().parts.len(), 0);
}

#[tokio::test]
async fn an_invitation_is_accepted_where_the_task_suits_and_not_declined_when_it_is_over() {
    let mut rig = Rig::new(1, 1);
    rig.chain.publish_as(1, 100, |task| invite(task, 30));
    rig.until(300, |rig| rig.is_paid(1)).await;
    assert_eq!(rig.chain.newest().refused, 0);

    let mut rig = Rig::new(1, 1);
    rig.policy.max_bond = 1;
    rig.start();
    rig.chain.publish_as(1, 100, |task| invite(task, 0));
    rig.pass(10).await;
    assert_eq!(rig.chain.sent(), 0);
}
