//! Who takes part.

use super::{
    GovernanceOrigin,
    system::{DAYS, HOURS},
};
use crate::{Balance, BlockNumber, Escrow, Reputation, Runtime, UNIT};
use frame_support::parameter_types;
use pallet_agora_registry::MinimumBonds;

parameter_types! {
    /// A worker's bond is ten times the base reward of a common task. A verifier's is fifty times, because its
    /// attestations can reopen tasks. Nobody registers as an expert until there is something for experts to decide.
    pub const Bonds: MinimumBonds<Balance> = MinimumBonds {
        worker: Some(100 * UNIT),
        verifier: Some(500 * UNIT),
        orchestrator: Some(500 * UNIT),
        expert: None,
    };
    /// As much as an account needs in order to exist is too little to keep 644 bytes for.
    pub const AddressDeposit: Balance = UNIT;
    /// A worker that has been silent for that long is not drawn.
    pub const HeartbeatTimeout: BlockNumber = HOURS;
    /// What can be lost in a task is held for that task, and nobody leaves with tasks in hand. The cool-down is longer
    /// than any appeal window of the genesis classes, so that no verifier leaves before its attestations are judged.
    pub const ExitCoolDown: BlockNumber = DAYS;
    /// Tasks in parallel.
    pub const MaxSlots: u32 = 64;
    /// 10¹⁵ operations per second: above any single machine.
    pub const MaxCapability: u32 = 1_000_000;
    /// A draw of 16 workers finds them among 64 candidates unless most are excluded.
    pub const MaxDrawTries: u32 = 64;
}

impl pallet_agora_registry::Config for Runtime {
    type AddressDeposit = AddressDeposit;
    type BanOrigin = GovernanceOrigin;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Market;
    type Escrow = Escrow;
    type ExitCoolDown = ExitCoolDown;
    type HeartbeatTimeout = HeartbeatTimeout;
    type MaxCapability = MaxCapability;
    type MaxDrawTries = MaxDrawTries;
    type MaxSlots = MaxSlots;
    type MinimumBonds = Bonds;
    type Reputation = Reputation;
    type WeightInfo = pallet_agora_registry::weights::SubstrateWeight<Runtime>;
}
