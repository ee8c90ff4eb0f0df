//! What a job comes to, in files: so that the memory of whoever plays is bounded, whatever its states are.
//!
//! | file | what is in it | how long it is |
//! | --- | --- | --- |
//! | `index` | the digest of each content in the next two, in the order in which they were computed | 40 bytes for each |
//! | `scans` | what the units of the inputs kept | it follows from the job |
//! | `states` | the states, the output included | it follows from the job |
//! | `kept-…` | what the units of one state kept | it follows from the job; of as many states as there is room for, at least one |
//!
//! What the units of a state keep is by far the most, and needed for one state of a dispute alone: its digests for the list that is shown, the
//! rest for what the disputed unit reads. So it goes when there is no room for it, and is computed again, from the state before, when a move
//! needs it. The digests stay in memory as long as there is some for them.
//!
//! What always holds:
//!
//! - Nothing of a file is believed that does not hash to what is known of it. Damage is [`Trouble`], and no move follows from it.
//! - Whoever is killed goes on with what is on disk: what the index says and the files bear out, up to the first content that they do not.
//! - No more is written than the limit, and what there is no room for changes nothing that is there.
//! - In memory are a digest and two numbers for each content, [`Pages`], and what one unit takes.

#[cfg(feature = "fault-injection")]
mod corrupted;
mod files;
mod folder;
mod index;
mod inputs;
mod lists;
mod need;
mod pages;
mod series;
mod stored;
#[cfg(test)]
mod tests;

pub use files::Files;
pub use folder::spare_space;
pub use inputs::{FileInput, FileInputs};
pub use need::Need;
pub use pages::{PAGES_BYTES, Pages, Trouble};
