//! How a transaction that is in a block went.

use super::eyes::body_of;
use crate::{
    AccountId, AtBlock, BlockNumber, BlockRef, ChainError, Client, H256,
    api::{
        Event,
        api::{registry, tasks},
    },
};
use agora_primitives::TaskId;
use agora_transactions::{BlockId, Hash};
use subxt::{error::DispatchError, events::Phase};

/// A transaction that succeeded.
#[derive(Clone, Debug)]
pub struct Included {
    /// The block that it is in.
    pub block: BlockRef,
    /// The events that it caused, but for those that this program does not know.
    pub events: Vec<Event>,
    /// Whether the block is final. If not, a re-org can still undo it.
    pub is_final: bool,
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

/// How the one of `hashes` that is in `block`, with a call of `account`, went. The inner error says that it cannot be seen.
///
/// Errors: the runtime refused the call.
pub(super) async fn of(
    client: &Client,
    account: &AccountId,
    block: BlockId,
    hashes: &[Hash],
) -> Result<Result<Included, ChainError>, ChainError> {
    let seen = async {
        let hash = H256(block.hash);
        let body = body_of(&client.nodes.current().await?, hash).await?;
        let is_ours = |one: &Hash| hashes.contains(one);
        let index = body
            .iter()
            .position(is_ours)
            .and_then(|index| u32::try_from(index).ok());
        let index = index.ok_or_else(|| ChainError::Node("the block does not have the transaction".to_owned()))?;
        let at = client.at(hash).await?;
        let seen = see(&at, index).await?;
        if let Some(error) = seen.failed {
            return Ok(Err(explained(error, &at, account).await?));
        }
        Ok::<_, ChainError>(Ok(Included {
            block: at.block,
            events: seen.events,
            is_final: false,
        }))
    };
    match seen.await {
        Ok(Ok(included)) => Ok(Ok(included)),
        Ok(Err(refused)) => Err(refused),
        Err(error) => Ok(Err(error)),
    }
}

/// What a transaction caused.
#[derive(Default)]
struct Seen {
    events: Vec<Event>,
    failed: Option<DispatchError>,
}

/// What the transaction with this index caused.
async fn see(at: &AtBlock, index: u32) -> Result<Seen, ChainError> {
    let all = at.at.events().fetch().await?;
    let mut seen = Seen::default();
    for event in all.iter() {
        let event = event?;
        if event.phase() != Phase::ApplyExtrinsic(index) {
            continue;
        }
        let error = || {
            let error = DispatchError::decode_from(event.field_bytes(), at.at.metadata());
            error.map_err(|error| ChainError::Incompatible(error.to_string()))
        };
        match (event.pallet_name(), event.event_name()) {
            ("System", "ExtrinsicFailed") => seen.failed = Some(error()?),
            // The transaction succeeds whatever becomes of the call in it.
            ("Proxy", "ProxyExecuted") => seen.failed = refused_by_proxy(event.field_bytes(), at)?,
            _ => {}
        }
        match event.decode_as::<Event>() {
            Ok(event) => seen.events.push(event),
            Err(error) => crate::blocks::skip(event.pallet_name(), event.event_name(), &error),
        }
    }
    Ok(seen)
}

/// Why a call that was made for another account was refused, if it was: the event's field is a `Result<(), DispatchError>`.
fn refused_by_proxy(field: &[u8], at: &AtBlock) -> Result<Option<DispatchError>, ChainError> {
    match field.split_first() {
        Some((0, [])) => Ok(None),
        Some((1, error)) => DispatchError::decode_from(error, at.at.metadata())
            .map(Some)
            .map_err(|error| ChainError::Incompatible(error.to_string())),
        _ => Err(ChainError::Incompatible(
            "what became of a call for another account is told in another form".to_owned(),
        )),
    }
}

/// The refusal, with amounts where the account's money is the reason.
async fn explained(error: DispatchError, at: &AtBlock, account: &AccountId) -> Result<ChainError, ChainError> {
    let is_about_money = match &error {
        DispatchError::Arithmetic(error) => matches!(error, subxt::error::ArithmeticError::Underflow),
        DispatchError::Token(_) => true,
        _ => false,
    };
    let error = ChainError::from(error);
    let is_balance = error.is("Balances", "InsufficientBalance") || error.is("Balances", "Expendability");
    if !is_about_money && !is_balance {
        return Ok(error);
    }
    let free = at.balance(account).await?.free;
    let keep = at.existential_deposit()?;
    Ok(ChainError::Overdraft { free, keep })
}
