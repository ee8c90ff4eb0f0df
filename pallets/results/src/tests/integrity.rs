//! Impossible settings are refused when the runtime is built.

use crate::{Pallet, mock::*};
use frame_support::traits::Hooks;

fn integrity_test() {
    <Pallet<Test> as Hooks<u64>>::integrity_test();
}

#[test]
fn sensible_settings_are_accepted() {
    integrity_test();
    Retention::set(16);
    integrity_test();
}

#[test]
#[should_panic(expected = "MaxResultsPerBlock must be at least 1")]
fn a_block_must_take_a_result() {
    MaxResultsPerBlock::set(0);
    integrity_test();
}

#[test]
#[should_panic(expected = "Retention must be at least 1 block")]
fn something_must_be_remembered() {
    Retention::set(0);
    integrity_test();
}

#[test]
#[should_panic(expected = "Retention must not be above BlockHashCount")]
fn hashes_must_still_be_known_when_they_are_indexed() {
    Retention::set(17);
    integrity_test();
}
