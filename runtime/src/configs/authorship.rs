//! Who made the block.

use crate::{Babe, Runtime};

impl pallet_authorship::Config for Runtime {
    type EventHandler = ();
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Runtime, Babe>;
}
