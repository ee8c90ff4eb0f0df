//! Every preset is a genesis that the runtime accepts, and says what its documentation says.

mod chain;

use agora_runtime::{
    Babe, Balances, EXISTENTIAL_DEPOSIT, Grandpa, Runtime, RuntimeGenesisConfig, Session,
    block_time::SlotDurationMs,
    configs::treasury::TreasuryAccount,
    genesis_presets::{self, ENDOWMENT},
};
use chain::start::genesis;
use frame_support::genesis_builder_helper::build_state;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;

fn started(preset: &str) -> TestExternalities {
    let json = serde_json::to_vec(&genesis(preset)).unwrap();
    let mut ext = TestExternalities::default();
    ext.execute_with(|| build_state::<RuntimeGenesisConfig>(json).unwrap());
    ext
}

fn check(preset: &str, validators: &[Sr25519Keyring], slot_duration_ms: u64) {
    started(preset).execute_with(|| {
        let validators: Vec<_> = validators.iter().map(|who| who.to_account_id()).collect();
        assert_eq!(Session::validators(), validators);
        assert_eq!(Babe::authorities().len(), validators.len());
        assert_eq!(Grandpa::grandpa_authorities().len(), validators.len());
        assert_eq!(SlotDurationMs::<Runtime>::get(), slot_duration_ms);
        assert_eq!(Babe::slot_duration(), slot_duration_ms);
        assert_eq!(Balances::free_balance(TreasuryAccount::get()), EXISTENTIAL_DEPOSIT);
        assert_eq!(
            Balances::free_balance(Sr25519Keyring::Ferdie.to_account_id()),
            ENDOWMENT
        );
        assert_eq!(
            pallet_sudo::Key::<Runtime>::get(),
            Some(Sr25519Keyring::Alice.to_account_id())
        );
        let all: u128 = frame_system::Account::<Runtime>::iter_values()
            .map(|account| account.data.free)
            .sum();
        assert_eq!(Balances::total_issuance(), all);
    });
}

#[test]
fn development_has_one_validator_and_fast_blocks() {
    check("development", &[Sr25519Keyring::Alice], 1_000);
}

#[test]
fn local_networks_have_two_and_four_validators() {
    use Sr25519Keyring::{Alice, Bob, Charlie, Dave};
    check("local_two_validators", &[Alice, Bob], 3_000);
    check("local_testnet", &[Alice, Bob], 3_000);
    check("local_four_validators", &[Alice, Bob, Charlie, Dave], 3_000);
}

#[test]
fn every_name_that_is_listed_builds_and_no_other() {
    for name in genesis_presets::preset_names() {
        started(&name);
    }
    assert_eq!(genesis_presets::get_preset(&"mainnet".into()), None);
}

#[test]
#[should_panic(expected = "OutOfRange")]
fn a_slot_too_short_is_refused() {
    let mut genesis = genesis("development");
    genesis["blockTime"]["slotDurationMs"] = 100.into();
    let json = serde_json::to_vec(&genesis).unwrap();
    TestExternalities::default().execute_with(|| build_state::<RuntimeGenesisConfig>(json).unwrap());
}
