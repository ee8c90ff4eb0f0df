//! Each call weighs what was measured for it.

use crate::{Call, WeightInfo, mock::*};
use frame_support::dispatch::GetDispatchInfo;

#[test]
fn each_call_has_its_own() {
    let weights = [
        (Call::deposit { amount: 1 }, <() as WeightInfo>::deposit()),
        (Call::withdraw { amount: 1 }, <() as WeightInfo>::withdraw()),
    ];
    for (call, weight) in weights {
        assert_eq!(Call::<Test>::get_dispatch_info(&call).call_weight, weight, "{call:?}");
    }
}
