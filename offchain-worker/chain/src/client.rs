//! The connection.

use crate::{
    AccountId, BlockNumber, Blocks, ChainError, H256,
    nodes::{Legacy, Nodes, Switch},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use subxt::{
    OnlineClient, OnlineClientAtBlock, PolkadotConfig,
    backend::LegacyBackend,
    rpcs::{LegacyRpcMethods, RpcClient, client::RpcParams},
};
use tokio::{sync::watch, time::Instant};

/// How long a program that waits without end tries at a time.
const AT_A_TIME: Duration = Duration::from_secs(30);
/// Its pause before the next time.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection to one node or to several of one chain. It reconnects by itself, and goes on with another node if one
/// fails, lags or lies about what is final. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Client {
    pub(crate) online: OnlineClient<PolkadotConfig>,
    pub(crate) legacy: Legacy,
    pub(crate) nodes: Arc<Nodes>,
    rpc: RpcClient,
    /// The states that were asked for last and when, the newest at the end.
    states: Arc<Mutex<VecDeque<(AtBlock, Instant)>>>,
    /// Changes with each best block of which somebody here is told.
    pub(crate) told: watch::Sender<H256>,
}

/// How many states are remembered.
const REMEMBERED: usize = 64;
/// What was told so lately is recent: a runtime is not upgraded unnoticed for longer.
const RECENT: Duration = Duration::from_secs(6);

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
        Self::connect_any(&[url.to_owned()], patience).await
    }

    /// Connects to the nodes at `urls`. One of them has to be believed within `patience`; the others are tried again
    /// later.
    ///
    /// Errors: no node answers or is believed in time, or a URL cannot be one.
    pub async fn connect_any(urls: &[String], patience: Duration) -> Result<Self, ChainError> {
        let nodes = Nodes::connect(urls, patience, None).await?;
        let rpc = RpcClient::new(Switch(Arc::clone(&nodes)));
        let backend = LegacyBackend::builder().build(rpc.clone());
        Ok(Self {
            online: OnlineClient::from_backend(Arc::new(backend)).await?,
            legacy: LegacyRpcMethods::new(rpc.clone()),
            nodes,
            rpc,
            states: Arc::default(),
            told: watch::channel(H256::zero()).0,
        })
    }

    /// Like [`Self::connect_any`], for programs that run for ever: waits without end for a node that can be believed, as
    /// after a reboot of its machine.
    ///
    /// Errors: only those that waiting does not mend.
    pub async fn connect_patiently(urls: &[String]) -> Result<Self, ChainError> {
        patiently(|| Self::connect_any(urls, AT_A_TIME)).await
    }

    /// Notes a block that was final earlier. A node that has not finalised it is not believed from now on.
    pub async fn expect_final(&self, block: BlockRef) {
        self.nodes.expect_final(block).await;
    }

    /// The URL of the node that is used.
    pub fn url(&self) -> &str {
        self.nodes.url()
    }

    /// Whether finality stands still, so that nothing becomes final.
    pub fn finality_stands_still(&self) -> bool {
        self.nodes.finality_stands_still()
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
        let at = self.at(hash).await?;
        self.nodes.see_final(at.block);
        Ok(at)
    }

    /// The state after the block with this hash. Nothing is asked for one that is remembered: what a hash stands for does not
    /// change. Whether the node still has it shows when something is read.
    pub async fn at(&self, hash: H256) -> Result<AtBlock, ChainError> {
        match self.remembered(hash) {
            Some(known) => Ok(known),
            None => AtBlock::new(self.online.at_block(hash).await?).map(|state| self.remember(state)),
        }
    }

    /// The state after `block`, as [`Self::at`] of its hash, but with fewer questions.
    pub async fn after(&self, block: BlockRef) -> Result<AtBlock, ChainError> {
        self.at_block(block.hash, block.number.into()).await
    }

    /// As [`Self::at`], for a block whose `number` is known, too.
    pub(crate) async fn at_block(&self, hash: H256, number: u64) -> Result<AtBlock, ChainError> {
        match self.remembered(hash) {
            Some(known) => Ok(known),
            None => {
                let at = self.online.at_block_hash_and_number(hash, number).await?;
                AtBlock::new(at).map(|state| self.remember(state))
            }
        }
    }

    fn remembered(&self, hash: H256) -> Option<AtBlock> {
        let states = self.states();
        let mut states = states.iter().rev().map(|(state, _)| state);
        states.find(|state| state.block.hash == hash).cloned()
    }

    fn remember(&self, state: AtBlock) -> AtBlock {
        let mut states = self.states();
        if states.len() == REMEMBERED {
            states.pop_front();
        }
        states.push_back((state.clone(), Instant::now()));
        state
    }

    /// The state after the best block or one shortly before it, where that makes no difference: for what the runtime alone decides. Nothing
    /// is asked where blocks are followed.
    pub(crate) async fn recent(&self) -> Result<AtBlock, ChainError> {
        match self.told_lately() {
            Some(state) => Ok(state),
            None => self.best().await,
        }
    }

    fn told_lately(&self) -> Option<AtBlock> {
        let told = *self.told.borrow();
        let states = self.states();
        let mut states = states.iter().rev().filter(|(_, since)| since.elapsed() < RECENT);
        states
            .find(|(state, _)| state.block.hash == told)
            .map(|(state, _)| state.clone())
    }

    fn states(&self) -> MutexGuard<'_, VecDeque<(AtBlock, Instant)>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
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

/// What `ask` answers once it can be answered: waits without end while no node can be believed.
///
/// Errors: only those that waiting does not mend.
pub async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, ChainError>
where
    F: Future<Output = Result<T, ChainError>>,
{
    let mut is_told = false;
    loop {
        match ask().await {
            Err(error) if error.is_recoverable() => {
                if !is_told {
                    tracing::warn!(%error, "Waiting for a node that can be believed.");
                    is_told = true;
                }
                tokio::time::sleep(PAUSE).await;
            }
            answered => return answered,
        }
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
