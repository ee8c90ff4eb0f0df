//! Blocks on the real runtime, without a node: genesis, digests with real verifiable randomness, inherents and hooks.

use crate::{capability, rng::Rng};
use agora_runtime::{
    AllPalletsWithSystem, Babe, Runtime, RuntimeCall, RuntimeGenesisConfig, RuntimeOrigin, System,
    block_time::SlotDurationMs, genesis_presets,
};
use codec::Encode;
use frame_support::{
    dispatch::DispatchClass,
    genesis_builder_helper::build_state,
    traits::{OnFinalize, OnIdle, OnInitialize, OnPoll, UnfilteredDispatchable},
    weights::WeightMeter,
};
use serde_json::Value;
use sp_consensus_babe::{
    AuthorityPair, BABE_ENGINE_ID, Slot,
    digests::{PreDigest, SecondaryVRFPreDigest},
    make_vrf_sign_data,
};
use sp_core::{Pair, crypto::VrfSecret};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_io::{TestExternalities, hashing::blake2_256};
use sp_runtime::{Digest, DigestItem};

/// The slot of the first block.
const FIRST_SLOT: u64 = 1_000_000;
/// The overlay of changes is committed every so many blocks: each block goes through all of it.
const BLOCKS_PER_COMMIT: u32 = 500;

pub struct Chain {
    ext: TestExternalities,
    author: AuthorityPair,
    blocks: u32,
}

impl Chain {
    /// The development chain in its first block, with `entropy` as BABE's randomness.
    pub fn new(entropy: [u8; 32]) -> Self {
        let mut ext = TestExternalities::default();
        ext.execute_with(|| {
            let json = serde_json::to_vec(&development_genesis()).expect("JSON can be written");
            build_state::<RuntimeGenesisConfig>(json).expect("the preset is valid");
        });
        ext.commit_all().expect("there are no open transactions");
        let author = AuthorityPair::from_string("//Alice", None).expect("the key is well known");
        let mut chain = Self { ext, author, blocks: 0 };
        chain.execute(|| {
            pallet_babe::Randomness::<Runtime>::put(entropy);
            pallet_agora_capability::CurrentSchedule::<Runtime>::put(capability::SCHEDULE);
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
            System::initialize(&number, &parent.into(), &babe_digest(&author, slot.into()));
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

/// What the author of a secondary slot puts in: its index, the slot and its verifiable random output.
fn babe_digest(author: &AuthorityPair, slot: Slot) -> Digest {
    let epoch = pallet_babe::EpochIndex::<Runtime>::get();
    let data = make_vrf_sign_data(&Babe::randomness(), slot, epoch);
    let vrf_signature = author.as_ref().vrf_sign(&data);
    let pre_digest = PreDigest::SecondaryVRF(SecondaryVRFPreDigest {
        authority_index: 0,
        slot,
        vrf_signature,
    });
    Digest {
        logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, pre_digest.encode())],
    }
}

/// The default genesis with the development preset laid over it, as a node does it.
fn development_genesis() -> Value {
    let patch = genesis_presets::get_preset(&DEV_RUNTIME_PRESET.into()).expect("the preset exists");
    let mut genesis = serde_json::to_value(RuntimeGenesisConfig::default()).expect("the default is JSON");
    merge(
        &mut genesis,
        serde_json::from_slice(&patch).expect("the preset is JSON"),
    );
    genesis
}

fn merge(base: &mut Value, patch: Value) {
    match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, patch) => *base = patch,
    }
}
