//! Intents, and what was signed for them.

use crate::{Balance, BlockId, BlockNumber, Hash, Nonce};
use codec::{Decode, Encode};
use std::fmt;

/// The name of an intent, unique for the account. The caller chooses it so that it says the same after a restart:
/// `commit of task 7 round 0`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct IntentId(String);

impl<T: Into<String>> From<T> for IntentId {
    fn from(name: T) -> Self {
        Self(name.into())
    }
}

impl IntentId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What it costs if a call is included twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Repetition {
    /// A fee: the runtime refuses the second one. If another program uses the nonce, a new one is taken at once.
    Harmless,
    /// More than that, such as a second payment. If another program uses the nonce, the block in which it does must be
    /// final before a new one is taken.
    Costly,
}

/// Something that is to be done once on chain.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Intent {
    /// Its name.
    pub id: IntentId,
    /// The encoded call.
    pub call: Vec<u8>,
    /// The last block in which it is worth anything; `None`: it always is.
    pub deadline: Option<BlockNumber>,
    /// The block on whose state it was decided: on a chain without it, the call would speak about something else, and is
    /// not made. `None`: it says the same on every chain.
    pub origin: Option<BlockId>,
    /// Those with a higher one get nonces first: 0 to 254.
    pub urgency: u8,
    /// What it costs if it is included twice.
    pub repetition: Repetition,
}

/// A signed transaction for an intent.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Attempt {
    /// Its nonce.
    pub nonce: Nonce,
    /// The block from which it is valid.
    pub anchor: BlockId,
    /// For how many blocks it is valid, that of the anchor counted: a power of two, at least 4.
    pub life: u32,
    /// What is offered beyond the fee, in plancks.
    pub tip: Balance,
    /// Its hash.
    pub hash: Hash,
    /// The transaction as it is sent. A signature is random, so that it cannot be made again.
    pub bytes: Vec<u8>,
}

impl Attempt {
    /// The last block that can include it.
    pub fn last_block(&self) -> BlockNumber {
        self.anchor.number.saturating_add(self.life.saturating_sub(1))
    }

    /// Whether no block after `best` can include it.
    pub fn is_over(&self, best: BlockNumber) -> bool {
        best >= self.last_block()
    }
}

/// Why an intent was given up.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Reason {
    /// Its deadline is over, and it is in no block.
    DeadlineOver,
    /// The account cannot pay the fee.
    CannotPay,
    /// No node takes it, or it cannot be signed.
    Invalid(String),
    /// Its caller does not want it any more.
    Withdrawn,
    /// The block on whose state it was decided is not on the best chain.
    OtherFork,
}

/// How an intent ended.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum End {
    /// It is in this block, which is final.
    Finalised(BlockId),
    /// Nothing more is sent for it.
    GivenUp(Reason),
}

/// What is known of an intent, as it is in the log.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Record {
    /// The intent.
    pub intent: Intent,
    /// What was signed for it, in that order.
    pub attempts: Vec<Attempt>,
    /// How it ended; `None`: it goes on.
    pub end: Option<End>,
    /// Counts intents, so that earlier ones get nonces first.
    pub order: u64,
}
