//! What a chain starts with, by name.
//!
//! `development` has one validator, fast blocks, task classes with short windows and frequent hardware challenges.
//! `local_two_validators` (also known as `local_testnet`) and `local_four_validators` are for networks of several nodes
//! on one machine. All of them use keys that everybody knows, so none is for a chain that is worth anything.

use crate::{
    AccountId, Balance, BalancesConfig, BlockNumber, BlockTimeConfig, CapabilityConfig, ComputationConfig,
    EXISTENTIAL_DEPOSIT, RegistryConfig, RuntimeGenesisConfig, SessionConfig, SessionKeys, SudoConfig, TasksConfig,
    UNIT,
    block_time::DEFAULT_SLOT_DURATION_MS,
    configs::{capability, computation, system::DAYS, treasury::TREASURY_ID},
};
use agora_disputes::Terms;
use agora_primitives::courts::Offence;
use alloc::{format, vec, vec::Vec};
use frame_support::build_struct_json_patch;
use pallet_agora_capability::Schedule;
use pallet_agora_tasks::{Windows, exact_classes, genesis_classes};
use serde_json::Value;
use sp_core::{crypto::get_public_from_string_or_panic, sr25519};
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET, PresetId};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::traits::AccountIdConversion;

/// Two validators: Alice and Bob.
pub const LOCAL_TWO_VALIDATORS_PRESET: &str = "local_two_validators";
/// Four validators: Alice, Bob, Charlie and Dave. With four, GRANDPA goes on if one is lost.
pub const LOCAL_FOUR_VALIDATORS_PRESET: &str = "local_four_validators";

/// Slot duration of the development chain, in milliseconds.
pub const DEVELOPMENT_SLOT_DURATION_MS: u64 = 1_000;
/// Rounds of hardware challenges on the development chain: every five minutes, decided by a single verifier.
const DEVELOPMENT_SCHEDULE: Schedule<BlockNumber> = Schedule {
    period: 300,
    window: 8,
    voting: 60,
    revealing: 40,
    validity: 750,
    quorum: 1,
    seats: 16,
};
/// Disputes on the development chain: over in some minutes. To run the largest unit of a job takes half a minute on a core of its own, so runs
/// may be added for a minute and a half.
const DEVELOPMENT_TERMS: Terms = Terms {
    commit: 1,
    reveal: 10,
    clock: 180,
    entry: 90,
    challenge: 30,
    stops: 60,
};
/// For how long whoever vouched for a false step of a computation has no role: a month of blocks.
const FRAUD_BAN: BlockNumber = 30 * DAYS;
/// What each development account starts with.
pub const ENDOWMENT: Balance = 1_000_000 * UNIT;
/// How many accounts `//Worker1`, `//Worker2` … there are.
pub const DEVELOPMENT_WORKERS: u32 = 8;
/// How many accounts `//Verifier1`, `//Verifier2` … there are: of the market, not of consensus.
pub const DEVELOPMENT_VERIFIERS: u32 = 4;

/// Names of all presets.
pub fn preset_names() -> Vec<PresetId> {
    [
        DEV_RUNTIME_PRESET,
        LOCAL_TESTNET_RUNTIME_PRESET,
        LOCAL_TWO_VALIDATORS_PRESET,
        LOCAL_FOUR_VALIDATORS_PRESET,
    ]
    .map(PresetId::from)
    .into()
}

/// The preset with that name, as JSON that is laid over the default genesis.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_str() {
        DEV_RUNTIME_PRESET => genesis(
            &[ALICE],
            DEVELOPMENT_SLOT_DURATION_MS,
            Windows::short(),
            DEVELOPMENT_SCHEDULE,
            DEVELOPMENT_TERMS,
        ),
        LOCAL_TWO_VALIDATORS_PRESET | LOCAL_TESTNET_RUNTIME_PRESET => genesis(
            &[ALICE, BOB],
            DEFAULT_SLOT_DURATION_MS,
            Windows::standard(),
            capability::SCHEDULE,
            computation::TERMS,
        ),
        LOCAL_FOUR_VALIDATORS_PRESET => genesis(
            &[ALICE, BOB, CHARLIE, DAVE],
            DEFAULT_SLOT_DURATION_MS,
            Windows::standard(),
            capability::SCHEDULE,
            computation::TERMS,
        ),
        _ => return None,
    };
    serde_json::to_vec(&patch).ok()
}

/// The keys of one validator of consensus.
type Authority = (Sr25519Keyring, Ed25519Keyring);

const ALICE: Authority = (Sr25519Keyring::Alice, Ed25519Keyring::Alice);
const BOB: Authority = (Sr25519Keyring::Bob, Ed25519Keyring::Bob);
const CHARLIE: Authority = (Sr25519Keyring::Charlie, Ed25519Keyring::Charlie);
const DAVE: Authority = (Sr25519Keyring::Dave, Ed25519Keyring::Dave);

fn genesis(
    authorities: &[Authority],
    slot_duration_ms: u64,
    windows: Windows<BlockNumber>,
    schedule: Schedule<BlockNumber>,
    terms: Terms,
) -> Value {
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig { balances: endowed() },
        block_time: BlockTimeConfig { slot_duration_ms },
        capability: CapabilityConfig {
            schedule: Some(schedule)
        },
        computation: ComputationConfig { terms: Some(terms) },
        registry: RegistryConfig {
            offence_bans: vec![(Offence::Fraud, FRAUD_BAN)]
        },
        session: SessionConfig {
            keys: authorities
                .iter()
                .map(|(babe, grandpa)| {
                    let keys = SessionKeys {
                        babe: babe.public().into(),
                        grandpa: grandpa.public().into(),
                    };
                    (babe.to_account_id(), babe.to_account_id(), keys)
                })
                .collect(),
        },
        sudo: SudoConfig {
            key: Some(Sr25519Keyring::Alice.to_account_id())
        },
        tasks: TasksConfig {
            classes: [genesis_classes(UNIT, windows), exact_classes(UNIT, windows)].concat()
        },
    })
}

/// The treasury with the existential deposit, and every account of development with [`ENDOWMENT`].
fn endowed() -> Vec<(AccountId, Balance)> {
    let named = [
        Sr25519Keyring::Alice,
        Sr25519Keyring::Bob,
        Sr25519Keyring::Charlie,
        Sr25519Keyring::Dave,
        Sr25519Keyring::Eve,
        Sr25519Keyring::Ferdie,
    ]
    .map(|who| who.to_account_id());
    let workers = (1..=DEVELOPMENT_WORKERS).map(|number| account(&format!("Worker{number}")));
    let verifiers = (1..=DEVELOPMENT_VERIFIERS).map(|number| account(&format!("Verifier{number}")));
    let mut all = vec![(TREASURY_ID.into_account_truncating(), EXISTENTIAL_DEPOSIT)];
    all.extend(
        named
            .into_iter()
            .chain(workers)
            .chain(verifiers)
            .chain([account("Publisher")])
            .map(|who| (who, ENDOWMENT)),
    );
    all
}

/// The account of the well-known key `//{name}`.
fn account(name: &str) -> AccountId {
    get_public_from_string_or_panic::<sr25519::Public>(name).to_raw().into()
}
