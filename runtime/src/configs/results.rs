//! The root of all results in every header.

use super::system::HOURS;
use crate::{BlockNumber, Runtime};
use frame_support::{parameter_types, traits::ConstU32};

parameter_types! {
    /// Longer than finality ever lags behind, shorter than `BlockHashCount`.
    pub const Retention: BlockNumber = HOURS * 2;
}

impl pallet_agora_results::Config for Runtime {
    type MaxResultsPerBlock = ConstU32<256>;
    type Retention = Retention;
    type WeightInfo = pallet_agora_results::weights::SubstrateWeight<Runtime>;
}
