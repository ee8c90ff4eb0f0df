//! The court of this runtime: what it computes with, and what a dispute weighs.

use agora_primitives::job::BlobRef;
use agora_reference::{MAX_UNIT_CHUNKS, MAX_UNIT_WORK, Output, Unit};
use agora_runtime::{
    Runtime, RuntimeCall, TransactionPayment,
    configs::computation::{Bond, ReferenceMachine},
};
use codec::Encode;
use frame_support::{dispatch::GetDispatchInfo, weights::Weight};
use pallet_agora_computation::WeightInfo;
use pallet_balances::WeightInfo as _;
use sp_core::H256;

mod chain;

#[test]
fn it_decides_with_the_image_that_is_shipped() {
    let image = include_bytes!("../../guests/images/reference.bin");
    let machine = ReferenceMachine::get();
    assert_eq!(
        machine.image,
        BlobRef::to(image),
        "the image is another now: its hash and its length stand in `configs/computation.rs`"
    );
    let dearest = Unit {
        output: Output::Kept { size: 0 },
        work: MAX_UNIT_WORK,
        chunks: MAX_UNIT_CHUNKS,
    };
    assert_eq!(machine.gas, dearest.gas());
}

/// A dispute about the largest job that is: six levels down to a chunk, seven through a list, runs of the most segments, all of it played
/// to the end by both.
#[test]
fn a_whole_dispute_weighs_less_than_three_hundred_transfers() {
    type Court = <Runtime as pallet_agora_computation::Config>::WeightInfo;
    let times = |count: u64, weight: Weight| weight.saturating_mul(count);
    let moves = [
        times(1, Court::commit()),
        times(1, Court::reveal()),
        times(7, Court::show()),
        times(6, Court::name_child()),
        times(1, Court::defend()),
        // Which list, seven nodes shown, six named, an entry.
        times(15, Court::dispute_list()),
        times(2, Court::add_run()),
        times(1, Court::challenge()),
        times(16, Court::open_node()),
        times(1, Court::execute()),
        times(3, Court::advance()),
        times(5, Court::collect()),
    ];
    let whole = moves
        .into_iter()
        .fold(Weight::zero(), |sum, weight| sum.saturating_add(weight));
    let transfer = <Runtime as pallet_balances::Config>::WeightInfo::transfer_allow_death();
    let ratio = whole.ref_time() / transfer.ref_time();
    println!(
        "a whole dispute: {whole:?}, {ratio} transfers; its segment: {:?}",
        Court::execute()
    );
    assert!(ratio <= 300, "{ratio} transfers");
    // Ten milliseconds, a two hundredth of a block: the worst segment that a publisher's program can have.
    assert!(Court::execute().ref_time() <= 10_000_000_000);
}

/// All moves of a defence are free but a challenge. Whoever defends what is right has half of the accuser's bond for it.
#[test]
fn defending_pays_a_stranger_far_more_than_its_challenge_costs() {
    let call = RuntimeCall::Computation(pallet_agora_computation::Call::challenge {
        trial: 0,
        defence: H256::zero(),
        one: H256::zero(),
        other: H256::zero(),
    });
    // With a signature and what goes with it.
    let length = call.encoded_size() as u32 + 200;
    let fee = chain::start::chain("development").execute_with(|| {
        frame_system::Pallet::<Runtime>::set_block_number(1);
        TransactionPayment::compute_fee(length, &call.get_dispatch_info(), 0)
    });
    let gain = Bond::get() / 2;
    println!("defending gains {gain} for each accuser, and a challenge costs {fee}");
    assert!(fee > 0 && fee.saturating_mul(100) < gain);
}
