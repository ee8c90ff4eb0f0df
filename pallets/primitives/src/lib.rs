//! Types and traits that the Agora pallets, the off-chain worker and clients share.
//!
//! This crate knows no pallet. It says what a job is ([`job`]), where a task is in its life ([`task`]), how a result is
//! committed to ([`commitment`]), which kinds of money are set aside ([`money`]), who takes part ([`participants`]), how a
//! worker proves what it can do ([`capability`]), how results are judged ([`judging`]), who decides in the last resort ([`courts`]), what is
//! proven about them ([`results`]), what is remembered of those who took part ([`reputation`]), and through which traits the pallets meet.
//! Every trait has a no-op `()` implementation, so that a chain builder can leave a part out.

#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

extern crate alloc;

pub mod capability;
pub mod commitment;
pub mod courts;
pub mod exact;
pub mod ids;
pub mod judging;
pub mod money;
pub mod participants;
pub mod reputation;
pub mod results;
pub mod task;

pub use agora_jobs as job;
pub use ids::{ClassId, Reference, TaskId};
