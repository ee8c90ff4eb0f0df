//! How rewards are divided.

use super::GovernanceOrigin;
use crate::{Balance, Runtime, Tasks};
use frame_support::traits::ConstU32;

impl pallet_agora_rewards::Config for Runtime {
    type AdminOrigin = GovernanceOrigin;
    type Balance = Balance;
    /// Presets that a task class names stay.
    type InUse = Tasks;
    type MaxPresets = ConstU32<16>;
    type WeightInfo = pallet_agora_rewards::weights::SubstrateWeight<Runtime>;
}
