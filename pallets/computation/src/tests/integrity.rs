//! Impossible settings are refused when the runtime is built.

use crate::mock::*;
use agora_disputes::Pinned;
use frame_support::traits::Hooks;

#[test]
fn takes_the_settings_of_the_mock() {
    run(Computation::integrity_test);
}

#[test]
#[should_panic(expected = "WorkPerBlock must be above zero")]
fn refuses_devices_that_compute_nothing() {
    run(|| {
        WorkPerBlock::set(0);
        Computation::integrity_test();
    });
}

#[test]
#[should_panic(expected = "lower the gas")]
fn refuses_runs_that_are_longer_than_a_match() {
    run(|| {
        Machine::set(Pinned {
            gas: agora_machine::MAX_GAS + 1,
            ..Machine::get()
        });
        Computation::integrity_test();
    });
}
