//! What the workloads of all kinds have in common. Everything is generated, so that all engines are measured with the
//! same work.

use super::EngineError;
use crate::{inputs::MemoryInputs, networks::classifier::Shape};
use agora_primitives::job::JobSpec;

/// Work of one kind, of any length, that engines are measured with.
pub(crate) trait Workload {
    /// Its name, for people.
    fn name(&self) -> &'static str;

    /// What speeds are told in.
    fn units(&self) -> &'static [Unit];

    /// The most parts of a job.
    fn max_parts(&self) -> u32;

    /// A job of so many parts.
    ///
    /// Errors: none but those of sizes beyond the limits of jobs.
    fn job(&self, parts: u32) -> Result<Sample, EngineError>;
}

/// What a speed is told in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    /// The figure's name, for programs.
    pub name: &'static str,
    /// The unit, for people.
    pub unit: &'static str,
    /// How much of [`Sample::amount`] one is.
    pub amount: f64,
}

/// Billions of multiplications and additions.
pub(super) const GIGA: f64 = 1e9;

/// A job to be computed.
pub(crate) struct Sample {
    pub spec: JobSpec,
    pub inputs: MemoryInputs,
    /// How much it is, in whatever is measured.
    pub amount: f64,
}

/// Of everything that is random.
pub(super) const SEED: [u8; 32] = [0x51; 32];

/// So many bytes below `end` that look random.
pub(super) fn bytes(count: usize, end: u8) -> Vec<u8> {
    let high = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    // Below `end`.
    (0..count as u64).map(|i| (high(i) % u64::from(end)) as u8).collect()
}

/// The network that `agora publish training` makes of the digits of the tests.
pub(super) const NETWORK: Shape = Shape {
    width: 8,
    height: 8,
    window_width: 8,
    window_height: 8,
    padding: 0,
    pool: 1,
    channels: 128,
    classes: 10,
};

/// The largest pixel of the digits.
pub(super) const MAX_PIXEL: u8 = 16;

/// So many images for [`NETWORK`] that look random.
pub(super) fn images(count: u32) -> Vec<u8> {
    bytes(count as usize * NETWORK.pixels(), MAX_PIXEL + 1)
}
