//! Four validators of consensus on this machine. GRANDPA tolerates one of four.

use crate::SLOT_MS;
use agora_localnet::{Node, NodeOptions, write_chain_spec};
use serde_json::{Value, json};
use std::path::Path;

/// Secret network key of the first node, and the peer id that follows from it.
const NODE_KEY: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const PEER_ID: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

/// Alice, Bob, Charlie and Dave, connected through Alice.
pub struct Validators(pub [Node; 4]);

impl Validators {
    /// Starts them, with databases and logs in `folder` and the genesis changed by `edit`, and waits until they answer.
    pub async fn start(folder: &Path, edit: impl FnOnce(&mut Value)) -> Self {
        let spec = write_chain_spec("local4", folder, |genesis| {
            edit(genesis);
            // Four nodes on a small machine need twice the time of one.
            genesis["blockTime"]["slotDurationMs"] = json!(2 * SLOT_MS);
        });
        let chain = spec.expect("the node exports its specification").display().to_string();
        let node = async |name: &str, more: &[&str]| {
            let started = Node::start(options(name, &chain, more), folder).await;
            started.expect("the node starts")
        };
        let alice = node("alice", &["--node-key", NODE_KEY]).await;
        let boot = alice.address(PEER_ID);
        let boot = ["--bootnodes", boot.as_str(), "--unsafe-force-node-key-generation"];
        let [bob, charlie, dave] = ["bob", "charlie", "dave"];
        Self([
            alice,
            node(bob, &boot).await,
            node(charlie, &boot).await,
            node(dave, &boot).await,
        ])
    }
}

fn options(name: &str, chain: &str, more: &[&str]) -> NodeOptions {
    let own = format!("--{name}");
    let arguments = [own.as_str(), "--validator", "--allow-private-ip"];
    NodeOptions {
        name: name.to_owned(),
        chain: chain.to_owned(),
        arguments: arguments
            .iter()
            .chain(more)
            .map(|argument| (*argument).to_owned())
            .collect(),
    }
}

/// How the validator with these options goes on without any other: nobody is let in, and it makes blocks all the same.
pub fn alone(mut together: NodeOptions) -> NodeOptions {
    let more = ["--reserved-only", "--force-authoring"];
    together.arguments.extend(more.map(str::to_owned));
    together
}
