//! A connection to one node, which never outlives its break.

use crate::ChainError;
use futures::{FutureExt, StreamExt, future::BoxFuture};
use std::{sync::Arc, time::Duration};
use subxt::{
    PolkadotConfig,
    config::RpcConfigFor,
    rpcs::{
        Error as RpcError, LegacyRpcMethods, RpcClient, RpcClientT,
        client::{
            RawRpcFuture, RawRpcSubscription, RawValue, ReconnectingRpcClient, reconnecting_rpc_client::PingConfig,
        },
    },
};
use tokio::{sync::watch, time::Instant};

/// The methods of a node that are used beside subxt's.
pub(crate) type Legacy = LegacyRpcMethods<RpcConfigFor<PolkadotConfig>>;

/// Makes a connection to the node at a URL.
pub(super) type Connector = Arc<dyn Fn(String) -> BoxFuture<'static, Result<Node, ChainError>> + Send + Sync>;

/// A connection to one node. After it broke, all of its calls fail.
#[derive(Clone)]
pub(crate) struct Node {
    pub url: Arc<str>,
    pub legacy: Legacy,
    pub(super) rpc: RpcClient,
    is_gone: watch::Receiver<bool>,
}

impl Node {
    /// A connection that `is_gone` says to be broken.
    pub(super) fn over(url: &str, rpc: RpcClient, is_gone: watch::Receiver<bool>) -> Self {
        let is_gone_too = is_gone.clone();
        let rpc = RpcClient::new(Once {
            rpc,
            is_gone: is_gone_too,
        });
        Self {
            url: url.into(),
            legacy: LegacyRpcMethods::new(rpc.clone()),
            rpc,
            is_gone,
        }
    }

    /// Whether it broke.
    pub fn is_gone(&self) -> bool {
        *self.is_gone.borrow()
    }
}

/// Connects over the network.
pub(super) fn over_network() -> Connector {
    Arc::new(|url| connect(url).boxed())
}

async fn connect(url: String) -> Result<Node, ChainError> {
    let connection = ReconnectingRpcClient::builder()
        // It would reconnect by itself and hand calls that wait to a node that nobody judged since.
        .retry_policy(std::iter::empty::<Duration>())
        .enable_ws_ping(PingConfig::new())
        .max_response_size(64 * 1024 * 1024)
        .build(&url)
        .await
        .map_err(|error| unreachable(&url, &error))?;
    let rpc = RpcClient::new(connection);
    // It ends when the connection breaks, and nothing else says so.
    let heads = rpc
        .subscribe_raw("chain_subscribeFinalizedHeads", None, "chain_unsubscribeFinalizedHeads")
        .await
        .map_err(|error| unreachable(&url, &error))?;
    let (gone, is_gone) = watch::channel(false);
    tokio::spawn(async move {
        let mut heads = heads.stream;
        while let Some(Ok(_)) = heads.next().await {}
        gone.send_replace(true);
    });
    Ok(Node::over(&url, rpc, is_gone))
}

pub(super) fn unreachable(url: &str, reason: &dyn std::fmt::Display) -> ChainError {
    ChainError::Unreachable {
        url: url.to_owned(),
        reason: reason.to_string(),
    }
}

/// Answers until the connection breaks.
struct Once {
    rpc: RpcClient,
    is_gone: watch::Receiver<bool>,
}

/// Waits until the connection is broken.
async fn gone(mut is_gone: watch::Receiver<bool>) {
    // Nobody can say any more that it stands if the sender is gone.
    let _ = is_gone.wait_for(|is_gone| *is_gone).await;
}

impl Once {
    async fn while_it_stands<T>(&self, answer: impl Future<Output = Result<T, RpcError>>) -> Result<T, RpcError> {
        let lost = || RpcError::DisconnectedWillReconnect("the connection broke".to_owned());
        if *self.is_gone.borrow() {
            return Err(lost());
        }
        let answered = tokio::select! {
            biased;
            () = gone(self.is_gone.clone()) => return Err(lost()),
            answered = answer => answered,
        };
        match *self.is_gone.borrow() {
            true => Err(lost()),
            false => answered,
        }
    }
}

impl RpcClientT for Once {
    fn request_raw<'a>(&'a self, method: &'a str, params: Option<Box<RawValue>>) -> RawRpcFuture<'a, Box<RawValue>> {
        async move {
            let asked_at = Instant::now();
            let answer = self.while_it_stands(self.rpc.request_raw(method, params)).await;
            tracing::trace!(method, ms = asked_at.elapsed().as_millis(), "Answered.");
            answer
        }
        .boxed()
    }

    fn subscribe_raw<'a>(
        &'a self,
        sub: &'a str,
        params: Option<Box<RawValue>>,
        unsub: &'a str,
    ) -> RawRpcFuture<'a, RawRpcSubscription> {
        async move {
            let subscription = self.while_it_stands(self.rpc.subscribe_raw(sub, params, unsub)).await?;
            Ok(RawRpcSubscription {
                stream: Box::pin(subscription.stream.take_until(Box::pin(gone(self.is_gone.clone())))),
                id: subscription.id,
            })
        }
        .boxed()
    }
}
