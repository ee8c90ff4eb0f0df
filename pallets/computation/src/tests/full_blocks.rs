//! Blocks without room for a move stop clocks.

use crate::{FullBlocks, WeightInfo, mock::*};
use frame_support::{
    dispatch::DispatchClass,
    traits::{Get, Hooks},
    weights::Weight,
};
use frame_system::limits::{BlockLength, BlockWeights};

/// Ends a block in which `used` of the normal class is used, and returns whether it was full.
fn is_full(class: DispatchClass, used: Weight) -> bool {
    frame_system::BlockWeight::<Test>::kill();
    System::register_extra_weight_unchecked(used, class);
    let before = FullBlocks::<Test>::get();
    Computation::on_finalize(now());
    FullBlocks::<Test>::get() > before
}

fn limits() -> BlockWeights {
    <Test as frame_system::Config>::BlockWeights::get()
}

#[test]
fn a_block_is_full_if_the_heaviest_move_does_not_fit() {
    run(|| {
        let normal = limits().get(DispatchClass::Normal).clone();
        let most = normal.max_total.unwrap();
        assert!(!is_full(DispatchClass::Normal, Weight::zero()));
        assert!(is_full(DispatchClass::Normal, most));
        let heaviest = Computation::heaviest();
        for weight in [
            <() as WeightInfo>::execute(),
            <() as WeightInfo>::advance(),
            <() as WeightInfo>::add_run(),
        ] {
            assert!(weight.all_lte(heaviest));
        }
        // It fits exactly, with what every extrinsic weighs, and its length.
        let fits = most - heaviest - normal.base_extrinsic - Weight::from_parts(0, 80 * 1024);
        assert!(!is_full(DispatchClass::Normal, fits));
        assert!(is_full(DispatchClass::Normal, fits + Weight::from_parts(1, 0)));
    });
}

#[test]
fn what_others_use_counts_where_it_takes_the_room() {
    run(|| {
        let block = limits().max_block;
        assert!(is_full(DispatchClass::Mandatory, block));
        assert!(!is_full(DispatchClass::Mandatory, block / 10));
    });
}

#[test]
fn a_long_block_is_full_too() {
    run(|| {
        let limits: BlockLength = <Test as frame_system::Config>::BlockLength::get();
        let longest = *limits.max.get(DispatchClass::Normal);
        for (length, full) in [(longest - 80 * 1024, 0), (longest - 80 * 1024 + 1, 1)] {
            System::set_block_consumed_resources(Weight::zero(), length as usize);
            Computation::on_finalize(now());
            assert_eq!(FullBlocks::<Test>::get(), full);
        }
    });
}

#[test]
fn the_beginning_of_the_block_pays_for_its_end() {
    run(|| assert_eq!(Computation::on_initialize(1), <() as WeightInfo>::on_finalize()));
}
