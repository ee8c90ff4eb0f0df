//! The call weighs what was measured for it.

use crate::{Call, WeightInfo, mock::*};
use agora_primitives::judging::Attestation;
use frame_support::dispatch::GetDispatchInfo;

#[test]
fn the_call_has_its_own() {
    let call = Call::<Test>::attest {
        task: TASK,
        attestation: Attestation::Valid,
    };
    assert_eq!(call.get_dispatch_info().call_weight, <() as WeightInfo>::attest());
}
