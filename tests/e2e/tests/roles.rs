//! Taking a role and leaving it.

use agora_e2e::Market;

#[tokio::test]
async fn a_worker_that_leaves_gets_its_bond_after_the_cool_down_only() {
    let market = Market::start().await;
    market.register(1, 0).await;
    let worker = market.agora("//Worker1");

    let early = market
        .failure("//Worker1", &["leave", "--role", "worker", "--withdraw"])
        .await;
    assert_eq!(early.code, Some(4));
    assert!(early.message.contains("ExitNotRequested"), "{early}");
    let left = worker.json(&["leave", "--role", "worker"]).await.expect("it may leave");
    let block = left[0]["block"].as_u64().expect("the block is told");
    let withdrawable_at = left[0]["withdrawable_at"].as_u64().expect("when is told");
    assert!(withdrawable_at > block);
    let still = market
        .failure("//Worker1", &["leave", "--role", "worker", "--withdraw"])
        .await;
    assert!(still.message.contains("CoolDownNotOver"), "{still}");
    let never = market.failure("//Bob", &["leave", "--role", "verifier"]).await;
    assert!(never.message.contains("NotRegistered"), "{never}");
}
