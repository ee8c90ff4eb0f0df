//! What workers have proven of their capability.

use super::{GovernanceOrigin, system::HOURS};
use crate::{BlockNumber, Registry, Runtime, block_time::SlotDuration, randomness::BabeSeed};
use frame_support::traits::ConstU32;
use pallet_agora_capability::Schedule;

/// A round of 18 seconds, six blocks, every four hours: a worker computes nine seconds in four hours. A worker that
/// misses one has another before its capability lapses.
pub const SCHEDULE: Schedule<BlockNumber> = Schedule {
    period: 4 * HOURS,
    window: 6,
    validity: 10 * HOURS,
    quorum: 2,
};

impl pallet_agora_capability::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Market;
    type BlockTimeMs = SlotDuration<Runtime>;
    type Capabilities = Registry;
    type MaxVotes = ConstU32<16>;
    type Participants = Registry;
    type ScheduleOrigin = GovernanceOrigin;
    type Seed = BabeSeed;
    type WeightInfo = pallet_agora_capability::weights::SubstrateWeight<Runtime>;
}
