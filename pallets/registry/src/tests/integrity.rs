//! Impossible settings are refused when the runtime is built.

use crate::{GenesisConfig, mock::*};
use std::panic::catch_unwind;

fn refuses(expected: &str) {
    let panic = catch_unwind(integrity_test).unwrap_err();
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn the_settings_of_the_mock_are_possible() {
    ExtBuilder::default().build_and_execute(integrity_test);
}

#[test]
fn a_timeout_of_no_blocks_is_refused() {
    HeartbeatTimeout::set(0);
    refuses("HeartbeatTimeout");
}

#[test]
fn no_slots_are_refused() {
    SlotLimit::set(0);
    refuses("MaxSlots must");
}

#[test]
fn no_capability_is_refused() {
    CapabilityLimit::set(0);
    refuses("MaxCapability must");
}

#[test]
fn no_tries_are_refused() {
    TryLimit::set(0);
    refuses("MaxDrawTries");
}

#[test]
fn priorities_beyond_64_bits_are_refused() {
    CapabilityLimit::set(u32::MAX);
    SlotLimit::set(1 << 30);
    integrity_test();
    SlotLimit::set((1 << 30) + 1);
    refuses("must fit 64 bits");
}

#[test]
fn an_empty_genesis_is_possible() {
    assert!(GenesisConfig::<Test>::default().participants.is_empty());
}
