//! Typed client of an Agora chain, and the only user of subxt in this workspace.
//!
//! - [`Client`] connects to one node or several, reconnects by itself, and answers questions about the chain's state.
//!   It believes no node that lags, or whose chain is another one.
//! - [`Submitter`] signs calls with one key, does each thing once whatever happens, and waits for the outcome.
//! - [`Blocks`] follows the best or the finalised chain and survives restarts of the node. Following the finalised
//!   chain skips no block and repeats none.
//! - [`api`] holds the types generated from `metadata.scale`, which a test of the runtime keeps in step with it.
//!
//! Events alone are not enough: a reconnect or a re-org may skip or undo them. Act on the state at the best block,
//! settle on finalised blocks, and take events as hints.

#![deny(missing_docs)]

mod amount;
pub mod api;
mod blocks;
pub mod calls;
mod client;
mod error;
pub mod hex_text;
mod keys;
mod keystore;
mod node;
mod nodes;
mod proof;
mod proxies;
mod quote;
mod sources;
mod state;
mod submit;
mod transactions;
mod view_functions;
pub mod views;

pub use agora_transactions::{
    Attempt, BlockId, Intent, IntentId, LogError, MemoryLog, Record as TransactionRecord, Repetition, TransactionLog,
};
pub use amount::{Amount, UNIT, decimal};
pub use blocks::{BlockEvents, Blocks};
pub use client::{AtBlock, BlockRef, Client, patiently};
pub use error::ChainError;
pub use keys::{KeyError, KeySource, Keypair, read_private};
pub use node::NodeView;
pub use nodes::stands_still;
pub use proof::{Header, Unverified, VerifiedResult, verify_result};
pub use proxies::ProxyType;
pub use quote::Quote;
pub use submit::{Intention, Submitter};
pub use subxt::{
    tx::Payload,
    utils::{AccountId32 as AccountId, H256},
};
pub use transactions::Included;

/// Unit of money on chain: plancks.
pub type Balance = u128;
/// Number of a block.
pub type BlockNumber = u32;
