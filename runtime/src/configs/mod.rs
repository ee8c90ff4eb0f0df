//! The configuration of each pallet, one file per pallet.

mod authorship;
pub mod babe;
mod balances;
mod block_time;
pub mod capability;
pub mod computation;
mod escrow;
pub mod exact;
mod grandpa;
mod judging;
mod mmr;
pub mod proxy;
pub mod registry;
mod reputation;
mod results;
mod rewards;
mod session;
mod sudo;
pub mod system;
mod tasks;
mod timestamp;
pub mod transaction_payment;
pub mod treasury;
mod utility;

use crate::AccountId;

/// Who governs: chooses task classes and split presets, bans. This is the only place where that is decided. Today it is
/// root, that is, the sudo key.
pub type GovernanceOrigin = frame_system::EnsureRoot<AccountId>;
