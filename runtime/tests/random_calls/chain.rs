//! Blocks on the real runtime, without a node: genesis, digests with real verifiable randomness, inherents and hooks.

use crate::{capability, court, rng::Rng, start};
use agora_runtime::{AllPalletsWithSystem, Runtime, RuntimeCall, RuntimeOrigin, System, block_time::SlotDurationMs};
use codec::Encode;
use frame_support::{
    dispatch::DispatchClass,
    traits::{OnFinalize, OnIdle, OnInitialize, OnPoll, UnfilteredDispatchable},
    weights::WeightMeter,
};
use sp_core::{Pair, sr25519};
use sp_io::{TestExternalities, hashing::blake2_256};

/// The slot of the first block.
const FIRST_SLOT: u64 = 1_000_000;
/// The overlay of changes is committed every so many blocks, because each block goes through all of it.
const BLOCKS_PER_COMMIT: u32 = 500;

pub struct Chain {
    ext: TestExternalities,
    author: sr25519::Pair,
    blocks: u32,
}

impl Chain {
    /// The development chain in its first block, with `entropy` as BABE's randomness.
    pub fn new(entropy: [u8; 32]) -> Self {
        let mut ext = start::chain("development");
        ext.commit_all().expect("there are no open transactions");
        let author = sr25519::Pair::from_string("//Alice", None).expect("the key is well known");
        let mut chain = Self { ext, author, blocks: 0 };
        chain.execute(|| {
            pallet_babe::Randomness::<Runtime>::put(entropy);
            pallet_agora_capability::CurrentSchedule::<Runtime>::put(capability::SCHEDULE);
            pallet_agora_computation::CurrentTerms::<Runtime>::put(court::TERMS);
        });
        chain.start_block();
        chain
    }

    pub fn execute<R>(&mut self, work: impl FnOnce() -> R) -> R {
        self.ext.execute_with(work)
    }

    /// Ends this block. Now and then a block is full, and then there is no idle time.
    pub fn end_block(&mut self, rng: &mut Rng) {
        let is_full = rng.chance(5);
        self.execute(|| end_block(is_full));
    }

    /// Starts the next block.
    pub fn start_block(&mut self) {
        self.blocks += 1;
        if self.blocks.is_multiple_of(BLOCKS_PER_COMMIT) {
            self.ext.commit_all().expect("there are no open transactions");
        }
        let author = self.author.clone();
        self.execute(|| {
            let number = System::block_number() + 1;
            let slot = match u64::from(pallet_babe::CurrentSlot::<Runtime>::get()) {
                0 => FIRST_SLOT,
                slot => slot + 1,
            };
            let parent = blake2_256(&(number, System::parent_hash(), System::digest()).encode());
            System::reset_events();
            System::initialize(&number, &parent.into(), &start::babe_digest(&author, slot.into()));
            AllPalletsWithSystem::on_initialize(number);
            let now = slot * SlotDurationMs::<Runtime>::get();
            RuntimeCall::Timestamp(pallet_timestamp::Call::set { now })
                .dispatch_bypass_filter(RuntimeOrigin::none())
                .expect("the time fits the slot");
            System::note_inherents_applied();
            AllPalletsWithSystem::on_poll(number, &mut WeightMeter::with_limit(block_weight()));
        });
    }
}

fn block_weight() -> frame_support::weights::Weight {
    <Runtime as frame_system::Config>::BlockWeights::get().max_block
}

fn end_block(is_full: bool) {
    let number = System::block_number();
    System::note_finished_extrinsics();
    if is_full {
        System::register_extra_weight_unchecked(block_weight(), DispatchClass::Operational);
    }
    let used = System::block_weight().total();
    let rest = block_weight().saturating_sub(used);
    if rest.all_gt(frame_support::weights::Weight::zero()) {
        AllPalletsWithSystem::on_idle(number, rest);
    }
    AllPalletsWithSystem::on_finalize(number);
}
