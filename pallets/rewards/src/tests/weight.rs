//! Each call weighs what was measured for it.

use crate::{Call, Split, WeightInfo, mock::*};
use frame_support::dispatch::GetDispatchInfo;

#[test]
fn each_call_has_its_own() {
    let weights = [
        (
            Call::set_preset {
                id: BURN,
                split: Split::BURN,
            },
            <() as WeightInfo>::set_preset(),
        ),
        (Call::remove_preset { id: BURN }, <() as WeightInfo>::remove_preset()),
    ];
    for (call, weight) in weights {
        assert_eq!(Call::<Test>::get_dispatch_info(&call).call_weight, weight, "{call:?}");
    }
}
