//! What the chain and the nodes' pools show.

use crate::{BlockId, Hash, Nonce};
use std::collections::{BTreeMap, BTreeSet};

/// What one node shows of the chain and of the account at one moment.
///
/// `finalised` is an ancestor of `best`, or `best` itself. If the account's nonce at `best` is above that of an
/// attempt, all blocks of that chain from the attempt's anchor on were looked through for it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// The newest block of the best chain.
    pub best: BlockId,
    /// The newest finalised block.
    pub finalised: BlockId,
    /// The account's nonce after `best`.
    pub nonce_at_best: Nonce,
    /// The account's nonce after `finalised`.
    pub nonce_at_finalised: Nonce,
    /// The first nonce from `nonce_at_best` on for which the node's pool has no transaction.
    pub pool_nonce: Nonce,
    /// Whether the newest block that [`crate::Book::finalised`] tells of is on the best chain. It counts only where
    /// `finalised` is an earlier one.
    pub has_final: bool,
    /// In which blocks of the best chain attempts are, by their hashes.
    pub places: BTreeMap<Hash, BlockId>,
    /// Whether the origins of intents are on the best chain. What is missing was not looked for, or the node is behind.
    pub origins: BTreeMap<BlockId, bool>,
    /// Attempts whose anchor is not on the best chain, by their hashes.
    pub unanchored: BTreeSet<Hash>,
}

/// What came of handing an attempt to nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A pool has it.
    Taken,
    /// Nobody answered: a pool may have it.
    Lost,
    /// The pool is full of better paid ones.
    Full,
    /// The pool has another transaction with its nonce.
    Occupied,
    /// Its nonce is used already.
    Stale,
    /// The pool does not look at it again for a while.
    Banned,
    /// The account cannot pay the fee.
    CannotPay,
    /// It is not valid, for this reason.
    Invalid(String),
}

impl Answer {
    /// Whether no pool has taken it this time.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Taken | Self::Lost)
    }
}
