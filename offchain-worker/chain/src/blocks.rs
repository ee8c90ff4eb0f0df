//! Following the chain.

use crate::{
    AtBlock, BlockNumber, BlockRef, ChainError, Client, H256,
    api::{Event, api::escrow, api::runtime_types::agora_primitives::money as api_money},
    views::PaymentView,
};
use agora_primitives::money::Payee;
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use subxt::PolkadotConfig;
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
            let block = block?;
            match self.next {
                Next::Newest => {
                    self.client.told.send_replace(block.hash());
                    let events = self.client.events_of(block.hash(), block.number()).await?;
                    if sender.send(Ok(events)).await.is_err() {
                        return Ok(ReaderGone);
                    }
                }
                Next::Finalised(from) => {
                    let at = self.client.at_block(block.hash(), block.number()).await?;
                    self.client.nodes.see_final(at.block);
                    if self.catch_up(from, &at, sender).await?.is_some() {
                        return Ok(ReaderGone);
                    }
                }
            }
        }
        Err(ChainError::Disconnected(
            "the node ended the stream of blocks".to_owned(),
        ))
    }
}

impl Follower {
    /// Sends the finalised blocks from `from` up to `at`. Those that the node does not have any more are left out: waiting
    /// for them would never end.
    async fn catch_up(
        &mut self,
        from: Option<BlockNumber>,
        at: &AtBlock,
        sender: &Sender,
    ) -> Result<Option<ReaderGone>, ChainError> {
        let newest = at.block.number;
        let mut number = from.unwrap_or(newest);
        while number <= newest {
            let events = match number == newest {
                true => at.block_events().await,
                false => self.events_of(number).await,
            };
            let events = match events {
                Err(error) if number < newest && is_gone(&error) => {
                    let this = &*self;
                    let has = |number| async move {
                        match this.events_of(number).await {
                            Ok(_) => Ok(true),
                            Err(error) if is_gone(&error) => Ok(false),
                            Err(error) => Err(error),
                        }
                    };
                    let next = first_that(number, newest, has).await?;
                    tracing::warn!(%error, from = number, to = next - 1, "The node does not have these finalised blocks any more: what happened in them is not counted. An archive node would have them.");
                    self.next = Next::Finalised(Some(next));
                    number = next;
                    continue;
                }
                events => events?,
            };
            if sender.send(Ok(events)).await.is_err() {
                return Ok(Some(ReaderGone));
            }
            number = number.saturating_add(1);
            self.next = Next::Finalised(Some(number));
        }
        Ok(None)
    }

    async fn events_of(&self, number: BlockNumber) -> Result<BlockEvents, ChainError> {
        self.client.at_number(number).await?.block_events().await
    }
}

/// Whether the node answered that it does not have what was asked for: neither is it away, nor too busy.
fn is_gone(error: &ChainError) -> bool {
    let (ChainError::Node(text) | ChainError::NotFound(text)) = error else {
        return false;
    };
    let text = text.to_lowercase();
    // Of the SDK's client and of subxt.
    let said = [
        "discarded",
        "not found",
        "could not find",
        "unknown block",
        "unknownblock",
        "pruned",
    ];
    said.iter().any(|words| text.contains(words))
}

/// The first number above `gone` that the node `has`: it has all from some block on, and at least `newest`.
async fn first_that<F: Future<Output = Result<bool, ChainError>>>(
    mut gone: BlockNumber,
    newest: BlockNumber,
    has: impl Fn(BlockNumber) -> F,
) -> Result<BlockNumber, ChainError> {
    let mut there = newest;
    while there - gone > 1 {
        let middle = gone + (there - gone) / 2;
        match has(middle).await? {
            true => there = middle,
            false => gone = middle,
        }
    }
    Ok(there)
}

/// Where the events of a block are: the hashes of `System` and `Events`.
const EVENTS_KEY: [u8; 32] = [
    0x26, 0xaa, 0x39, 0x4e, 0xea, 0x56, 0x30, 0xe0, 0x7c, 0x48, 0xae, 0x0c, 0x95, 0x58, 0xce, 0xf7, //
    0x80, 0xd4, 0x1e, 0x5e, 0x16, 0x05, 0x67, 0x65, 0xbc, 0x84, 0x61, 0x85, 0x10, 0x72, 0xc9, 0xd7,
];

impl Client {
    /// A block with its events. They are asked for beside the runtime's version, without which they cannot be read.
    async fn events_of(&self, hash: H256, number: u64) -> Result<BlockEvents, ChainError> {
        let bytes = async { Ok(self.legacy.state_get_storage(&EVENTS_KEY, Some(hash)).await?) };
        let (at, bytes) = tokio::try_join!(self.at_block(hash, number), bytes)?;
        at.read_events(&at.at.events().from_bytes(bytes.unwrap_or_default()))
    }
}

impl AtBlock {
    /// The block with its events.
    pub async fn block_events(&self) -> Result<BlockEvents, ChainError> {
        self.read_events(&self.at.events().fetch().await?)
    }

    fn read_events(&self, all: &subxt::events::Events<PolkadotConfig>) -> Result<BlockEvents, ChainError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn the_first_block_that_a_pruned_node_has_is_found_with_few_questions() {
        for (gone, newest) in [(5_u32, 6_u32), (5, 7), (1, 1_000_000)] {
            for first in [gone + 1, gone + (newest - gone).div_ceil(2), newest] {
                let asked = Cell::new(0);
                let found = first_that(gone, newest, |number| {
                    asked.set(asked.get() + 1);
                    std::future::ready(Ok(number >= first))
                });
                assert_eq!(found.await.expect("it answers"), first);
                assert!(asked.get() <= 20, "{} questions", asked.get());
            }
        }
        let discarded = "Client error: UnknownBlock: State already discarded for 0x12".to_owned();
        assert!(is_gone(&ChainError::Node(discarded)));
        assert!(!is_gone(&ChainError::Node("Too many requests".to_owned())));
        let lost = |_| std::future::ready(Err(ChainError::Disconnected(String::new())));
        assert!(
            first_that(1, 9, lost).await.is_err(),
            "a lost connection is not a lost block"
        );
    }
}
