//! Hardware challenges.

use super::{
    Rig,
    fake::{FakeState, WORKER},
};
use agora_blobs::BlobKind;
use agora_chain::{H256, views::RoundView};
use std::num::NonZeroU32;

/// Its challenge is small, and a decoy need not wait long.
fn round(state: &FakeState) -> RoundView {
    let now = state.block.number;
    RoundView {
        number: 3,
        seed: H256([1; 32]),
        closes_at: now + 20,
        window_ms: 10,
        votes_close_at: now + 40,
        ends_at: now + 60,
        seats: 16,
        draw: None,
    }
}

#[tokio::test]
async fn the_round_is_asked_for_once_in_a_look_and_answered_once() {
    let mut rig = Rig::new(1, 1);
    let round = round(&rig.chain.newest());
    rig.chain.set_round(round);
    rig.chain.take_round_reads();
    rig.only_look().await.expect("a look");
    assert_eq!(rig.chain.take_round_reads(), 1);
    assert_eq!(rig.steps(), 1);
    rig.end_steps()
        .await
        .into_iter()
        .for_each(|ended| ended.expect("it responds"));
    let response = rig.chain.newest().response.expect("it has responded");
    let size = round.challenge(&WORKER, 1).max_output_bytes();
    let output = rig.blobs.get(BlobKind::Output, &response.digest.0, size).await;
    assert_eq!(output.expect("verifiers find it").len() as u64, size);
    // Nothing else is due, also when votes were drawn.
    rig.only_look().await.expect("a look");
    assert_eq!(rig.steps(), 0);
    rig.chain.grow(40, 2);
    rig.chain.set_round(RoundView {
        draw: Some(H256([2; 32])),
        ..round
    });
    rig.only_look().await.expect("a look");
    assert_eq!(rig.steps(), 0);
}

#[tokio::test]
async fn a_decoy_is_shown_once_the_votes_on_it_are_drawn() {
    let mut rig = Rig::new(1, 1);
    rig.decoys = NonZeroU32::new(1);
    rig.start();
    let round = round(&rig.chain.newest());
    rig.chain.set_round(round);
    let (looked, ended) = rig.look().await;
    looked.expect("a look");
    ended.into_iter().for_each(|ended| ended.expect("it responds"));
    let response = rig.chain.newest().response.expect("it has responded");
    let job = round.challenge(&WORKER, 1);
    let output = rig
        .blobs
        .get(BlobKind::Output, &response.digest.0, job.max_output_bytes())
        .await;
    assert_eq!(output.expect("it looks right").len() as u64, job.max_output_bytes());
    let (_, started) = rig.look().await;
    assert!(started.is_empty(), "votes are not drawn");
    rig.chain.grow(40, 2);
    rig.chain.set_round(RoundView {
        draw: Some(H256([2; 32])),
        ..round
    });
    rig.chain.take_round_reads();
    rig.only_look().await.expect("a look");
    assert_eq!(rig.chain.take_round_reads(), 1);
    rig.end_steps()
        .await
        .into_iter()
        .for_each(|ended| ended.expect("it shows it"));
    assert_eq!(rig.chain.newest().decoys_shown, 1);
    let (_, started) = rig.look().await;
    assert!(started.is_empty(), "it was shown");
}
