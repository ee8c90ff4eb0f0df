//! Impossible settings are refused when the runtime is built.

use crate::mock::*;
use frame_support::traits::Hooks;

fn check_with(places: u32) {
    ExtBuilder::default()
        .places(places)
        .build()
        .execute_with(Judging::integrity_test);
}

#[test]
fn takes_twice_as_many_places_as_seats() {
    check_with(2);
    check_with(16);
}

#[test]
#[should_panic(expected = "MaxAttestations must be at least twice Seats")]
fn refuses_fewer_places() {
    ExtBuilder::default().places(16).build().execute_with(|| {
        Seats::set(9);
        Judging::integrity_test();
    });
}

#[test]
#[should_panic(expected = "DisagreedPenalty is above LoserPenalty")]
fn refuses_a_disagreed_penalty_above_the_losers() {
    ExtBuilder::default().penalty(5).build().execute_with(|| {
        DisagreedPenalty::set(sp_runtime::Permill::from_percent(6));
        Judging::integrity_test();
    });
}

#[test]
#[should_panic(expected = "Seats must be at least 1")]
fn refuses_no_seats() {
    check_with(0);
}
