//! Block production.

use crate::{Runtime, Session, block_time};
use frame_support::traits::{ConstU32, ConstU64};

/// Slots per epoch: ten minutes at three seconds. Can never be changed on a chain that runs.
pub const EPOCH_DURATION_IN_SLOTS: u64 = 200;
/// The most validators there can be.
pub const MAX_AUTHORITIES: u32 = 1_000;

impl pallet_babe::Config for Runtime {
    type DisabledValidators = Session;
    type EpochChangeTrigger = pallet_babe::ExternalTrigger;
    type EpochDuration = ConstU64<EPOCH_DURATION_IN_SLOTS>;
    /// Validators are set at genesis and stake nothing yet: there is nothing to take from one that equivocates.
    type EquivocationReportSystem = ();
    type ExpectedBlockTime = block_time::SlotDuration<Runtime>;
    type KeyOwnerProof = sp_core::Void;
    type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
    type MaxNominators = ConstU32<0>;
    type WeightInfo = ();
}
