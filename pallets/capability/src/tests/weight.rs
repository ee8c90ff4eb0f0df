//! Calls and hooks weigh what was measured for them.

use crate::{Call, WeightInfo, mock::*, types::Response};
use agora_primitives::judging::Attestation;
use frame_support::{dispatch::GetDispatchInfo, traits::Hooks, weights::Weight};
use sp_core::H256;

#[test]
fn each_call_has_its_own() {
    let weights = [
        (
            Call::respond {
                round: 1,
                digest: DIGEST,
            },
            <() as WeightInfo>::respond(),
        ),
        (
            Call::vote {
                round: 1,
                worker: ALICE,
                vote: Attestation::Valid,
            },
            <() as WeightInfo>::vote(),
        ),
        (
            Call::set_schedule { schedule: None },
            <() as WeightInfo>::set_schedule(),
        ),
    ];
    for (call, weight) in weights {
        assert_eq!(Call::<Test>::get_dispatch_info(&call).call_weight, weight, "{call:?}");
    }
}

#[test]
fn hooks_weigh_what_they_did() {
    let idle = |room| Capability::on_idle(2 * PERIOD, room);
    let most = <() as WeightInfo>::sweep(crate::MAX_SWEPT);
    let mut ext = new_test_ext();
    ext.execute_with(|| {
        assert_eq!(Capability::on_initialize(PERIOD - 1), <() as WeightInfo>::no_round());
        assert_eq!(Capability::on_initialize(PERIOD), <() as WeightInfo>::open_round());
        crate::Responses::<Test>::insert(1, ALICE, Response::new(1, H256::zero()));
        Capability::on_initialize(2 * PERIOD);
        assert_eq!(idle(most - Weight::from_parts(1, 0)), Weight::zero());
        // Round 0 has no responses.
        assert_eq!(idle(most), <() as WeightInfo>::sweep(0));
    });
    // What is removed is counted in what earlier blocks wrote down.
    ext.commit_all().unwrap();
    ext.execute_with(|| {
        assert_eq!(idle(most), <() as WeightInfo>::sweep(1));
        assert_eq!(idle(most), <() as WeightInfo>::sweep(0));
    });
}
