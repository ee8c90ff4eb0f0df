use crate::{AppealWindows, mock::*};
use agora_primitives::{
    judging::Attestation,
    money::{Escrow as _, Purpose, Scope},
};
use codec::{Decode, Encode};
use frame_support::{assert_err, assert_ok};

#[test]
fn notices_a_missing_bond() {
    ExtBuilder::default().build().execute_with(|| {
        contest(TASK, &[1], &[]);
        assert_ok!(Judging::do_try_state());
        assert_ok!(Escrow::release(Purpose::AppealBond, Scope::Task(TASK), &1, 1));
        assert_err!(
            Judging::do_try_state(),
            "judging: what is held of an attester is not the bond"
        );
    });
}

#[test]
fn notices_who_is_there_twice() {
    ExtBuilder::default().build().execute_with(|| {
        contest(TASK, &[1], &[]);
        AppealWindows::<Test>::mutate(TASK, |window| {
            let twice = vec![(1u64, Attestation::Valid), (1, Attestation::Invalid)];
            window.as_mut().unwrap().attestations = Decode::decode(&mut &twice.encode()[..]).unwrap();
        });
        assert_err!(Judging::do_try_state(), "judging: somebody attested twice");
    });
}

#[test]
fn notices_a_side_with_too_many() {
    ExtBuilder::default().build().execute_with(|| {
        contest(TASK, &[1, 2, 3], &[]);
        MaxAttestations::set(4);
        assert_err!(Judging::do_try_state(), "judging: a side has more than its places");
    });
}
