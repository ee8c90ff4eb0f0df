//! How results are judged and attested.

use crate::{Escrow, Registry, Reputation, Runtime, Tasks};
use frame_support::{parameter_types, traits::ConstU32};
use sp_runtime::Permill;

parameter_types! {
    /// An attester on the wrong side loses its whole bond, because a right check is cheap.
    pub const LoserPenalty: Permill = Permill::from_percent(100);
    /// If nobody could decide, those who attested against the result lose only a little, so that honest verifiers dare
    /// to object.
    pub const UndecidedPenalty: Permill = Permill::from_percent(10);
}

impl pallet_agora_judging::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Market;
    type Escrow = Escrow;
    type LoserPenalty = LoserPenalty;
    type MaxAttestations = ConstU32<16>;
    /// The publisher of a task, and those who accepted it or are invited to it, may not attest in it.
    type Parties = Tasks;
    type Participants = Registry;
    type Reputation = Reputation;
    type UndecidedPenalty = UndecidedPenalty;
    type WeightInfo = pallet_agora_judging::weights::SubstrateWeight<Runtime>;
}
