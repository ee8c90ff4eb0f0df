//! HTTP: serving blobs to strangers, and fetching them from strangers.
//!
//! `docs/protocol/blobs.md` has the interface. What both sides may assume of each other: nothing. [`Served`] gives out what is in
//! a store and a cache, and bounds what anybody costs it. [`Peers`] checks each group of 16 KiB before it is written, drops
//! who sends anything else, and goes on with the others.

mod address;
mod answer;
mod client;
mod fill;
mod guard;
mod incoming;
mod open;
mod peer;
mod piece;
mod range;
mod served;
mod server;

pub use address::Reach;
pub use client::{PeerLimits, Peers};
pub use served::Served;
pub use server::{ServeLimits, serve};

/// The header that tells how many bytes a whole blob has.
pub(crate) const SIZE_HEADER: &str = "agora-blob-size";
/// The type of a proof of a range.
pub(crate) const PROOF_TYPE: &str = "application/vnd.agora.bao";
/// The longest range that is proven in one answer, in bytes.
pub(crate) const LONGEST_PROOF: u64 = 16 << 20;
