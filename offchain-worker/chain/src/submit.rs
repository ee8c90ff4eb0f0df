//! Sending transactions.

use crate::{
    AccountId, BlockNumber, BlockRef, ChainError, Client, Keypair, Payload,
    api::{
        Event,
        api::{registry, tasks},
    },
    error::refused_by_pool,
};
use agora_primitives::TaskId;
use futures::{StreamExt, stream};
use std::sync::Arc;
use subxt::{
    PolkadotConfig,
    client::OnlineClientAtBlockImpl,
    config::{DefaultExtrinsicParams, DefaultExtrinsicParamsBuilder},
    error::TransactionEventsError,
    tx::{TransactionInBlock, TransactionProgress, TransactionStatus},
};
use tokio::sync::Mutex;

/// How often a transaction is signed anew when another one took its nonce.
const NONCE_ATTEMPTS: u32 = 5;

/// Life, in blocks, of a transaction that is one of many: it may have to wait for those before it.
const BULK_LIFE: u64 = 1024;
/// How many transactions are handed to the pool at the same time.
const SENT_AT_ONCE: usize = 32;

/// Sends transactions of one account. Cheap to clone; clones take turns, so that nonces do not collide.
#[derive(Clone)]
pub struct Submitter {
    client: Client,
    keypair: Arc<Keypair>,
    account: AccountId,
    turn: Arc<Mutex<()>>,
}

/// A transaction that succeeded.
#[derive(Clone, Debug)]
pub struct Included {
    /// The block that it is in.
    pub block: BlockRef,
    /// The events that it caused.
    pub events: Vec<Event>,
}

type Progress = TransactionProgress<PolkadotConfig, OnlineClientAtBlockImpl<PolkadotConfig>>;
type InBlock = TransactionInBlock<PolkadotConfig, OnlineClientAtBlockImpl<PolkadotConfig>>;

impl Submitter {
    /// Sends with `keypair` through `client`.
    pub fn new(client: Client, keypair: Keypair) -> Self {
        let account = keypair.account();
        Self {
            client,
            keypair: Arc::new(keypair),
            account,
            turn: Arc::default(),
        }
    }

    /// The account whose transactions it sends.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The connection it uses.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends `call` and waits until it is in a block of the best chain and has succeeded there. The block may still be
    /// reverted: look at the state again, or use [`Self::submit_finalised`].
    pub async fn submit(&self, call: &impl Payload) -> Result<Included, ChainError> {
        self.submit_until(call, Until::Best).await
    }

    /// Sends `call` and waits until it is in a finalised block and has succeeded there.
    pub async fn submit_finalised(&self, call: &impl Payload) -> Result<Included, ChainError> {
        self.submit_until(call, Until::Finalised).await
    }

    async fn submit_until(&self, call: &impl Payload, until: Until) -> Result<Included, ChainError> {
        let mut progress = self.send(call).await?;
        let unknown = |reason: String| ChainError::Unknown(reason);
        while let Some(status) = progress.next().await {
            match status.map_err(|error| unknown(error.to_string()))? {
                TransactionStatus::InBestBlock(place) if until == Until::Best => return outcome(&place).await,
                TransactionStatus::InFinalizedBlock(place) => return outcome(&place).await,
                TransactionStatus::Error { message } => return Err(unknown(message)),
                TransactionStatus::Invalid { message } => return Err(ChainError::Invalid(message)),
                TransactionStatus::Dropped { message } => return Err(unknown(message)),
                TransactionStatus::Validated
                | TransactionStatus::Broadcasted
                | TransactionStatus::NoLongerInBestBlock
                | TransactionStatus::InBestBlock(_) => {}
            }
        }
        Err(unknown("the node stopped reporting on it".to_owned()))
    }

    /// Signs `calls` with consecutive nonces and hands them to the pool, several at a time. It does not wait until they
    /// are included. Returns how many the pool took before the first that it refused: those after that one cannot be
    /// included.
    pub async fn submit_all(&self, calls: &[impl Payload]) -> Result<usize, ChainError> {
        let _turn = self.turn.lock().await;
        let first = self.client.next_nonce(&self.account).await?;
        let at = self.client.online.at_current_block().await?;
        let mut signed = Vec::new();
        for (call, nonce) in calls.iter().zip(first..) {
            let params = DefaultExtrinsicParamsBuilder::new().nonce(nonce).mortal(BULK_LIFE);
            signed.push(at.tx().create_signed(call, &*self.keypair, params.build()).await?);
        }
        let mut sent = stream::iter(&signed)
            .map(|transaction| transaction.submit())
            .buffered(SENT_AT_ONCE);
        let mut taken = 0;
        while let Some(answer) = sent.next().await {
            match answer {
                Ok(_) => taken += 1,
                Err(error) if taken == 0 => return Err(refused_by_pool(error.into(), &self.account.to_string())),
                Err(_) => break,
            }
        }
        Ok(taken)
    }

    /// Signs `call` with the next nonce and hands it to the pool.
    async fn send(&self, call: &impl Payload) -> Result<Progress, ChainError> {
        let _turn = self.turn.lock().await;
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.try_send(call).await {
                Err(error @ ChainError::NonceTaken { .. }) if attempts < NONCE_ATTEMPTS => {
                    tracing::debug!(account = %self.account, %error, "Signing the transaction anew.");
                }
                sent => return sent,
            }
        }
    }

    async fn try_send(&self, call: &impl Payload) -> Result<Progress, ChainError> {
        let nonce = self.client.next_nonce(&self.account).await?;
        let at = self.client.online.at_current_block().await?;
        let signed = at.tx().create_signed(call, &*self.keypair, params(nonce)).await?;
        signed
            .submit_and_watch()
            .await
            .map_err(|error| refused_by_pool(error.into(), &self.account.to_string()))
    }
}

/// What a transaction carries besides the call: its nonce, and by default a life of some blocks and no tip.
fn params(nonce: u64) -> DefaultExtrinsicParams<PolkadotConfig> {
    DefaultExtrinsicParamsBuilder::new().nonce(nonce).build()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Best,
    Finalised,
}

/// How a transaction that is in a block went.
async fn outcome(place: &InBlock) -> Result<Included, ChainError> {
    let events = place.wait_for_success().await.map_err(|error| match error {
        TransactionEventsError::ExtrinsicFailed(error) => ChainError::from(error),
        other => ChainError::Unknown(other.to_string()),
    })?;
    let events = events
        .iter()
        .map(|event| Ok(event?.decode_as::<Event>()?))
        .collect::<Result<_, ChainError>>()?;
    let at = crate::AtBlock::new(place.at().await?)?;
    Ok(Included {
        block: at.block,
        events,
    })
}

impl Included {
    /// The task that was published, if one was.
    pub fn published(&self) -> Option<TaskId> {
        self.events.iter().find_map(|event| match event {
            Event::Tasks(tasks::Event::Published { task, .. }) => Some(task.0),
            _ => None,
        })
    }

    /// The first block in which the bond of a role can be withdrawn, if somebody asked to leave one.
    pub fn withdrawable_at(&self) -> Option<BlockNumber> {
        self.events.iter().find_map(|event| match event {
            Event::Registry(registry::Event::ExitRequested { withdrawable_at, .. }) => Some(*withdrawable_at),
            _ => None,
        })
    }
}
