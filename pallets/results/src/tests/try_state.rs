//! `try_state` finds every kind of corruption.

use crate::{Leaves, Place, Places, ResultsRoot, SealedRoot, SettledBy, mock::*};
use agora_primitives::TaskId;

#[test]
fn corrupt_states_are_found() {
    let corruptions: [(fn(), &str); 8] = [
        (|| Places::<Test>::remove(TaskId(1)), "a settled task without a place"),
        (
            || Places::<Test>::insert(TaskId(1), Place { block: 1, index: 1 }),
            "a task in another place",
        ),
        (
            || Places::<Test>::insert(TaskId(9), Place { block: 1, index: 1 }),
            "a place without a settled task",
        ),
        (
            || SettledBy::<Test>::insert(2, frame_support::BoundedVec::default()),
            "a list of no tasks",
        ),
        (|| System::set_block_number(9), "a block remembered for too long"),
        (|| System::set_block_number(0), "a block remembered for too long"),
        (
            || ResultsRoot::<Test>::put(SealedRoot::default()),
            "a root of other results",
        ),
        (
            || Leaves::<Test>::try_append(leaf(7)).unwrap(),
            "a settled task without a place",
        ),
    ];
    for (corrupt, error) in corruptions {
        let mut chain = Chain::new();
        chain.block([1, 2]);
        chain.ext.execute_with(|| {
            corrupt();
            assert_eq!(Results::do_try_state(), Err(error.into()));
        });
    }
}
