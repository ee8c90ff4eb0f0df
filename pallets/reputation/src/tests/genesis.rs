//! Records at genesis.

use crate::{Records, mock::*};
use agora_math::reputation::{ONE, Score};
use agora_primitives::{
    participants::Specialisation,
    reputation::{Level, Reputation as _},
};
use sp_runtime::Perbill;

#[test]
fn gives_accounts_a_history() {
    ExtBuilder::default()
        .record((ALICE, WORKER, 9, 1, 4))
        .build_and_execute(|| {
            assert_eq!(Reputation::success_rate(&ALICE, WORKER), Perbill::from_percent(90));
            assert_eq!(Reputation::level(&ALICE, WORKER), Level::Expert);
            assert_eq!(Reputation::confidence(&ALICE, Specialisation::Synthetic), 4);
            assert_eq!(Records::<Test>::get(ALICE, WORKER).unwrap().score.total, 10 * ONE);
        });
}

#[test]
fn keeps_histories_within_bounds() {
    let enormous = (ALICE, WORKER, u32::MAX, u32::MAX, u32::MAX);
    let nothing = (BOB, WORKER, 0, 0, 7);
    ExtBuilder::default()
        .record(enormous)
        .record(nothing)
        .build_and_execute(|| {
            let score = Records::<Test>::get(ALICE, WORKER).unwrap().score;
            assert_eq!(score.total, Score::heaviest(Decay::get()));
            assert_eq!(Records::<Test>::get(BOB, WORKER).unwrap().score, Score::default());
        });
}

#[test]
#[should_panic(expected = "one record per account and side at genesis")]
fn refuses_two_records_for_one_side() {
    ExtBuilder::default()
        .record((ALICE, WORKER, 1, 0, 0))
        .record((ALICE, WORKER, 2, 0, 0))
        .build();
}
