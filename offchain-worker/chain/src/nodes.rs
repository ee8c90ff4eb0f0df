//! The nodes that are used: one for questions, several for transactions, and none that is not believed.
//!
//! A node is asked every few seconds how it is. One of another chain, one that still syncs or lags, or that has not
//! finalised the newest block that was seen to be final, is believed in nothing. Questions go to one of the others, and
//! to the next one when that fails; who asks does not notice but for an error that is recoverable. Transactions go to
//! some others too, also to those that only finalise later than the one that is used.
//!
//! A connection that broke is never used again. The new one is judged before it is used: the node that comes back may
//! have another chain.

mod connection;
mod health;
mod memo;
#[cfg(test)]
pub(crate) mod mock;
mod monitor;
#[cfg(test)]
mod tests;

pub(crate) use connection::{Legacy, Node};

use crate::{BlockNumber, BlockRef, ChainError, H256};
use connection::Connector;
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use memo::Memo;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use subxt::rpcs::{
    Error as RpcError, RpcClientT,
    client::{RawRpcFuture, RawRpcSubscription, RawValue},
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// How many blocks finality may be behind before it counts as standing still.
const FINALITY_LAG: BlockNumber = 32;

/// Whether finality stands still if `best` is the best block and `finalised` the newest final one: too few validators of
/// consensus are there.
pub const fn stands_still(best: BlockNumber, finalised: BlockNumber) -> bool {
    best.saturating_sub(finalised) > FINALITY_LAG
}

/// The pause between two attempts to reach a node while none was reached.
const PAUSE: Duration = Duration::from_millis(200);
/// How long other nodes have to answer once one has.
const OTHERS: Duration = Duration::from_secs(1);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(60);
/// To how many nodes a transaction is sent.
const SENT_TO: usize = 3;

/// All nodes, and which of them is used.
pub(crate) struct Nodes {
    urls: Vec<String>,
    genesis: H256,
    connector: Connector,
    state: Mutex<State>,
    /// The number of the node that is used; `None`: no node is believed.
    used: watch::Sender<Option<usize>>,
    /// Changes after each look at the nodes.
    looked: watch::Sender<()>,
    /// Wakes the monitor up.
    look: Notify,
    is_stalled: AtomicBool,
    /// What was answered to questions that have one answer for ever.
    memo: Memo,
}

#[derive(Default)]
struct State {
    connections: Vec<Option<Node>>,
    /// Of each connection, why its node is not believed. They change together.
    judged: Vec<Option<health::Distrust>>,
    /// The newest block that somebody here was shown as final.
    last_final: Option<BlockRef>,
}

/// Whether `url` can be that of a node.
fn check_url(url: &str) -> Result<(), ChainError> {
    let rest = url.strip_prefix("ws://").or_else(|| url.strip_prefix("wss://"));
    let host = rest.map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    let port_is_right = |host: &str| match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => !name.is_empty() && port.parse::<u16>().is_ok(),
        _ => true,
    };
    let is_right = host.is_some_and(|host| !host.is_empty() && port_is_right(host));
    if is_right && !url.contains(char::is_whitespace) {
        Ok(())
    } else {
        Err(ChainError::InvalidUrl { url: url.to_owned() })
    }
}

impl Nodes {
    /// Connects to the nodes at `urls`, of which one has to be believed within `patience`. Those that do not answer in
    /// time are tried again later. The chain is that of most nodes, or of the first one. `expected` was final earlier.
    pub async fn connect(
        urls: &[String],
        patience: Duration,
        expected: Option<BlockRef>,
    ) -> Result<Arc<Self>, ChainError> {
        Self::connect_with(connection::over_network(), urls, patience, expected).await
    }

    async fn connect_with(
        connector: Connector,
        urls: &[String],
        patience: Duration,
        expected: Option<BlockRef>,
    ) -> Result<Arc<Self>, ChainError> {
        urls.iter().try_for_each(|url| check_url(url))?;
        let until = Instant::now() + patience;
        let (mut answered, reason) = connect_all(&connector, urls, until).await;
        answered.sort_by_key(|(number, ..)| *number);
        let genesis = most_common(answered.iter().map(|(_, _, genesis)| *genesis)).ok_or(reason)?;
        let mut connections = vec![None; urls.len()];
        for (number, node, of) in answered {
            if of == genesis {
                connections[number] = Some(node);
            }
        }
        let nodes = Arc::new(Self {
            urls: urls.to_vec(),
            genesis,
            connector,
            state: Mutex::new(State {
                judged: vec![None; urls.len()],
                connections,
                last_final: expected,
            }),
            used: watch::channel(None).0,
            looked: watch::channel(()).0,
            look: Notify::new(),
            is_stalled: AtomicBool::new(false),
            memo: Memo::default(),
        });
        monitor::look(&nodes).await;
        // After a reboot of its machine, a node may still be syncing.
        while nodes.used.borrow().is_none() {
            if Instant::now() >= until {
                return Err(ChainError::NotBelieved(nodes.reasons()));
            }
            tokio::time::sleep(PAUSE).await;
            monitor::look(&nodes).await;
        }
        tokio::spawn(monitor::run(Arc::downgrade(&nodes)));
        Ok(nodes)
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The URL of the node that is used, or of the first one.
    pub fn url(&self) -> &str {
        let used = self.used.borrow().unwrap_or_default();
        self.urls.get(used).map_or("", String::as_str)
    }

    /// The node that is used. If it does not answer at the moment, or others have yet to finalise what it had, waits for
    /// the next judgement, but not for ever.
    ///
    /// Errors: no node is believed.
    pub async fn current(&self) -> Result<Node, ChainError> {
        let mut looked = self.looked.subscribe();
        let wait = async {
            while self.may_soon_be_believed() {
                if let Some(node) = self.believed_now() {
                    return Some(node);
                }
                // The sender is here, so it is not gone.
                let _ = looked.changed().await;
            }
            self.believed_now()
        };
        let node = tokio::time::timeout(ANSWER, wait).await.ok().flatten();
        node.ok_or_else(|| ChainError::NotBelieved(self.reasons()))
    }

    /// The node that is used, if its connection stands and was judged.
    fn believed_now(&self) -> Option<Node> {
        let used = (*self.used.borrow())?;
        let node = self.state(|state| match state.judged.get(used) {
            Some(None) => state.connections.get(used).cloned().flatten(),
            _ => None,
        });
        let node = node.filter(|node| !node.is_gone());
        if node.is_none() {
            self.look.notify_one();
        }
        node
    }

    /// Whether it is worth waiting for the next judgement.
    fn may_soon_be_believed(&self) -> bool {
        let is_late = |distrust: &Option<health::Distrust>| distrust.as_ref().is_some_and(health::Distrust::is_late);
        self.used.borrow().is_some() || self.state(|state| state.judged.iter().any(is_late))
    }

    /// The nodes that transactions are sent to: the one that is used, and some others of its chain.
    pub fn for_sending(&self) -> Vec<Node> {
        let used = *self.used.borrow();
        let mut nodes: Vec<Node> = self.believed_now().into_iter().collect();
        self.state(|state| {
            let others = state.connections.iter().zip(&state.judged).enumerate();
            let others = others.filter(|(number, (_, distrust))| {
                Some(*number) != used && distrust.as_ref().is_none_or(health::Distrust::is_late)
            });
            nodes.extend(others.filter_map(|(_, (node, _))| node.clone().filter(|node| !node.is_gone())));
        });
        nodes.truncate(SENT_TO);
        nodes
    }

    /// Why each node is not believed.
    fn reasons(&self) -> String {
        let reasons = self.state(|state| {
            let judged = self.urls.iter().zip(&state.judged);
            let told = judged.filter_map(|(url, distrust)| Some(format!("{url}: {}", distrust.as_ref()?)));
            told.collect::<Vec<_>>()
        });
        reasons.join("; ")
    }

    /// Notes a block that was final earlier, and looks at the nodes again.
    pub async fn expect_final(self: &Arc<Self>, block: BlockRef) {
        self.see_final(block);
        monitor::look(self).await;
    }

    /// Notes a block that was shown as final. From now on, a node that has not finalised it is not believed.
    pub fn see_final(&self, block: BlockRef) {
        self.state(|state| {
            if state.last_final.is_none_or(|known| known.number < block.number) {
                state.last_final = Some(block);
            }
        });
    }

    /// Whether finality [stands still](stands_still), as the node that is used says.
    pub fn finality_stands_still(&self) -> bool {
        self.is_stalled.load(Ordering::Relaxed)
    }

    /// Waits until another node is used.
    async fn changed(&self) {
        let mut used = self.used.subscribe();
        // The sender is here, so it is not gone.
        let _ = used.changed().await;
    }
}

/// Connects to those that answer in time: their numbers, connections and first blocks; and why others do not answer.
async fn connect_all(connector: &Connector, urls: &[String], until: Instant) -> (Vec<(usize, Node, H256)>, ChainError) {
    let reason = Mutex::new(ChainError::Unreachable {
        url: urls.join(", "),
        reason: "nobody answers in time".to_owned(),
    });
    let reach = async |number: usize, url: &String| loop {
        let reached = async {
            let node = connector(url.clone()).await?;
            let genesis = node.legacy.genesis_hash().await;
            let genesis = genesis.map_err(|error| connection::unreachable(url, &error))?;
            Ok::<_, ChainError>((number, node, genesis))
        };
        match reached.await {
            Ok(node) => return node,
            Err(error) => *reason.lock().unwrap_or_else(PoisonError::into_inner) = error,
        }
        tokio::time::sleep(PAUSE).await;
    };
    let mut reaching: FuturesUnordered<_> = urls
        .iter()
        .enumerate()
        .map(|(number, url)| reach(number, url))
        .collect();
    let mut answered = Vec::new();
    let time_out = tokio::time::sleep_until(until);
    tokio::pin!(time_out);
    loop {
        tokio::select! {
            () = &mut time_out => break,
            next = reaching.next() => match next {
                Some(node) => {
                    answered.push(node);
                    time_out.as_mut().reset(Instant::now() + OTHERS);
                }
                None => break,
            }
        }
    }
    drop(reaching);
    (answered, reason.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The most common one; the first of several.
fn most_common(all: impl Iterator<Item = H256> + Clone) -> Option<H256> {
    let count = |one: &H256| all.clone().filter(|other| other == one).count();
    all.clone()
        .reduce(|most, one| if count(&one) > count(&most) { one } else { most })
}

/// Talks to the node that is used.
#[derive(Clone)]
pub(crate) struct Switch(pub Arc<Nodes>);

impl Switch {
    async fn current(&self) -> Result<Node, RpcError> {
        let current = self.0.current().await;
        current.map_err(|error| RpcError::Client(Box::new(error)))
    }

    /// Waits for an answer, until another node is used or it takes too long.
    async fn within<T>(&self, node: &Node, answer: impl Future<Output = Result<T, RpcError>>) -> Result<T, RpcError> {
        let lost = |why: &str| Err(RpcError::DisconnectedWillReconnect(format!("{}: {why}", node.url)));
        let answered = tokio::select! {
            answered = answer => answered,
            () = self.0.changed() => lost("another node is used now"),
            () = tokio::time::sleep(ANSWER) => lost("no answer in time"),
        };
        if matches!(
            answered,
            Err(RpcError::Client(_) | RpcError::DisconnectedWillReconnect(_))
        ) {
            self.0.look.notify_one();
        }
        answered
    }
}

impl RpcClientT for Switch {
    fn request_raw<'a>(&'a self, method: &'a str, params: Option<Box<RawValue>>) -> RawRpcFuture<'a, Box<RawValue>> {
        async move {
            let node = self.current().await?;
            let question = memo::question(&node.url, method, params.as_deref());
            if let Some(known) = question.as_ref().and_then(|question| self.0.memo.answer(question)) {
                return Ok(known.as_ref().to_owned());
            }
            let answer = self.within(&node, node.rpc.request_raw(method, params)).await?;
            if let Some(question) = question {
                self.0.memo.remember(question, &answer);
            }
            Ok(answer)
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
            let node = self.current().await?;
            let subscription = self.within(&node, node.rpc.subscribe_raw(sub, params, unsub)).await?;
            let nodes = Arc::clone(&self.0);
            // It ends when another node is used; who reads it subscribes anew.
            let ends = async move { nodes.changed().await };
            Ok(RawRpcSubscription {
                stream: Box::pin(subscription.stream.take_until(Box::pin(ends))),
                id: subscription.id,
            })
        }
        .boxed()
    }
}
