//! The connection.

use crate::{AccountId, BlockNumber, Blocks, ChainError, H256};
use std::{sync::Arc, time::Duration};
use subxt::{
    OnlineClient, OnlineClientAtBlock, PolkadotConfig,
    backend::LegacyBackend,
    config::RpcConfigFor,
    rpcs::{
        LegacyRpcMethods, RpcClient,
        client::{
            ReconnectingRpcClient, RpcParams,
            reconnecting_rpc_client::{ExponentialBackoff, PingConfig},
        },
    },
};

/// The longest pause between two attempts to reach the node.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A connection to one node. It reconnects by itself. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Client {
    pub(crate) online: OnlineClient<PolkadotConfig>,
    pub(crate) legacy: LegacyRpcMethods<RpcConfigFor<PolkadotConfig>>,
    rpc: RpcClient,
    url: Arc<str>,
}

/// A block.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BlockRef {
    /// Its number.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: H256,
}

/// The chain's state after one block. It answers with [`crate::views`].
#[derive(Clone)]
pub struct AtBlock {
    pub(crate) at: OnlineClientAtBlock<PolkadotConfig>,
    /// The block.
    pub block: BlockRef,
}

impl Client {
    /// Connects to the node at `url` (`ws://…` or `wss://…`), and tries for as long as `patience` allows.
    pub async fn connect(url: &str, patience: Duration) -> Result<Self, ChainError> {
        // The reconnecting client tries for ever, so the time limit is set around it.
        tokio::time::timeout(patience, Self::try_connect(url))
            .await
            .unwrap_or_else(|_| {
                let reason = format!("nobody answers within {} s", patience.as_secs());
                Err(ChainError::Unreachable {
                    url: url.to_owned(),
                    reason,
                })
            })
    }

    async fn try_connect(url: &str) -> Result<Self, ChainError> {
        let unreachable = |reason: &dyn std::fmt::Display| ChainError::Unreachable {
            url: url.to_owned(),
            reason: reason.to_string(),
        };
        let connection = ReconnectingRpcClient::builder()
            .retry_policy(ExponentialBackoff::from_millis(100).max_delay(LONGEST_PAUSE))
            .enable_ws_ping(PingConfig::new())
            .max_response_size(64 * 1024 * 1024)
            .build(url.to_owned())
            .await
            .map_err(|error| unreachable(&error))?;
        let rpc = RpcClient::new(connection);
        let backend = LegacyBackend::builder().build(rpc.clone());
        let online = OnlineClient::from_backend(Arc::new(backend))
            .await
            .map_err(|error| unreachable(&error))?;
        Ok(Self {
            online,
            legacy: LegacyRpcMethods::new(rpc.clone()),
            rpc,
            url: url.into(),
        })
    }

    /// The URL of the node.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Hash of the chain's first block, which identifies the chain.
    pub fn genesis_hash(&self) -> H256 {
        self.online.genesis_hash()
    }

    /// The state after the newest block of the best chain; it may be reverted.
    pub async fn best(&self) -> Result<AtBlock, ChainError> {
        let hash = self
            .legacy
            .chain_get_block_hash(None)
            .await?
            .ok_or_else(|| ChainError::Node("it has no best block".to_owned()))?;
        self.at(hash).await
    }

    /// The state after the newest finalised block.
    pub async fn finalised(&self) -> Result<AtBlock, ChainError> {
        let hash = self.legacy.chain_get_finalized_head().await?;
        self.at(hash).await
    }

    /// The state after the block with this hash.
    pub async fn at(&self, hash: H256) -> Result<AtBlock, ChainError> {
        AtBlock::new(self.online.at_block(hash).await?)
    }

    /// The state after the block with this number on the best chain.
    pub async fn at_number(&self, number: BlockNumber) -> Result<AtBlock, ChainError> {
        AtBlock::new(self.online.at_block(u64::from(number)).await?)
    }

    /// Follows the best chain from its newest block on.
    pub fn follow_best(&self) -> Blocks {
        Blocks::best(self.clone())
    }

    /// Follows the finalised chain, from block `from` on or from the newest finalised one.
    pub fn follow_finalised(&self, from: Option<BlockNumber>) -> Blocks {
        Blocks::finalised(self.clone(), from)
    }

    /// The nonce that the account's next transaction must have, those in the pool counted.
    pub async fn next_nonce(&self, account: &AccountId) -> Result<u64, ChainError> {
        Ok(self.legacy.system_account_next_index(account).await?)
    }

    /// Calls a JSON-RPC method of the node.
    pub async fn rpc<T: serde::de::DeserializeOwned>(&self, method: &str, params: RpcParams) -> Result<T, ChainError> {
        Ok(self.rpc.request(method, params).await?)
    }
}

impl AtBlock {
    pub(crate) fn new(at: OnlineClientAtBlock<PolkadotConfig>) -> Result<Self, ChainError> {
        let number = BlockNumber::try_from(at.block_number())
            .map_err(|_| ChainError::Incompatible("block numbers are larger than 32 bits".to_owned()))?;
        let block = BlockRef {
            number,
            hash: at.block_hash(),
        };
        Ok(Self { at, block })
    }
}
