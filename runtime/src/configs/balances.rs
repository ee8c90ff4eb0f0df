//! Money.

use super::treasury::TreasuryAccount;
use crate::{
    Balance, Balances, EXISTENTIAL_DEPOSIT, Runtime, RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, System,
};
use frame_support::traits::{ConstU32, ConstU128, VariantCountOf, tokens::imbalance::ResolveTo};

impl pallet_balances::Config for Runtime {
    type AccountStore = System;
    type Balance = Balance;
    type DoneSlashHandler = ();
    /// Dust of reaped accounts goes to the treasury.
    type DustRemoval = ResolveTo<TreasuryAccount, Balances>;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    /// No pallet here uses locks or reserves: money is held, with a reason.
    type MaxLocks = ConstU32<0>;
    type MaxReserves = ConstU32<0>;
    type ReserveIdentifier = [u8; 8];
    type RuntimeEvent = RuntimeEvent;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type RuntimeHoldReason = RuntimeHoldReason;
    type WeightInfo = crate::weights::balances::WeightInfo<Runtime>;
}
