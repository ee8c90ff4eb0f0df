//! What the chain computes itself.

use crate::{Runtime, Tasks};
use frame_support::traits::{ConstU32, ConstU64};

/// The most that a job may take which the chain computes, in operations of the plain reference. A program may have about 700,000 gas in
/// one run. What that weighs is at most a quarter of what an author has in the shortest slot: half of 250 ms.
pub const MAX_WORK: u64 = 3 << 22;
/// The most bytes of all inputs of such a job together. The fee for it is a small part of what a worker gets in the cheapest class for such jobs.
pub const MAX_EVIDENCE: u32 = 256 * 1024;

impl pallet_agora_exact::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Market;
    type MaxEvidence = ConstU32<MAX_EVIDENCE>;
    type MaxWork = ConstU64<MAX_WORK>;
    type Tasks = Tasks;
    type WeightInfo = pallet_agora_exact::weights::SubstrateWeight<Runtime>;
}
