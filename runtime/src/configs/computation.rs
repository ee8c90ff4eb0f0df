//! The court that computes.

use super::GovernanceOrigin;
use crate::{Balance, Escrow, Registry, Runtime, Tasks, UNIT};
use agora_disputes::{Pinned, Terms};
use agora_primitives::job::BlobRef;
use frame_support::{parameter_types, traits::ConstU128};
use sp_core::H256;

/// With blocks of 3 s: five minutes to reveal, ten to answer each move and as long as the job takes, five to add something, and an
/// hour at most that full blocks add to a clock.
pub const TERMS: Terms = Terms {
    commit: 1,
    reveal: 100,
    clock: 200,
    entry: 100,
    challenge: 100,
    stops: 1200,
};

/// The BLAKE3 hash of `guests/images/reference.bin`.
pub const REFERENCE_IMAGE: H256 = H256(sp_core::hex2array!(
    "51d20d03e3242cee1e22cb4823c0dafc7a737328275918dee216db9068f359e7"
));

parameter_types! {
    /// Half of it is burned when it is lost: well above what the moves of a whole dispute cost the chain.
    pub const Bond: Balance = 10 * UNIT;
    /// The reference of all kinds, with gas for the largest unit of any: see [`agora_reference::Unit::gas`].
    pub const ReferenceMachine: Pinned = Pinned {
        image: BlobRef {
            hash: REFERENCE_IMAGE,
            size: 195_792,
        },
        gas: (1 << 34) + (1 << 28) + (1 << 21),
    };
}

impl pallet_agora_computation::Config for Runtime {
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarking::Market;
    type Bond = Bond;
    type Cases = Tasks;
    type Escrow = Escrow;
    type Machine = ReferenceMachine;
    type Offences = Registry;
    type TermsOrigin = GovernanceOrigin;
    type WeightInfo = pallet_agora_computation::weights::SubstrateWeight<Runtime>;
    /// Two thousand million in three seconds: the plain reference on one core of an ordinary processor.
    type WorkPerBlock = ConstU128<{ 1 << 31 }>;
}
