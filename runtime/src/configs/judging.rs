//! How results are judged and attested.

use crate::{Escrow, Registry, Reputation, Runtime, Tasks};
use frame_support::{
    parameter_types,
    traits::{ConstU32, Get},
};
use sp_runtime::Permill;

parameter_types! {
    /// An attester on the wrong side loses its whole bond, because a right check is cheap.
    pub const LoserPenalty: Permill = Permill::from_percent(100);
    /// If fresh replicas could not agree, those who attested against the result lose only a little, so that honest verifiers dare
    /// to object.
    pub const DisagreedPenalty: Permill = Permill::from_percent(10);
}

/// The blocks that the court has counted as full.
pub struct FullBlocks;

impl Get<u64> for FullBlocks {
    fn get() -> u64 {
        pallet_agora_computation::FullBlocks::<Runtime>::get()
    }
}

impl pallet_agora_judging::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Market;
    type DisagreedPenalty = DisagreedPenalty;
    type Escrow = Escrow;
    type FullBlocks = FullBlocks;
    type LoserPenalty = LoserPenalty;
    /// Twice the seats: of 250 windows there is one in which somebody is drawn and finds no place.
    type MaxAttestations = ConstU32<16>;
    /// Is told who has not revealed an attestation.
    type Offences = Registry;
    /// The publisher of a task, and those who accepted it or are invited to it, may not attest in it.
    type Parties = Tasks;
    type Participants = Registry;
    type Reputation = Reputation;
    /// With a third of all bonds against them the others have a seat at least in 199 of 200 windows.
    type Seats = ConstU32<8>;
    type WeightInfo = pallet_agora_judging::weights::SubstrateWeight<Runtime>;
}
