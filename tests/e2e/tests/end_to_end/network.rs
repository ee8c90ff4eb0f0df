//! Four validators of consensus on this machine. GRANDPA tolerates one of four.

use crate::Tests;
use agora_chain::Client;
use agora_e2e::{PATIENCE, SLOT_MS, finalised_up_to};
use agora_localnet::{Node, NodeOptions, write_chain_spec};
use serde_json::json;
use std::time::Duration;

/// Secret network key of the first node, and the peer id that follows from it.
const NODE_KEY: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const PEER_ID: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

/// Adds the tests of this file.
pub fn add(tests: &mut Tests) {
    tests.alone(
        "network::three_of_four_validators_go_on_finalising_and_the_fourth_catches_up",
        three_of_four_validators_go_on_finalising_and_the_fourth_catches_up,
    );
}

async fn validator(name: &str, chain: &str, more: &[&str], folder: &tempfile::TempDir) -> Node {
    let mut arguments = vec![
        format!("--{name}"),
        "--validator".to_owned(),
        "--allow-private-ip".to_owned(),
    ];
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    let options = NodeOptions {
        name: name.to_owned(),
        chain: chain.to_owned(),
        arguments,
    };
    Node::start(options, folder.path()).await.expect("the node starts")
}

async fn three_of_four_validators_go_on_finalising_and_the_fourth_catches_up() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Four nodes on a small machine need twice the time of one.
    let fast = write_chain_spec("local4", folder.path(), |genesis| {
        genesis["blockTime"]["slotDurationMs"] = json!(2 * SLOT_MS);
    });
    let chain = fast.expect("the node exports its specification").display().to_string();
    let alice = validator("alice", &chain, &["--node-key", NODE_KEY], &folder).await;
    let boot = alice.address(PEER_ID);
    let boot = ["--bootnodes", boot.as_str(), "--unsafe-force-node-key-generation"];
    let bob = validator("bob", &chain, &boot, &folder).await;
    let charlie = validator("charlie", &chain, &boot, &folder).await;
    let mut dave = validator("dave", &chain, &boot, &folder).await;

    let client = alice.client().await.expect("it answers");
    finalised_up_to(&client, 3).await.expect("four of four finalise");

    let urls = [dave.url(), alice.url()];
    let first = async {
        loop {
            let both = Client::connect_any(&urls, PATIENCE).await.expect("both answer");
            // Until it has caught up, it is not believed.
            if both.url() == dave.url() {
                break both;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let both = tokio::time::timeout(PATIENCE, first).await.expect("the first is used");

    dave.kill().await.expect("it can be killed");
    tokio::time::timeout(PATIENCE, async {
        while both.best().await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("the other is used");
    assert_eq!(both.url(), alice.url());
    let without = client.finalised().await.expect("it answers").block.number;
    finalised_up_to(&client, without + 4)
        .await
        .expect("three of four go on finalising");

    dave.resume().await.expect("it starts again");
    let missed = client.finalised().await.expect("it answers").block;
    let returned = dave.client().await.expect("it answers");
    finalised_up_to(&returned, missed.number).await.expect("it catches up");
    let its_own = returned.at_number(missed.number).await.expect("it has the block").block;
    assert_eq!(its_own, missed, "and has the same chain");
    drop((bob, charlie));
}
