//! What workers have proven of their capability.

use super::{GovernanceOrigin, system::HOURS};
use crate::{Balance, BlockNumber, Escrow, Registry, Runtime, UNIT, block_time::SlotDuration, randomness::BabeSeed};
use frame_support::{parameter_types, traits::ConstU32};
use pallet_agora_capability::Schedule;

/// A round of 18 seconds, six blocks, every four hours: a worker computes nine seconds in four hours. A worker that
/// misses one has another before its capability lapses. Verifiers have an hour to check all responses, and half of one to reveal.
pub const SCHEDULE: Schedule<BlockNumber> = Schedule {
    period: 4 * HOURS,
    window: 6,
    voting: HOURS,
    revealing: HOURS / 2,
    validity: 10 * HOURS,
    quorum: 2,
    seats: 16,
};

parameter_types! {
    /// A thousandth of the least bond of a verifier, which so backs a thousand votes at a time: what a wrong vote costs is to be felt, and
    /// whoever has the least bond is to be able to vote on every response of a market with a thousand workers.
    pub const VoteBond: Balance = UNIT / 2;
    /// Less than a hundredth of the reward of a common task, six times a day. With eighty times as much lost by a wrong vote as is gained by
    /// a right one, voting without looking pays only where fewer than one response in eighty is wrong, or a decoy.
    pub const ResponseFee: Balance = UNIT / 10;
}

impl pallet_agora_capability::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Market;
    type BlockTimeMs = SlotDuration<Runtime>;
    type Capabilities = Registry;
    type Escrow = Escrow;
    type MaxVotes = ConstU32<64>;
    type Participants = Registry;
    type ResponseFee = ResponseFee;
    type ScheduleOrigin = GovernanceOrigin;
    type Seed = BabeSeed;
    type VoteBond = VoteBond;
    type WeightInfo = pallet_agora_capability::weights::SubstrateWeight<Runtime>;
}
