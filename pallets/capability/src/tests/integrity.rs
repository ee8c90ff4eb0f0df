//! Impossible settings are refused when the runtime is built.

use crate::mock::*;
use frame_support::traits::Hooks;

#[test]
fn the_settings_of_the_mock_are_possible() {
    new_test_ext().execute_with(|| {
        Capability::integrity_test();
        MaxVotes::set(4);
        Capability::integrity_test();
    });
}

#[test]
#[should_panic(expected = "MaxVotes must be at least 4")]
fn there_is_a_seat() {
    new_test_ext().execute_with(|| {
        MaxVotes::set(3);
        Capability::integrity_test();
    });
}

#[test]
#[should_panic(expected = "BlockTimeMs must be above zero")]
fn a_block_takes_time() {
    new_test_ext().execute_with(|| {
        BlockTimeMs::set(0);
        Capability::integrity_test();
    });
}
