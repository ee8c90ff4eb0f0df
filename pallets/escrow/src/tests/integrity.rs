//! Impossible settings are refused when the runtime is built.

use crate::HoldReason;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU64, Hooks, VariantCount},
};
use scale_info::TypeInfo;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeFreezeReason, RuntimeTask)]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Runtime>;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances::Pallet<Runtime>;
    #[runtime::pallet_index(2)]
    pub type Escrow = crate::Pallet<Runtime>;
}

parameter_types! {
    /// Whether reasons of a purpose become one and the same.
    pub static Mixed: bool = false;
}

/// A hold reason that a runtime has written by hand.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reason(Option<HoldReason>);

impl From<HoldReason> for Reason {
    fn from(reason: HoldReason) -> Self {
        Self((!Mixed::get()).then_some(reason))
    }
}

impl VariantCount for Reason {
    const VARIANT_COUNT: u32 = HoldReason::VARIANT_COUNT;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = frame_system::mocking::MockBlock<Runtime>;
    type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Runtime {
    type AccountStore = System;
    type RuntimeHoldReason = Reason;
}

impl crate::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = Reason;
    type Treasury = ConstU64<99>;
    type WeightInfo = ();
}

#[test]
fn reasons_that_tell_the_purposes_apart_are_possible() {
    Mixed::set(false);
    Escrow::integrity_test();
}

#[test]
#[should_panic(expected = "each purpose needs a hold reason of its own")]
fn reasons_that_mix_purposes_are_refused() {
    Mixed::set(true);
    Escrow::integrity_test();
}
