//! Taking a role and leaving it.

use crate::{Tests, shared::Shared};
use std::sync::Arc;

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.sharing(
        "roles::a_worker_that_leaves_gets_its_bond_after_the_cool_down_only",
        a_worker_that_leaves_gets_its_bond_after_the_cool_down_only,
    );
}

async fn a_worker_that_leaves_gets_its_bond_after_the_cool_down_only(shared: Arc<Shared>) {
    let market = shared.kinds(1).await;
    // Takes no kind of work that is published here.
    let key = "//Worker8";
    market
        .register_as(key, "worker", &["--specialisations", "syntax-check"])
        .await;
    let worker = market.agora(key);

    let early = market.failure(key, &["leave", "--role", "worker", "--withdraw"]).await;
    assert_eq!(early.code, Some(4));
    assert!(early.message.contains("ExitNotRequested"), "{early}");
    let left = worker.json(&["leave", "--role", "worker"]).await.expect("it may leave");
    let block = left[0]["block"].as_u64().expect("the block is told");
    let withdrawable_at = left[0]["withdrawable_at"].as_u64().expect("when is told");
    assert!(withdrawable_at > block);
    let still = market.failure(key, &["leave", "--role", "worker", "--withdraw"]).await;
    assert!(still.message.contains("CoolDownNotOver"), "{still}");
    let never = market.failure("//Bob", &["leave", "--role", "verifier"]).await;
    assert!(never.message.contains("NotRegistered"), "{never}");
}
