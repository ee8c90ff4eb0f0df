//! Four validators of consensus on this machine. GRANDPA tolerates one of four.

use agora_e2e::finalised_up_to;
use agora_localnet::{Node, NodeOptions};

/// Secret network key of the first node, and the peer id that follows from it.
const NODE_KEY: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const PEER_ID: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

async fn validator(name: &str, more: &[&str], folder: &tempfile::TempDir) -> Node {
    let mut arguments = vec![
        format!("--{name}"),
        "--validator".to_owned(),
        "--allow-private-ip".to_owned(),
    ];
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    let options = NodeOptions {
        name: name.to_owned(),
        chain: "local4".to_owned(),
        arguments,
    };
    Node::start(options, folder.path()).await.expect("the node starts")
}

#[tokio::test]
async fn three_of_four_validators_go_on_finalising_and_the_fourth_catches_up() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let alice = validator("alice", &["--node-key", NODE_KEY], &folder).await;
    let boot = alice.address(PEER_ID);
    let boot = ["--bootnodes", boot.as_str(), "--unsafe-force-node-key-generation"];
    let bob = validator("bob", &boot, &folder).await;
    let charlie = validator("charlie", &boot, &folder).await;
    let mut dave = validator("dave", &boot, &folder).await;

    let client = alice.client().await.expect("it answers");
    finalised_up_to(&client, 3).await.expect("four of four finalise");

    dave.kill().await.expect("it can be killed");
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
