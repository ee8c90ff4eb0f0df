//! How a node is doing.

use crate::{AtBlock, BlockNumber, ChainError, Client, api::api};
use serde::{Deserialize, Serialize};
use subxt::rpcs::client::RpcParams;

/// How a node is doing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NodeView {
    /// What it calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it is still catching up with the other nodes.
    pub syncing: bool,
    /// How many other nodes it is connected to.
    pub peers: u32,
    /// Whether it should be connected to any.
    pub should_have_peers: bool,
    /// The number of its best block.
    pub best: BlockNumber,
    /// The number of the newest block that it has finalised.
    pub finalised: BlockNumber,
    /// The best block that it has heard of.
    pub highest: BlockNumber,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    peers: u32,
    is_syncing: bool,
    should_have_peers: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SyncState {
    highest_block: BlockNumber,
}

impl Client {
    /// How the node is doing.
    pub async fn node(&self) -> Result<NodeView, ChainError> {
        let health: Health = self.rpc("system_health", RpcParams::new()).await?;
        let sync: SyncState = self.rpc("system_syncState", RpcParams::new()).await?;
        let best = self.best().await?.block.number;
        Ok(NodeView {
            name: self.rpc("system_name", RpcParams::new()).await?,
            version: self.rpc("system_version", RpcParams::new()).await?,
            syncing: health.is_syncing,
            peers: health.peers,
            should_have_peers: health.should_have_peers,
            best,
            finalised: self.finalised().await?.block.number,
            highest: sync.highest_block.max(best),
        })
    }
}

impl AtBlock {
    /// When the block was made, by its author's clock: milliseconds since 1970. Zero for the first block.
    pub async fn time_ms(&self) -> Result<u64, ChainError> {
        let entry = self
            .at
            .storage()
            .try_fetch(api::storage().timestamp().now(), ())
            .await?;
        Ok(entry.map(|entry| entry.decode()).transpose()?.unwrap_or_default())
    }
}
