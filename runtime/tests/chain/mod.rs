//! A chain of the real runtime, in memory: blocks with BABE's digests, inherents and signed transactions.

#![allow(dead_code, reason = "each test uses its part")]

use agora_runtime::{
    AccountId, Executive, Header, Runtime, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig, SignedPayload, System,
    TxExtension, UncheckedExtrinsic, VERSION, block_time::SlotDurationMs, genesis_presets,
};
use codec::Encode;
use frame_support::genesis_builder_helper::build_state;
use pallet_transaction_payment::ChargeTransactionPayment;
use serde_json::Value;
use sp_consensus_babe::{
    BABE_ENGINE_ID,
    digests::{PreDigest, SecondaryVRFPreDigest},
    make_vrf_sign_data,
};
use sp_core::{Pair, crypto::VrfSecret, sr25519};
use sp_io::TestExternalities;
use sp_runtime::{
    ApplyExtrinsicResult, Digest, DigestItem, DispatchError, MultiSignature, generic::Era, traits::Header as _,
};

/// Somebody who signs: `//{name}`.
pub fn key(name: &str) -> sr25519::Pair {
    sr25519::Pair::from_string(&format!("//{name}"), None).expect("a name is a derivation path")
}

/// Its account.
pub fn account(name: &str) -> AccountId {
    key(name).public().to_raw().into()
}

/// The default genesis with a preset laid over it, as a node does it.
pub fn genesis(preset: &str) -> Value {
    let patch = genesis_presets::get_preset(&preset.into()).unwrap_or_else(|| panic!("no preset {preset}"));
    let mut genesis = serde_json::to_value(RuntimeGenesisConfig::default()).expect("genesis is JSON");
    merge(&mut genesis, serde_json::from_slice(&patch).expect("presets are JSON"));
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

/// A chain whose only author is Alice.
pub struct Chain {
    pub ext: TestExternalities,
    /// Headers of all blocks but the genesis.
    pub headers: Vec<Header>,
    slot: u64,
}

impl Chain {
    /// The development chain before its first block.
    pub fn development() -> Self {
        let json = serde_json::to_vec(&genesis("development")).expect("genesis is JSON");
        let mut ext = TestExternalities::default();
        ext.execute_with(|| build_state::<RuntimeGenesisConfig>(json).expect("presets build"));
        // Slots are counted from 1970.
        Self {
            ext,
            headers: Vec::new(),
            slot: 1_800_000_000,
        }
    }

    /// Adds a block with these transactions, all of which must be valid; returns its events and what became of each.
    pub fn block(
        &mut self,
        transactions: impl IntoIterator<Item = (sr25519::Pair, RuntimeCall)>,
    ) -> (Vec<RuntimeEvent>, Vec<Result<(), DispatchError>>) {
        self.slot += 1;
        let slot = self.slot;
        let parent = self.headers.last().map(Header::hash).unwrap_or_default();
        let number = self.headers.len() as u32 + 1;
        let (header, events, results) = self.ext.execute_with(|| {
            let (randomness, epoch) = (
                agora_runtime::Babe::randomness(),
                pallet_babe::EpochIndex::<Runtime>::get(),
            );
            let vrf_signature = key("Alice").vrf_sign(&make_vrf_sign_data(&randomness, slot.into(), epoch));
            let digest = PreDigest::SecondaryVRF(SecondaryVRFPreDigest {
                authority_index: 0,
                slot: slot.into(),
                vrf_signature,
            });
            let digest = Digest {
                logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, digest.encode())],
            };
            let header = Header::new(number, Default::default(), Default::default(), parent, digest);
            Executive::initialize_block(&header);
            let now = slot * SlotDurationMs::<Runtime>::get();
            let inherent = UncheckedExtrinsic::new_bare(pallet_timestamp::Call::set { now }.into());
            Executive::apply_extrinsic(inherent)
                .expect("the time is valid")
                .expect("and set");
            let results = transactions
                .into_iter()
                .map(|(who, call)| apply(&who, call).expect("the transaction is valid"))
                .collect();
            let header = Executive::finalize_block();
            let events = System::events().into_iter().map(|record| record.event).collect();
            (header, events, results)
        });
        self.ext.persist_offchain_overlay();
        self.headers.push(header);
        (events, results)
    }

    /// Adds a block with these transactions, each of which must succeed; returns its events.
    pub fn must(&mut self, transactions: impl IntoIterator<Item = (sr25519::Pair, RuntimeCall)>) -> Vec<RuntimeEvent> {
        let (events, results) = self.block(transactions);
        for (at, result) in results.iter().enumerate() {
            assert_eq!(*result, Ok(()), "transaction {at}");
        }
        events
    }
}

/// Signs `call` and applies it to the block under construction.
fn apply(who: &sr25519::Pair, call: RuntimeCall) -> ApplyExtrinsicResult {
    let account = AccountId::from(who.public().to_raw());
    let extension: TxExtension = (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::from(System::account_nonce(&account)),
        frame_system::CheckWeight::new(),
        ChargeTransactionPayment::from(0),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        frame_system::WeightReclaim::new(),
    );
    assert_eq!(
        VERSION.transaction_version, 1,
        "this test signs transactions of version 1"
    );
    let payload = SignedPayload::new(call, extension).expect("what is signed implicitly is known");
    let signature = payload.using_encoded(|bytes| who.sign(bytes));
    let (call, extension, _) = payload.deconstruct();
    Executive::apply_extrinsic(UncheckedExtrinsic::new_signed(
        call,
        account.into(),
        MultiSignature::Sr25519(signature),
        extension,
    ))
}
