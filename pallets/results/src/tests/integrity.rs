//! Settings that are refused, and states that `try_state` finds.

use crate::{Leaves, Pallet, Place, Places, ResultsRoot, SealedRoot, SettledBy, WeightInfo, mock::*};
use agora_primitives::TaskId;
use frame_support::traits::Hooks;

fn integrity_test() {
    <Pallet<Test> as Hooks<u64>>::integrity_test();
}

#[test]
fn sensible_settings_are_accepted() {
    integrity_test();
    Retention::set(16);
    integrity_test();
}

#[test]
#[should_panic(expected = "MaxResultsPerBlock must be at least 1")]
fn a_block_must_take_a_result() {
    MaxResultsPerBlock::set(0);
    integrity_test();
}

#[test]
#[should_panic(expected = "Retention must be at least 1 block")]
fn something_must_be_remembered() {
    Retention::set(0);
    integrity_test();
}

#[test]
#[should_panic(expected = "Retention must not be above BlockHashCount")]
fn hashes_must_still_be_known_when_they_are_indexed() {
    Retention::set(17);
    integrity_test();
}

#[test]
fn the_weight_counts_what_is_indexed_forgotten_and_what_the_block_may_settle() {
    let begin = |chain: &mut Chain| {
        let number = chain.headers.len() as u64;
        chain.ext.execute_with(|| {
            System::initialize(&number, &chain.headers.last().unwrap().hash(), &Default::default());
            <Proofs as Hooks<u64>>::on_initialize(number)
        })
    };
    let expected =
        |sealed, forgotten| <() as WeightInfo>::on_initialize(sealed, forgotten) + <() as WeightInfo>::on_finalize(5);
    let mut chain = Chain::new();
    chain.empty(1);
    assert_eq!(begin(&mut chain), expected(0, 0));
    let mut chain = Chain::new();
    chain.block([1, 2]);
    chain.empty(6);
    chain.block([3, 4, 5]);
    assert_eq!(begin(&mut chain), expected(3, 2));
}

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
            assert_eq!(Proofs::do_try_state(), Err(error.into()));
        });
    }
}
