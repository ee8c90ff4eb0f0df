//! How everybody's work went.

use super::system::DAYS;
use crate::{BlockNumber, Registry, Runtime};
use frame_support::parameter_types;
use sp_runtime::Perbill;

parameter_types! {
    /// About the last fifty outcomes count.
    pub const Decay: Perbill = Perbill::from_percent(98);
    /// What happened a month ago counts half.
    pub const HalfLife: BlockNumber = DAYS * 30;
    /// So many outcomes before anybody is more than a beginner.
    pub const MinimumTasks: u32 = 10;
}

impl pallet_agora_reputation::Config for Runtime {
    type Decay = Decay;
    type HalfLife = HalfLife;
    type MinimumTasks = MinimumTasks;
    /// The better the level, the likelier the draw.
    type OnLevelChanged = Registry;
    type WeightInfo = pallet_agora_reputation::weights::SubstrateWeight<Runtime>;
}
