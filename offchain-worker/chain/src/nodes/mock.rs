//! Nodes for tests: they answer from memory, break, and come back with another chain.

use super::connection::{Connector, Node, unreachable};
use crate::{BlockNumber, H256};
use futures::FutureExt;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use subxt::rpcs::{
    Error as RpcError, RpcClient, RpcClientT,
    client::{RawRpcFuture, RawRpcSubscription, RawValue},
};
use tokio::sync::watch;

/// How a node is.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    pub best: BlockNumber,
    pub finalised: BlockNumber,
    /// Chains with different ones share only the first block.
    pub fork: u8,
    pub is_syncing: bool,
    /// `false`: nothing answers there.
    pub is_up: bool,
}

impl Chain {
    pub fn hash(&self, number: BlockNumber) -> H256 {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        hash[31] = if number == 0 { 0 } else { self.fork };
        H256(hash)
    }

    fn answer(&self, method: &str, params: &str) -> String {
        let first = params.trim_matches(['[', ']']);
        let header = |number: BlockNumber| {
            let zero = H256::zero();
            format!(
                r#"{{"parentHash":"{zero:?}","number":"{number:#x}","stateRoot":"{zero:?}","extrinsicsRoot":"{zero:?}","digest":{{"logs":[]}}}}"#
            )
        };
        match method {
            "system_health" => format!(
                r#"{{"peers":1,"isSyncing":{},"shouldHavePeers":true}}"#,
                self.is_syncing
            ),
            "chain_getFinalizedHead" => format!("\"{:?}\"", self.hash(self.finalised)),
            "chain_getHeader" => match first.strip_prefix("\"0x").and_then(|hash| hash.get(..8)) {
                Some(number) => header(BlockNumber::from_str_radix(number, 16).unwrap_or_default()),
                None => header(self.best),
            },
            "system_accountNextIndex" => "0".to_owned(),
            // Nonces are 32 bits.
            "state_call" => "\"0x00000000\"".to_owned(),
            "state_getStorage" => "null".to_owned(),
            "chain_getBlockHash" => match first.parse::<BlockNumber>().ok() {
                Some(number) if number <= self.best => format!("\"{:?}\"", self.hash(number)),
                Some(_) => "null".to_owned(),
                None => format!("\"{:?}\"", self.hash(self.best)),
            },
            other => panic!("{other} is not known"),
        }
    }
}

/// A node, and the connections to it.
#[derive(Default)]
pub(crate) struct MockNode {
    pub chain: Mutex<Chain>,
    connections: Mutex<Vec<watch::Sender<bool>>>,
    /// The methods of all questions.
    asked: Mutex<Vec<String>>,
    latency: Duration,
}

/// A node, and a connection to it: every answer takes `latency`.
pub(crate) fn lone_node(best: BlockNumber, finalised: BlockNumber, latency: Duration) -> (Arc<MockNode>, Node) {
    let (gone, is_gone) = watch::channel(false);
    let chain = Chain {
        best,
        finalised,
        is_up: true,
        ..Chain::default()
    };
    let mock = Arc::new(MockNode {
        chain: Mutex::new(chain),
        connections: Mutex::new(vec![gone]),
        latency,
        ..MockNode::default()
    });
    let node = Node::over("ws://node:0", RpcClient::new(MockRpc(Arc::clone(&mock))), is_gone);
    (mock, node)
}

impl MockNode {
    pub fn change(&self, change: impl FnOnce(&mut Chain)) {
        change(&mut self.chain.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How many questions it was asked.
    pub fn asked(&self) -> usize {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many of them were calls of `method`.
    pub fn asked_for(&self, method: &str) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|asked| *asked == method).count()
    }

    pub fn chain(&self) -> Chain {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Breaks all connections.
    pub fn disconnect(&self) {
        for connection in self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            connection.send_replace(true);
        }
    }
}

struct MockRpc(Arc<MockNode>);

impl RpcClientT for MockRpc {
    fn request_raw<'a>(&'a self, method: &'a str, params: Option<Box<RawValue>>) -> RawRpcFuture<'a, Box<RawValue>> {
        async move {
            self.0
                .asked
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(method.to_owned());
            if !self.0.latency.is_zero() {
                tokio::time::sleep(self.0.latency).await;
            }
            let chain = self.0.chain();
            if !chain.is_up {
                std::future::pending::<()>().await;
            }
            let params = params.map_or_else(String::new, |params| params.get().to_owned());
            let answer = chain.answer(method, &params);
            RawValue::from_string(answer).map_err(RpcError::Deserialization)
        }
        .boxed()
    }

    fn subscribe_raw<'a>(
        &'a self,
        _: &'a str,
        _: Option<Box<RawValue>>,
        _: &'a str,
    ) -> RawRpcFuture<'a, RawRpcSubscription> {
        async { Err(RpcError::Client("there are no subscriptions here".into())) }.boxed()
    }
}

/// Connects to these nodes: the first is at `ws://node:0`.
pub(super) fn connector(nodes: Vec<Arc<MockNode>>) -> Connector {
    Arc::new(move |url| {
        let number = url.rsplit(':').next().and_then(|number| number.parse::<usize>().ok());
        let node = number.and_then(|number| nodes.get(number).cloned());
        async move {
            let node = node
                .filter(|node| node.chain().is_up)
                .ok_or_else(|| unreachable(&url, &"refused"))?;
            let (gone, is_gone) = watch::channel(false);
            node.connections
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(gone);
            Ok(Node::over(&url, RpcClient::new(MockRpc(node)), is_gone))
        }
        .boxed()
    })
}
