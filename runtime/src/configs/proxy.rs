//! Keys that act for an account without owning its money: the key on a worker's machine can do the account's work, and the
//! key that can withdraw stays elsewhere.

use crate::{Balance, Balances, Runtime, RuntimeCall, RuntimeEvent, System, UNIT};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    parameter_types,
    traits::{ConstU32, InstanceFilter},
};
use scale_info::TypeInfo;
use sp_runtime::traits::BlakeTwo256;

/// What a proxy may do for the account that added it.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum ProxyType {
    /// Everything.
    #[default]
    Any,
    /// The work of workers and verifiers: it puts up bonds and can lose them, but can move nothing to another account, leave no
    /// role and withdraw no bond.
    Work,
    /// Publish tasks and cancel them: it spends the account's money on tasks.
    Publish,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
    fn filter(&self, call: &RuntimeCall) -> bool {
        // Several calls in one are filtered one by one when they are dispatched.
        if let RuntimeCall::Utility(
            pallet_utility::Call::batch { .. }
            | pallet_utility::Call::batch_all { .. }
            | pallet_utility::Call::force_batch { .. },
        ) = call
        {
            return true;
        }
        match self {
            Self::Any => true,
            Self::Work => matches!(
                call,
                RuntimeCall::Tasks(
                    pallet_agora_tasks::Call::accept { .. }
                        | pallet_agora_tasks::Call::decline { .. }
                        | pallet_agora_tasks::Call::commit { .. }
                        | pallet_agora_tasks::Call::reveal { .. }
                        | pallet_agora_tasks::Call::advance { .. }
                ) | RuntimeCall::Exact(pallet_agora_exact::Call::reveal { .. })
                    | RuntimeCall::Judging(
                        pallet_agora_judging::Call::commit_attestation { .. }
                            | pallet_agora_judging::Call::reveal_attestation { .. }
                    )
                    | RuntimeCall::Computation(
                        pallet_agora_computation::Call::commit { .. }
                            | pallet_agora_computation::Call::reveal { .. }
                            | pallet_agora_computation::Call::withdraw { .. }
                            | pallet_agora_computation::Call::show { .. }
                            | pallet_agora_computation::Call::name_child { .. }
                            | pallet_agora_computation::Call::defend { .. }
                            | pallet_agora_computation::Call::dispute_list { .. }
                            | pallet_agora_computation::Call::add_run { .. }
                            | pallet_agora_computation::Call::challenge { .. }
                            | pallet_agora_computation::Call::open_node { .. }
                            | pallet_agora_computation::Call::execute { .. }
                            | pallet_agora_computation::Call::advance { .. }
                            | pallet_agora_computation::Call::collect { .. }
                    )
                    | RuntimeCall::Capability(
                        pallet_agora_capability::Call::respond { .. }
                            | pallet_agora_capability::Call::commit_vote { .. }
                            | pallet_agora_capability::Call::reveal_vote { .. }
                            | pallet_agora_capability::Call::show_decoy { .. }
                    )
                    | RuntimeCall::Registry(
                        pallet_agora_registry::Call::heartbeat { .. }
                            | pallet_agora_registry::Call::update_profile { .. }
                            | pallet_agora_registry::Call::set_addresses { .. }
                    )
            ),
            Self::Publish => matches!(
                call,
                RuntimeCall::Tasks(
                    pallet_agora_tasks::Call::publish { .. }
                        | pallet_agora_tasks::Call::cancel { .. }
                        | pallet_agora_tasks::Call::advance { .. }
                ) | RuntimeCall::Registry(pallet_agora_registry::Call::set_addresses { .. })
            ),
        }
    }

    fn is_superset(&self, other: &Self) -> bool {
        self == other || *self == Self::Any
    }
}

parameter_types! {
    /// For the record, and for each proxy in it.
    pub const DepositBase: Balance = UNIT;
    pub const DepositFactor: Balance = UNIT / 10;
}

impl pallet_proxy::Config for Runtime {
    type AnnouncementDepositBase = DepositBase;
    type AnnouncementDepositFactor = DepositFactor;
    type BlockNumberProvider = System;
    type CallHasher = BlakeTwo256;
    type Currency = Balances;
    type MaxPending = ConstU32<32>;
    type MaxProxies = ConstU32<32>;
    type ProxyDepositBase = DepositBase;
    type ProxyDepositFactor = DepositFactor;
    type ProxyType = ProxyType;
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
}
