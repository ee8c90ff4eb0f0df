//! Impossible settings are refused when the runtime is built.

use crate::{Pallet, mock::*};
use frame_support::traits::Hooks;

fn integrity_test() {
    <Pallet<Test> as Hooks<u64>>::integrity_test();
}

#[test]
fn one_preset_to_all_there_can_be_are_possible() {
    for most in [1, MAX_PRESETS, 256] {
        PresetLimit::set(most);
        integrity_test();
    }
}

#[test]
#[should_panic(expected = "MaxPresets must be from 1 to 256")]
fn no_presets_are_refused() {
    PresetLimit::set(0);
    integrity_test();
}

#[test]
#[should_panic(expected = "MaxPresets must be from 1 to 256")]
fn more_presets_than_there_can_be_are_refused() {
    PresetLimit::set(257);
    integrity_test();
}
