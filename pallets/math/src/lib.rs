//! Pure arithmetic of the Agora market, usable on chain and off.
//!
//! Every function is `no_std`, deterministic, integer-only, and free of FRAME: the pallets, the worker and a
//! light client call the very same code. Rounding directions are stated; remainders are returned, not lost.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

extern crate alloc;

pub mod consensus;
pub mod fenwick;
pub mod field;
pub mod freivalds;
pub mod merkle;
pub mod reputation;
pub mod split;
