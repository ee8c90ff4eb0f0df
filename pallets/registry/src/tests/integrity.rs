//! Impossible settings are refused when the runtime is built.

use crate::{GenesisConfig, mock::*};

#[test]
fn the_settings_of_the_mock_are_possible() {
    ExtBuilder::default().build_and_execute(integrity_test);
}

#[test]
#[should_panic(expected = "HeartbeatTimeout must be at least one block")]
fn a_timeout_of_no_blocks_is_refused() {
    HeartbeatTimeout::set(0);
    integrity_test();
}

#[test]
#[should_panic(expected = "MaxSlots must be at least 1")]
fn no_slots_are_refused() {
    SlotLimit::set(0);
    integrity_test();
}

#[test]
#[should_panic(expected = "MaxCapability must be at least 1")]
fn no_capability_is_refused() {
    CapabilityLimit::set(0);
    integrity_test();
}

#[test]
#[should_panic(expected = "MaxDrawTries must be at least 1")]
fn no_tries_are_refused() {
    TryLimit::set(0);
    integrity_test();
}

#[test]
fn priorities_of_64_bits_are_possible() {
    CapabilityLimit::set(u32::MAX);
    SlotLimit::set(1 << 30);
    integrity_test();
}

#[test]
#[should_panic(expected = "must fit 64 bits")]
fn priorities_beyond_64_bits_are_refused() {
    CapabilityLimit::set(u32::MAX);
    SlotLimit::set((1 << 30) + 1);
    integrity_test();
}

#[test]
fn an_empty_genesis_is_possible() {
    assert!(GenesisConfig::<Test>::default().participants.is_empty());
}
