//! Each call weighs what was measured for it.

use crate::{Call, WeightInfo, mock::*};
use agora_primitives::participants::Role;
use frame_support::dispatch::GetDispatchInfo;

#[test]
fn each_call_has_its_own() {
    let (role, profile) = (Role::Worker, profile(1));
    let weights = [
        (
            Call::register { role, bond: 1, profile },
            <() as WeightInfo>::register(),
        ),
        (Call::update_profile { profile }, <() as WeightInfo>::update_profile()),
        (Call::add_bond { role, amount: 1 }, <() as WeightInfo>::add_bond()),
        (Call::heartbeat {}, <() as WeightInfo>::heartbeat()),
        (Call::request_exit { role }, <() as WeightInfo>::request_exit()),
        (Call::withdraw_bond { role }, <() as WeightInfo>::withdraw_bond()),
        (
            Call::ban {
                who: ALICE,
                ban_until: None,
            },
            <() as WeightInfo>::ban(),
        ),
        (Call::lift_ban { who: ALICE }, <() as WeightInfo>::lift_ban()),
    ];
    for (call, weight) in weights {
        assert_eq!(Call::<Test>::get_dispatch_info(&call).call_weight, weight, "{call:?}");
    }
}
