//! The program that decides.

use agora_disputes::Pinned;
use agora_jobs::BlobRef;
use agora_machine::MAX_GAS;
use agora_reference::{MAX_UNIT_CHUNKS, MAX_UNIT_WORK, Output, Unit};
use std::sync::LazyLock;

/// The image of `agora-reference`, as `make guests` builds it.
pub const IMAGE: &[u8] = include_bytes!("../../../guests/images/reference.bin");

/// The gas that every run is started with: what the dearest unit takes that any kind of job can have.
pub const RUN_GAS: u64 = Unit {
    output: Output::Kept { size: 0 },
    work: MAX_UNIT_WORK,
    chunks: MAX_UNIT_CHUNKS,
}
.gas();

const _: () = assert!(RUN_GAS <= MAX_GAS);

static PINNED: LazyLock<Pinned> = LazyLock::new(|| Pinned {
    image: BlobRef::to(IMAGE),
    gas: RUN_GAS,
});

/// What a chain must have pinned for an [`Arbiter`](crate::Arbiter) to play there: with anything else, its runs are not those
/// that the chain decides about.
pub fn pinned() -> &'static Pinned {
    &PINNED
}
