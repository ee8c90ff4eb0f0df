//! The calls weigh what was measured for them.

use crate::{Call, WeightInfo, mock::*};
use agora_primitives::judging::Attestation;
use frame_support::dispatch::{GetDispatchInfo, Pays};
use sp_core::H256;

#[test]
fn each_call_has_its_own() {
    let commitment = H256::zero();
    let call = Call::<Test>::commit_attestation { task: TASK, commitment };
    assert_eq!(
        call.get_dispatch_info().call_weight,
        <() as WeightInfo>::commit_attestation()
    );
    let call = Call::<Test>::reveal_attestation {
        task: TASK,
        attestation: Attestation::Valid,
        salt: SALT,
        possession: None,
    };
    let info = call.get_dispatch_info();
    let weight = <() as WeightInfo>::reveal_attestation().saturating_add(TOLD_WEIGHT);
    assert_eq!((info.call_weight, info.pays_fee), (weight, Pays::Yes));
}
