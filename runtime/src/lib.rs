//! The Agora runtime: BABE and GRANDPA underneath, the market's pallets on top.
//!
//! This is the only crate that names concrete pallets. Their configuration is in [`configs`], the state at genesis in
//! [`genesis_presets`], and what clients may ask in [`apis`].

#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "512"]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

extern crate alloc;

pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
pub mod block_time;
pub mod configs;
pub mod genesis_presets;
pub mod randomness;
pub mod weights;

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
    MultiAddress, MultiSignature, generic, impl_opaque_keys,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
};
use sp_version::RuntimeVersion;

/// Number of a block.
pub type BlockNumber = u32;
/// Signature of a transaction: sr25519, ed25519 or ECDSA.
pub type Signature = MultiSignature;
/// An account: the public key that signs for it, or its hash.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Amount of money, in plancks: [`UNIT`] of them are one unit.
pub type Balance = u128;
/// Counts an account's transactions.
pub type Nonce = u32;
/// Hash of blocks and of state.
pub type Hash = sp_core::H256;
/// How a transaction names an account.
pub type Address = MultiAddress<AccountId, ()>;
/// Header of a block.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A transaction whose signature has not been checked.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What is signed of a transaction.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// What is checked of every transaction before it is executed, in this order.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    frame_system::WeightReclaim<Runtime>,
);

/// Executes blocks.
pub type Executive =
    frame_executive::Executive<Runtime, Block, frame_system::ChainContext<Runtime>, Runtime, AllPalletsWithSystem>;

/// One unit of money.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of a unit.
pub const MILLI_UNIT: Balance = UNIT / 1_000;
/// A millionth of a unit.
pub const MICRO_UNIT: Balance = MILLI_UNIT / 1_000;
/// The least that an account may have.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_UNIT;

/// What this runtime is. See the crate's README for when each number is raised.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("agora"),
    impl_name: Cow::Borrowed("agora"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

impl_opaque_keys! {
    /// The keys with which a validator takes part in consensus.
    pub struct SessionKeys {
        /// Produces blocks.
        pub babe: Babe,
        /// Votes on finality.
        pub grandpa: Grandpa,
    }
}

/// The pallets. Hooks run in the order of the indices: `Mmr` takes the parent block's results before `Results` starts
/// the block's own.
#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(2)]
    pub type Babe = pallet_babe;
    #[runtime::pallet_index(3)]
    pub type Authorship = pallet_authorship;
    #[runtime::pallet_index(4)]
    pub type Session = pallet_session;
    #[runtime::pallet_index(5)]
    pub type Grandpa = pallet_grandpa;
    #[runtime::pallet_index(6)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(7)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(8)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(9)]
    pub type Sudo = pallet_sudo;
    #[runtime::pallet_index(10)]
    pub type Mmr = pallet_mmr;
    #[runtime::pallet_index(11)]
    pub type BlockTime = crate::block_time;
    #[runtime::pallet_index(12)]
    pub type Proxy = pallet_proxy;

    #[runtime::pallet_index(20)]
    pub type Escrow = pallet_agora_escrow;
    #[runtime::pallet_index(21)]
    pub type Registry = pallet_agora_registry;
    #[runtime::pallet_index(22)]
    pub type Rewards = pallet_agora_rewards;
    #[runtime::pallet_index(23)]
    pub type Reputation = pallet_agora_reputation;
    #[runtime::pallet_index(24)]
    pub type Judging = pallet_agora_judging;
    #[runtime::pallet_index(25)]
    pub type Tasks = pallet_agora_tasks;
    #[runtime::pallet_index(26)]
    pub type Results = pallet_agora_results;
    #[runtime::pallet_index(27)]
    pub type Capability = pallet_agora_capability;
    #[runtime::pallet_index(28)]
    pub type Computation = pallet_agora_computation;
    #[runtime::pallet_index(29)]
    pub type Exact = pallet_agora_exact;
}

#[cfg(feature = "runtime-benchmarks")]
mod benches {
    frame_benchmarking::define_benchmarks!(
        [frame_system, SystemBench::<Runtime>]
        [pallet_babe, Babe]
        [pallet_balances, Balances]
        [pallet_grandpa, Grandpa]
        [pallet_mmr, Mmr]
        [pallet_proxy, Proxy]
        [pallet_sudo, Sudo]
        [pallet_timestamp, Timestamp]
        [pallet_utility, Utility]
        [pallet_agora_escrow, Escrow]
        [pallet_agora_registry, Registry]
        [pallet_agora_rewards, Rewards]
        [pallet_agora_reputation, Reputation]
        [pallet_agora_judging, Judging]
        [pallet_agora_tasks, Tasks]
        [pallet_agora_results, Results]
        [pallet_agora_capability, Capability]
        [pallet_agora_computation, Computation]
        [pallet_agora_exact, Exact]
    );
}
