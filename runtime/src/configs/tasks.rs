//! The life of tasks.

use super::{GovernanceOrigin, system::DAYS};
use crate::{BlockNumber, Escrow, Judging, Registry, Reputation, Results, Rewards, Runtime, randomness::BabeSeed};
use frame_support::{parameter_types, traits::ConstU32};

parameter_types! {
    /// The furthest deadline.
    pub const MaxLifetime: BlockNumber = DAYS * 7;
    /// How long a finished task can be read; its result can be proven for ever.
    pub const RetentionPeriod: BlockNumber = DAYS;
}

impl pallet_agora_tasks::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Market;
    type ClassOrigin = GovernanceOrigin;
    type Escrow = Escrow;
    type Judge = Judging;
    // A task of the classes of genesis needs 14 at most. Over the rest slots may change hands.
    type MaxContributions = ConstU32<24>;
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
