//! Each call weighs what was measured for it, and what a verifier's stake takes besides.

use crate::{Call, WeightInfo, mock::*};
use agora_primitives::participants::Role;
use frame_support::{dispatch::GetDispatchInfo, weights::Weight};

fn with_stake(weight: Weight) -> Weight {
    weight.saturating_add(<() as WeightInfo>::correct_stake())
}

#[test]
fn each_call_has_its_own() {
    let (role, profile) = (Role::Worker, profile(1));
    let weights = [
        (
            Call::register { role, bond: 1, profile },
            with_stake(<() as WeightInfo>::register()),
        ),
        (Call::update_profile { profile }, <() as WeightInfo>::update_profile()),
        (
            Call::add_bond { role, amount: 1 },
            with_stake(<() as WeightInfo>::add_bond()),
        ),
        (Call::heartbeat {}, with_stake(<() as WeightInfo>::heartbeat())),
        (
            Call::request_exit { role },
            with_stake(<() as WeightInfo>::request_exit()),
        ),
        (
            Call::withdraw_bond { role },
            with_stake(<() as WeightInfo>::withdraw_bond()),
        ),
        (
            Call::ban {
                who: ALICE,
                ban_until: None,
            },
            with_stake(<() as WeightInfo>::ban()),
        ),
        (
            Call::lift_ban { who: ALICE },
            with_stake(<() as WeightInfo>::lift_ban()),
        ),
    ];
    for (call, weight) in weights {
        assert_eq!(Call::<Test>::get_dispatch_info(&call).call_weight, weight, "{call:?}");
    }
}
