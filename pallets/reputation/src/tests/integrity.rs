//! Settings that are refused, and states that `try_state` finds.

use crate::{Pallet, Records, mock::*};
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

#[test]
fn corrupt_records_are_found() {
    type Corruption = fn(&mut crate::Record<u64>);
    let corruptions: [(Corruption, &str); 4] = [
        (
            |record| record.score.right = record.score.total + 1,
            "success weighs more than all outcomes",
        ),
        (
            |record| record.score.total = u64::MAX,
            "a history is heavier than one can be",
        ),
        (|record| record.score.confidence = 9, "confidence without outcomes"),
        (|record| record.last_block = 9, "an outcome of the future"),
    ];
    for (corrupt, error) in corruptions {
        ExtBuilder::default().build().execute_with(|| {
            record(ALICE, WORKER, CONFIRMED, 1);
            Records::<Test>::mutate(ALICE, WORKER, |record| corrupt(record.as_mut().unwrap()));
            assert_eq!(Reputation::do_try_state(), Err(error.into()));
        });
    }
}
