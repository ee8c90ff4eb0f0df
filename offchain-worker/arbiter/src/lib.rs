//! What somebody needs who has computed a job, and holds its inputs, to play a dispute about it: [`Arbiter`].
//!
//! The strategy is [`agora_disputes::player`]. Here is what it plays with: everything that the job comes to, and the runs of its units
//! in the machine, with the image that is shipped.
//!
//! What always holds:
//!
//! - An arbiter reads what it has computed, the job's inputs, and what was shown in the game; what others made up it neither has nor
//!   needs. Of a wrong list, the chunks before the first wrong entry are right, and the nodes that were shown on the way to it
//!   prove them.
//! - It has no memory but what saves time: moves follow from the job and the game, so it may be restarted at any time.
//! - It does not panic, whatever the game is. Where something is not at hand, it makes no move.
//!
//! It never computes a job with anything but [`agora_reference`], unless somebody who has another engine gives it the truth.

#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

mod arbiter;
mod computed;
mod contents;
pub mod disk;
mod held;
mod image;
#[cfg(feature = "fault-injection")]
mod liar;
mod list;
mod record;
mod span;

#[cfg(test)]
mod tests;

pub use arbiter::{Arbiter, Error};
pub use contents::{Contents, Shared};
pub use held::Held;
pub use image::{IMAGE, RUN_GAS, pinned};
#[cfg(feature = "fault-injection")]
pub use liar::Liar;
pub use record::CACHE_BYTES;
