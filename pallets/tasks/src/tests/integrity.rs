//! Impossible settings are refused when the runtime is built.

use crate::mock::*;
use frame_support::traits::Hooks;

/// Checks the settings of the mock after `change`.
fn check_after(change: impl FnOnce()) {
    ExtBuilder::default().build().execute_with(|| {
        change();
        Tasks::integrity_test();
    });
}

#[test]
fn the_settings_of_the_mock_are_possible() {
    check_after(|| {});
}

#[test]
#[should_panic(expected = "a task needs at least one worker")]
fn no_contributions_are_refused() {
    check_after(|| ContributionLimit::set(0));
}

#[test]
#[should_panic(expected = "an agenda without room serves nothing")]
fn an_agenda_without_room_is_refused() {
    check_after(|| BucketLimit::set(0));
}

#[test]
#[should_panic(expected = "records must be kept for at least a block")]
fn records_that_are_not_kept_are_refused() {
    check_after(|| RetentionPeriod::set(0));
}

#[test]
fn a_lifetime_of_two_blocks_is_possible() {
    check_after(|| LifetimeLimit::set(2));
}

#[test]
#[should_panic(expected = "a task needs at least two blocks from publishing to its deadline")]
fn a_lifetime_of_one_block_is_refused() {
    check_after(|| LifetimeLimit::set(1));
}

#[test]
#[should_panic(expected = "the heaviest step does not fit in a block: lower MaxContributions")]
fn a_step_that_is_heavier_than_a_block_is_refused() {
    check_after(|| ContributionLimit::set(u32::MAX));
}
