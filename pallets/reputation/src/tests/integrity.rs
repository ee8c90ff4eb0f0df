//! Impossible settings are refused when the runtime is built.

use crate::{Pallet, mock::*};
use frame_support::traits::Hooks;
use sp_runtime::Perbill;

fn integrity_test() {
    <Pallet<Test> as Hooks<u64>>::integrity_test();
}

#[test]
fn sensible_settings_are_accepted() {
    integrity_test();
}

#[test]
#[should_panic(expected = "Decay must be above 0 and below 1")]
fn history_must_fade() {
    Decay::set(Perbill::one());
    integrity_test();
}

#[test]
#[should_panic(expected = "Decay must be above 0 and below 1")]
fn history_must_not_vanish() {
    Decay::set(Perbill::zero());
    integrity_test();
}

#[test]
#[should_panic(expected = "HalfLife must be at least 1 block")]
fn time_must_count() {
    HalfLife::set(0);
    integrity_test();
}

#[test]
#[should_panic(expected = "MinimumTasks must be at least 1")]
fn a_level_must_need_a_task() {
    MinimumTasks::set(0);
    integrity_test();
}
