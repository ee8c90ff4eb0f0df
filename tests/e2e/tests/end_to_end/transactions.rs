//! Each transaction happens once, whatever happens to the node and however many send.

use crate::{Tests, shared::Shared};
use agora_chain::{Balance, KeySource, Submitter, calls};
use agora_e2e::{Market, PATIENCE, account};
use futures::future::join_all;
use std::{sync::Arc, time::Duration};

/// A unit of money, in plancks.
const UNIT: Balance = 1_000_000_000_000;

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "transactions::a_transfer_whose_node_is_killed_before_it_is_in_a_block_is_made_once",
        a_transfer_whose_node_is_killed_before_it_is_in_a_block_is_made_once,
    );
    tests.sharing(
        "transactions::twenty_transfers_at_once_by_one_key_all_succeed",
        twenty_transfers_at_once_by_one_key_all_succeed,
    );
}

async fn a_transfer_whose_node_is_killed_before_it_is_in_a_block_is_made_once() {
    let market = Market::start().await;
    let (sender, receiver) = (account("//Ferdie"), account("//Receiver"));
    let keypair = KeySource::Development("//Ferdie".to_owned()).load();
    let submitter = Submitter::new(
        market.client.clone(),
        keypair.expect("development keys are well formed"),
    );
    let before = market.client.next_nonce(&sender).await.expect("the chain answers");
    let made = tokio::spawn(async move { submitter.submit_settled(&calls::transfer(receiver, UNIT)).await });
    let sent = async {
        while market.client.next_nonce(&sender).await.expect("the chain answers") == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, sent).await.expect("it is sent");
    market.chain.restart_node().await;
    let included = tokio::time::timeout(PATIENCE, made).await.expect("it is made");
    let included = included.expect("no panic").expect("it succeeds");
    assert!(included.is_final, "{included:?}");
    assert_eq!(market.free("//Receiver").await, UNIT, "made once");
    let after = market.client.next_nonce(&sender).await.expect("the chain answers");
    assert_eq!(after, before + 1, "and nothing else was sent");
}

async fn twenty_transfers_at_once_by_one_key_all_succeed(shared: Arc<Shared>) {
    let market = shared.kinds(1).await;
    let charlie = market.agora("//Charlie");
    let to = account("//Twenty").to_string();
    let arguments = ["transfer", &to, "1"];
    for made in join_all((0..20).map(|_| charlie.json(&arguments))).await {
        made.expect("each gets its nonce, or waits for its turn");
    }
    assert_eq!(market.free("//Twenty").await, 20 * UNIT);
}
