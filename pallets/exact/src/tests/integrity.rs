//! Impossible settings are refused when the runtime is built.

use crate::{Pallet, mock::*};
use frame_support::traits::Hooks;

fn integrity_test() {
    <Pallet<Test> as Hooks<u64>>::integrity_test();
}

#[test]
fn the_settings_of_the_mock_are_possible() {
    ExtBuilder.build_and_execute(integrity_test);
}

#[test]
#[should_panic(expected = "a chain that computes nothing needs no such court")]
fn no_work_is_refused() {
    ExtBuilder.build().execute_with(|| {
        WorkLimit::set(0);
        integrity_test();
    });
}

#[test]
#[should_panic(expected = "the largest job does not fit in a block: lower MaxWork or MaxEvidence")]
fn more_work_than_a_block_has_room_for_is_refused() {
    ExtBuilder.build().execute_with(|| {
        WorkLimit::set(u64::MAX);
        integrity_test();
    });
}

#[test]
#[should_panic(expected = "the most evidence is more than half of what a block has room for: lower MaxEvidence")]
fn more_evidence_than_a_block_has_room_for_is_refused() {
    ExtBuilder.build().execute_with(|| {
        EvidenceLimit::set(4 * 1024 * 1024);
        integrity_test();
    });
}
