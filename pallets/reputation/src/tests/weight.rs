//! The call weighs what was measured for it.

use crate::{Call, WeightInfo, mock::*};
use frame_support::dispatch::GetDispatchInfo;

#[test]
fn the_call_has_its_own() {
    let call = Call::<Test>::forget {
        who: ALICE,
        side: WORKER,
    };
    assert_eq!(call.get_dispatch_info().call_weight, <() as WeightInfo>::forget());
}
