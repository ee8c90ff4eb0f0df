//! Money set aside by purpose.

use super::treasury::TreasuryAccount;
use crate::{Balances, Runtime, RuntimeHoldReason};

impl pallet_agora_escrow::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Treasury = TreasuryAccount;
    type WeightInfo = pallet_agora_escrow::weights::SubstrateWeight<Runtime>;
}
