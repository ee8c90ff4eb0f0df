//! The life of tasks.

use super::{
    GovernanceOrigin,
    system::{DAYS, MAXIMUM_BLOCK_LENGTH, MAXIMUM_BLOCK_WEIGHT},
};
use crate::{
    BlockNumber, Computation, Escrow, Exact, Judging, Registry, Reputation, Results, Rewards, Runtime,
    block_time::SlotDurationMs, randomness::BabeSeed,
};
use frame_support::{
    parameter_types,
    traits::{ConstU32, Get},
    weights::{Weight, constants::WEIGHT_REF_TIME_PER_MILLIS},
};

parameter_types! {
    /// The furthest deadline.
    pub const MaxLifetime: BlockNumber = DAYS * 7;
    /// How long a finished task can be read; its result can be proven for ever.
    pub const RetentionPeriod: BlockNumber = DAYS;
}

/// What the agenda may take of a block: half of what its author has, which is half of the slot, and at most a quarter of the
/// largest block, which ordinary transactions leave. So it never makes an author miss its slot, however short that is.
pub struct AgendaShare;

impl Get<Weight> for AgendaShare {
    fn get() -> Weight {
        let of_slot = WEIGHT_REF_TIME_PER_MILLIS.saturating_mul(SlotDurationMs::<Runtime>::get().saturating_div(4));
        let of_block = MAXIMUM_BLOCK_WEIGHT.ref_time().saturating_div(4);
        Weight::from_parts(of_slot.min(of_block), u64::from(MAXIMUM_BLOCK_LENGTH).saturating_div(2))
    }
}

impl pallet_agora_tasks::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Market;
    type ClassOrigin = GovernanceOrigin;
    type Escrow = Escrow;
    type Court = Computation;
    type Exact = Exact;
    type Judge = Judging;
    type MaxAgendaWeight = AgendaShare;
    // A task of the classes of genesis needs 14 at most. Over the rest slots may change hands. With more, the heaviest end of a task
    // would not fit the agenda's share of the shortest slots.
    type MaxContributions = ConstU32<20>;
    type MaxLifetime = MaxLifetime;
    type MaxTasksPerBlock = ConstU32<512>;
    type Participants = Registry;
    type Reputation = Reputation;
    type Results = Results;
    type RetentionPeriod = RetentionPeriod;
    type Rewards = Rewards;
    type Seed = BabeSeed;
    type WeightInfo = pallet_agora_tasks::weights::SubstrateWeight<Runtime>;
}
