//! Which answer is right, and whose word counts.

use crate::{Escrow, Registry, Reputation, Runtime, Tasks};
use frame_support::{parameter_types, traits::ConstU32};
use sp_runtime::Permill;

parameter_types! {
    /// Whoever attests on the wrong side loses the whole bond: attesting is cheap to do right.
    pub const LoserPenalty: Permill = Permill::from_percent(100);
    /// A challenge that nobody could decide costs little, so that honest verifiers dare to; but not nothing.
    pub const UndecidedPenalty: Permill = Permill::from_percent(10);
}

impl pallet_agora_judging::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Market;
    type Escrow = Escrow;
    type LoserPenalty = LoserPenalty;
    type MaxAttestations = ConstU32<16>;
    /// Who published a task or worked on it has no say in it.
    type Parties = Tasks;
    type Participants = Registry;
    type Reputation = Reputation;
    type UndecidedPenalty = UndecidedPenalty;
    type WeightInfo = pallet_agora_judging::weights::SubstrateWeight<Runtime>;
}
