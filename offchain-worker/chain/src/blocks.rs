//! Following the chain.

use crate::{
    AtBlock, BlockNumber, BlockRef, ChainError, Client,
    api::{Event, api::escrow, api::runtime_types::agora_primitives::money as api_money},
    views::PaymentView,
};
use agora_primitives::money::Payee;
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, task::AbortHandle};

/// How many blocks may wait for a slow reader; beyond that, no more are read from the node.
const BUFFERED_BLOCKS: usize = 64;
/// Pause after an error before the node is asked again.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

/// A block with the events in it.
#[derive(Clone, Debug)]
pub struct BlockEvents {
    /// The block.
    pub block: BlockRef,
    /// Its events, in order.
    pub events: Vec<Event>,
}

impl BlockEvents {
    /// What was paid out of holds in this block, in order.
    pub fn payments(&self) -> impl Iterator<Item = PaymentView> {
        self.events.iter().filter_map(|event| match event {
            Event::Escrow(escrow::Event::Paid {
                purpose,
                scope,
                from,
                payee,
                amount,
            }) => Some(PaymentView {
                purpose: purpose.0,
                scope: scope.0,
                from: *from,
                payee: match payee {
                    api_money::Payee::Account(to) => Payee::Account(*to),
                    api_money::Payee::Treasury => Payee::Treasury,
                    api_money::Payee::Burn => Payee::Burn,
                },
                amount: *amount,
            }),
            _ => None,
        })
    }
}

/// Blocks as they come, without end. After a recoverable error it tries again; the reader gets the others.
pub struct Blocks {
    receiver: mpsc::Receiver<Result<BlockEvents, ChainError>>,
    task: AbortHandle,
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Blocks {
    pub(crate) fn best(client: Client) -> Self {
        Self::spawn(Follower {
            client,
            next: Next::Newest,
        })
    }

    pub(crate) fn finalised(client: Client, from: Option<BlockNumber>) -> Self {
        Self::spawn(Follower {
            client,
            next: Next::Finalised(from),
        })
    }

    fn spawn(mut follower: Follower) -> Self {
        let (sender, receiver) = mpsc::channel(BUFFERED_BLOCKS);
        let task = tokio::spawn(async move {
            loop {
                let error = match follower.follow(&sender).await {
                    Ok(ReaderGone) => return,
                    Err(error) => error,
                };
                if error.is_recoverable() {
                    tracing::warn!(%error, "Lost the stream of blocks; subscribing anew.");
                } else if sender.send(Err(error)).await.is_err() {
                    return;
                }
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        });
        Self {
            receiver,
            task: task.abort_handle(),
        }
    }

    /// The next block.
    pub async fn next(&mut self) -> Result<BlockEvents, ChainError> {
        self.receiver.recv().await.unwrap_or_else(|| {
            Err(ChainError::Disconnected(
                "the follower of the chain has ended".to_owned(),
            ))
        })
    }
}

/// The reader has dropped its end.
struct ReaderGone;

enum Next {
    /// The next best block.
    Newest,
    /// The finalised block with this number; `None`: the newest one.
    Finalised(Option<BlockNumber>),
}

struct Follower {
    client: Client,
    next: Next,
}

type Sender = mpsc::Sender<Result<BlockEvents, ChainError>>;

impl Follower {
    async fn follow(&mut self, sender: &Sender) -> Result<ReaderGone, ChainError> {
        let mut blocks = match self.next {
            Next::Newest => self.client.online.stream_best_blocks().await?,
            Next::Finalised(_) => self.client.online.stream_blocks().await?,
        };
        while let Some(block) = blocks.next().await {
            let at = AtBlock::new(block?.at().await?)?;
            match self.next {
                Next::Newest => {
                    if sender.send(Ok(at.block_events().await?)).await.is_err() {
                        return Ok(ReaderGone);
                    }
                }
                Next::Finalised(from) => {
                    self.client.nodes.see_final(at.block);
                    let mut number = from.unwrap_or(at.block.number);
                    while number <= at.block.number {
                        let finalised = if number == at.block.number {
                            at.clone()
                        } else {
                            self.client.at_number(number).await?
                        };
                        if sender.send(Ok(finalised.block_events().await?)).await.is_err() {
                            return Ok(ReaderGone);
                        }
                        number = number.saturating_add(1);
                        self.next = Next::Finalised(Some(number));
                    }
                }
            }
        }
        Err(ChainError::Disconnected(
            "the node ended the stream of blocks".to_owned(),
        ))
    }
}

impl AtBlock {
    /// The block with its events.
    pub async fn block_events(&self) -> Result<BlockEvents, ChainError> {
        let all = self.at.events().fetch().await?;
        let mut events = Vec::new();
        for event in all.iter() {
            let event = event?;
            match event.decode_as::<Event>() {
                Ok(event) => events.push(event),
                Err(error) => skip(event.pallet_name(), event.event_name(), &error),
            }
        }
        Ok(BlockEvents {
            block: self.block,
            events,
        })
    }
}

/// Tells, once for each kind, that events are left out which came with an upgrade of the runtime.
pub(crate) fn skip(pallet: &str, event: &str, error: &dyn std::fmt::Display) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let is_new = TOLD
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(format!("{pallet}.{event}"));
    if is_new {
        tracing::warn!(pallet, event, %error, "Leaving out events of this kind, which this program does not know; use the version made for the chain's runtime.");
    }
}
