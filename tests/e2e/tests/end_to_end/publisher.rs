//! What a publisher meets: refunds, and errors that say what to do.

use crate::{Tests, shared::Shared};
use agora_e2e::{account, failure};
use agora_primitives::{money::Purpose, task::Phase};
use std::sync::Arc;

const REFERENCE: &str = "123e4567-e89b-42d3-a456-426614174000";
/// More than any transaction fee, less than any reward.
const SMALL_CHANGE: u128 = 100_000_000_000;

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.sharing(
        "publisher::a_task_that_nobody_accepts_is_refunded_in_full",
        a_task_that_nobody_accepts_is_refunded_in_full,
    );
    tests.sharing(
        "publisher::a_task_can_be_taken_back_by_its_publisher_alone",
        a_task_can_be_taken_back_by_its_publisher_alone,
    );
    tests.sharing(
        "publisher::mistakes_are_refused_with_what_to_do",
        mistakes_are_refused_with_what_to_do,
    );
}

async fn a_task_that_nobody_accepts_is_refunded_in_full(shared: Arc<Shared>) {
    let mut market = shared.kinds(2).await;
    let before = market.free(&market.publisher).await;
    let task = market
        .publish(&[
            "synthetic",
            "--matrix-size",
            "8",
            "--iterations",
            "1",
            "--deadline",
            "4",
        ])
        .await;
    assert_eq!(market.ended(task).await, Phase::Expired);
    for purpose in [Purpose::TaskReward, Purpose::PublisherStake, Purpose::PublicationFee] {
        assert_eq!(market.taken_from(&market.publisher, purpose), 0, "{purpose:?}");
    }
    assert!(
        before - market.free(&market.publisher).await < SMALL_CHANGE,
        "all but the transaction fee is back"
    );
    market.assert_conserved(task).await;
}

async fn a_task_can_be_taken_back_by_its_publisher_alone(shared: Arc<Shared>) {
    let mut market = shared.kinds(3).await;
    let task = market
        .publish(&["synthetic", "--matrix-size", "8", "--iterations", "1"])
        .await;
    let id = task.to_string();
    let stranger = market.failure("//Bob", &["cancel", &id]).await;
    assert_eq!(stranger.code, Some(4), "{stranger}");
    market
        .agora(&market.publisher)
        .json(&["cancel", &id])
        .await
        .expect("its publisher may");
    assert_eq!(market.ended(task).await, Phase::Cancelled);
    assert_eq!(market.taken_from(&market.publisher, Purpose::TaskReward), 0);
    let again = market.failure(&market.publisher, &["cancel", &id]).await;
    assert_eq!(again.code, Some(4), "{again}");
    market.assert_conserved(task).await;
}

async fn mistakes_are_refused_with_what_to_do(shared: Arc<Shared>) {
    let market = shared.kinds(4).await;
    let small = ["publish", "synthetic", "--matrix-size", "8", "--iterations", "1"];
    let publish = |more: &[&'static str]| -> Vec<&'static str> { [&small, more].concat() };

    let first = market
        .agora(&market.publisher)
        .json(&publish(&["--reference", REFERENCE]))
        .await
        .expect("it is new");
    let again = market
        .failure(&market.publisher, &publish(&["--reference", REFERENCE]))
        .await;
    assert_eq!(again.code, Some(4));
    assert!(again.message.contains("ReferenceUsed"), "{again}");
    market
        .agora("//Bob")
        .json(&publish(&["--reference", REFERENCE]))
        .await
        .expect("another publisher may use it");
    assert_eq!(first[0]["reference"], REFERENCE);

    let zero = market
        .failure(&market.publisher, &["publish", "synthetic", "--matrix-size", "0"])
        .await;
    assert_eq!(zero.code, Some(2));
    assert!(zero.message.contains("zero"), "{zero}");
    let huge = market
        .failure(&market.publisher, &["publish", "synthetic", "--matrix-size", "100000"])
        .await;
    assert_eq!(huge.code, Some(2), "{huge}");
    let low = market
        .failure(&market.publisher, &publish(&["--reward", "0.000001"]))
        .await;
    assert_eq!(low.code, Some(4), "{low}");
    let soon = market.failure(&market.publisher, &publish(&["--deadline", "0"])).await;
    assert_eq!(soon.code, Some(4), "{soon}");
    let poor = market
        .failure(&market.publisher, &publish(&["--reward", "100000000"]))
        .await;
    assert_eq!(poor.code, Some(4), "{poor}");
    let pennyless = market.failure("//Nobody", &small).await;
    assert_eq!(pennyless.code, Some(4));
    assert!(pennyless.message.contains("fee"), "{pennyless}");
    let nobody = account("//Nobody").to_string();
    market
        .agora("//Bob")
        .json(&["transfer", &nobody, "100"])
        .await
        .expect("Bob has money to send");
    market
        .agora("//Nobody")
        .json(&small)
        .await
        .expect("now it can pay for a task");

    let overdraft = market.failure("//Bob", &["transfer", &nobody, "1000000000000"]).await;
    assert_eq!(overdraft.code, Some(4), "{overdraft}");
    assert!(overdraft.message.contains("needs 1000000000000"), "{overdraft}");

    let absent = market.failure(&market.publisher, &["task", "4000000000"]).await;
    assert_eq!(absent.code, Some(3), "{absent}");
    let unproven = market.failure(&market.publisher, &["verify", "4000000000"]).await;
    assert_ne!(unproven.code, Some(0), "{unproven}");
    let unregistered = market.failure("//Worker7", &["mine", "--device", "cpu"]).await;
    assert!(unregistered.message.contains("agora register"), "{unregistered}");
    let nowhere = failure(
        &market.chain.agora_at("ws://127.0.0.1:9", &market.publisher),
        &["--patience", "1", "tasks"],
    )
    .await;
    assert_eq!(nowhere.code, Some(5), "{nowhere}");
    let mistyped = failure(
        &market.chain.agora_at("http://127.0.0.1:9944", &market.publisher),
        &["tasks"],
    )
    .await;
    assert_eq!(mistyped.code, Some(2), "{mistyped}");
}
