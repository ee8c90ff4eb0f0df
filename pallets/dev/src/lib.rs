//! What the tests of the Agora pallets have in common: accounts, the state a test starts from, checks, and doubles of
//! other pallets.
//!
//! A dev-dependency of the pallets, never part of a runtime. It knows `primitives` and the SDK, and none of our pallets:
//! a pallet's own mock composes the runtime. What a double remembers is kept per thread, beside the storage: it is not
//! undone with a storage layer, and [`state()`] forgets it.

#![deny(missing_docs)]

mod accounts;
mod doubles;
mod readme;
mod state;

pub use accounts::*;
pub use doubles::{BlockSeed, ReputationDouble};
pub use readme::assert_shows;
pub use state::{assert_issuance, endow, mint, state};
