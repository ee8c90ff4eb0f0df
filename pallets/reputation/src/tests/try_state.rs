//! `try_state` finds every kind of corruption.

use crate::{Records, mock::*};

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
