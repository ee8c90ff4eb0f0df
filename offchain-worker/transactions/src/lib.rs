//! What to do about the transactions of one account until they are final: a state machine without I/O and without a
//! clock.
//!
//! # Terms
//!
//! - *Intent*: something that is to be done once on chain: a call, named by its caller.
//! - *Attempt*: a signed transaction for an intent. Attempts with one nonce exclude one another.
//! - *Anchor* and *life*: the block from which an attempt is valid, and for how many blocks from there.
//! - *Over*: the attempt cannot be included in a block after the best one. A re-org can undo that.
//! - *Origin*: the block on whose state an intent was decided, where its call speaks about more than its bytes name.
//! - *Dead*: the attempt cannot be included on any chain that goes on from the finalised block. Nothing can undo that.
//!
//! # Properties
//!
//! - An attempt is in the log before it is sent, and before the next one of its intent is signed. While the log takes
//!   nothing, as on a full disk, intents whose [`Repetition`] is harmless go on without: a crash costs them a second fee.
//! - At most one attempt of an intent is included on the final chain. Another nonce is used for it only when all
//!   attempts with earlier nonces are dead. Only an intent whose [`Repetition`] is harmless does not wait for that.
//! - What happens after a lost answer, a restart or a re-org is decided by what the chain shows.
//! - An intent that can be made in time is made in time, once the chain takes transactions.
//! - An attempt is not valid longer than the deadline of its intent, but for the shortest life that the chain knows.
//! - An intent with an origin is included on no chain without it: its attempts are anchored behind it, and none is signed
//!   on another fork.
//! - A nonce that nobody uses does not keep those after it waiting for ever.
//!
//! [`Book::step`] says which [`Action`]s are due. Who carries them out signs, writes to a [`TransactionLog`], and
//! sends. It may stop between any two of them: [`Book::restore`] goes on from the log.

#![deny(missing_docs)]

mod book;
mod due;
mod intent;
mod log;
mod nonces;
mod policy;
mod step;
mod view;

pub use book::{Added, Book, IntentClash, Standing};
pub use intent::{Attempt, End, Intent, IntentId, Reason, Record, Repetition};
pub use log::{LogError, MemoryLog, TransactionLog};
pub use policy::Policy;
pub use step::{Action, Notice};
pub use view::{Answer, View};

/// Number of a block.
pub type BlockNumber = u32;
/// Unit of money on chain: plancks.
pub type Balance = u128;
/// Counts an account's transactions.
pub type Nonce = u64;
/// Hash of a block or of a transaction.
pub type Hash = [u8; 32];

/// A block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, codec::Encode, codec::Decode)]
pub struct BlockId {
    /// Its number.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: Hash,
}
