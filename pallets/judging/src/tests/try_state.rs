use crate::{AppealWindows, mock::*};
use agora_primitives::{
    judging::{Attestation, Said},
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
            let revealed = |said| (1u64, Said::Revealed(said));
            let twice = vec![revealed(Attestation::Valid), revealed(Attestation::Invalid)];
            window.as_mut().unwrap().attestations = Decode::decode(&mut &twice.encode()[..]).unwrap();
        });
        assert_err!(Judging::do_try_state(), "judging: somebody attests twice");
    });
}

#[test]
fn notices_what_comes_too_early() {
    ExtBuilder::default().build().execute_with(|| {
        contest(TASK, &[1, 2, 3], &[]);
        let change = |change: fn(&mut crate::AppealWindowOf<Test>)| {
            AppealWindows::<Test>::mutate(TASK, |window| change(window.as_mut().unwrap()));
            Judging::do_try_state()
        };
        assert_err!(
            change(|window| window.draw.as_mut().unwrap().at = UNTIL),
            "judging: chunks are drawn while verifiers can commit"
        );
        assert_err!(
            change(|window| window.draw = None),
            "judging: something is revealed before chunks are drawn"
        );
    });
}
