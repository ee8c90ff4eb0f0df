//! `ResultSink::append`, and what happens to results at the end of a block.

use crate::{Error, Event, Leaves, Place, Places, ResultsRoot, Sealed, SealedRoot, SettledBy, mock::*};
use agora_primitives::TaskId;
use frame_support::assert_noop;
use sp_runtime::traits::Header as _;

#[test]
fn keeps_results_in_order_until_the_block_ends() {
    let mut chain = Chain::new();
    chain.block_with(|| {
        append(7).unwrap();
        append(3).unwrap();
        assert_eq!(Leaves::<Test>::get().into_inner(), [leaf(7), leaf(3)]);
        assert_eq!(Places::<Test>::get(TaskId(3)), Some(Place { block: 1, index: 1 }));
    });
    chain.ext.execute_with(|| {
        assert!(!Leaves::<Test>::exists());
        assert_eq!(Sealed::<Test>::get().into_inner(), [leaf(7), leaf(3)]);
        assert_eq!(SettledBy::<Test>::get(1).into_inner(), [TaskId(7), TaskId(3)]);
        let sealed = SealedRoot::of(&[leaf(7), leaf(3)]);
        assert_eq!(ResultsRoot::<Test>::get(), sealed);
        System::assert_last_event(
            Event::ResultsSealed {
                root: sealed.root,
                count: 2,
            }
            .into(),
        );
    });
}

#[test]
fn fails_when_the_block_is_full_and_works_in_the_next() {
    let mut chain = Chain::new();
    chain.block_with(|| {
        (0..5).for_each(|task| append(task).unwrap());
        assert_noop!(append(5), Error::<Test>::BlockFull);
    });
    chain.block([5]);
    chain.empty(1);
    for task in 0..6 {
        let proof = chain.proof(task, None).unwrap();
        assert_eq!(
            (proof.index, proof.block.count),
            if task == 5 { (0, 1) } else { (task as u32, 5) }
        );
        assert_eq!(proof.verify(chain.compute_root(3)), Ok(()));
    }
}

#[test]
fn fails_for_a_task_that_has_a_result() {
    let mut chain = Chain::new();
    chain.block_with(|| {
        append(1).unwrap();
        assert_noop!(append(1), Error::<Test>::AlreadySettled);
    });
    chain.block_with(|| {
        assert_noop!(append(1), Error::<Test>::AlreadySettled);
    });
}

#[test]
fn a_block_without_results_seals_the_empty_root_and_says_nothing() {
    let mut chain = Chain::new();
    chain.block([1]);
    chain.empty(1);
    chain.ext.execute_with(|| {
        assert_eq!(ResultsRoot::<Test>::get(), SealedRoot::default());
        assert!(!Sealed::<Test>::exists());
        assert!(!SettledBy::<Test>::contains_key(2));
        assert_eq!(System::events(), []);
    });
}

#[test]
fn the_state_forgets_what_is_older_than_the_retention() {
    let mut chain = Chain::new();
    chain.block([1, 2]);
    chain.empty(7);
    assert_eq!(*chain.best().number(), 8);
    chain
        .ext
        .execute_with(|| assert!(Places::<Test>::contains_key(TaskId(1))));
    chain.empty(1);
    chain.ext.execute_with(|| {
        assert_eq!(Places::<Test>::iter().count(), 0);
        assert_eq!(SettledBy::<Test>::iter().count(), 0);
    });
    assert!(chain.proof(1, None).is_ok());
}
