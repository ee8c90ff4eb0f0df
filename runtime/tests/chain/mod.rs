//! A chain of the real runtime, in memory: blocks with BABE's digests, inherents and signed transactions.

#![allow(dead_code, reason = "each test uses its part")]

pub mod start;

use agora_primitives::participants::{Role, Specialisation, Specialisations};
use agora_runtime::{
    AccountId, Executive, Header, Runtime, RuntimeCall, RuntimeEvent, SignedPayload, System, TxExtension,
    UncheckedExtrinsic, VERSION, block_time::SlotDurationMs,
};
use codec::Encode;
use pallet_agora_registry::Profile;
use pallet_transaction_payment::ChargeTransactionPayment;
use sp_core::{Pair, sr25519};
use sp_io::TestExternalities;
use sp_runtime::{ApplyExtrinsicResult, DispatchError, MultiSignature, generic::Era, traits::Header as _};

/// The key of an account that signs: `//{name}`.
pub fn key(name: &str) -> sr25519::Pair {
    sr25519::Pair::from_string(&format!("//{name}"), None).expect("a name is a derivation path")
}

/// Its account.
pub fn account(name: &str) -> AccountId {
    key(name).public().to_raw().into()
}

/// What an account of the tests declares in `role`: a worker computes synthetic jobs, one at a time.
pub fn profile(role: Role) -> Profile {
    match role {
        Role::Worker => Profile {
            specialisations: Specialisations::NONE.with(Specialisation::Synthetic),
            slots: 1,
            capability: 100,
        },
        _ => Profile::default(),
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
        Self::of("development")
    }

    /// The chain of a preset of which Alice is the first authority, before its first block.
    pub fn of(preset: &str) -> Self {
        Self {
            ext: start::chain(preset),
            headers: Vec::new(),
            // Slots are counted from 1970.
            slot: 1_800_000_000,
        }
    }

    /// Adds a block with these transactions, all of which must be valid; returns its events and the outcome of each
    /// transaction.
    pub fn block(
        &mut self,
        transactions: impl IntoIterator<Item = (sr25519::Pair, RuntimeCall)>,
    ) -> (Vec<RuntimeEvent>, Vec<Result<(), DispatchError>>) {
        let header = self.next_header();
        let slot = self.slot;
        let (header, events, results) = self.ext.execute_with(|| {
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

    /// What the next block begins with.
    pub fn next_header(&mut self) -> Header {
        self.slot += 1;
        let slot = self.slot;
        let parent = self.headers.last().map(Header::hash).unwrap_or_default();
        let number = self.headers.len() as u32 + 1;
        let digest = self.ext.execute_with(|| start::babe_digest(&key("Alice"), slot.into()));
        Header::new(number, Default::default(), Default::default(), parent, digest)
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
    Executive::apply_extrinsic(signed(who, call))
}

/// `call`, signed as the next transaction of its account.
pub fn signed(who: &sr25519::Pair, call: RuntimeCall) -> UncheckedExtrinsic {
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
    UncheckedExtrinsic::new_signed(call, account.into(), MultiSignature::Sr25519(signature), extension)
}
