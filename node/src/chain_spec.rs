//! Chains that the program knows by name.

use agora_runtime::{WASM_BINARY, genesis_presets};
use sc_service::{ChainType, Properties};
use sp_genesis_builder::DEV_RUNTIME_PRESET;

/// A chain specification; it has no extensions.
pub type ChainSpec = sc_service::GenericChainSpec;

/// Separates this chain's peers from those of others.
const PROTOCOL_ID: &str = "agora";

/// One validator, Alice; a block each second.
pub fn development() -> Result<ChainSpec, String> {
    spec(
        "Agora development",
        "agora_dev",
        ChainType::Development,
        DEV_RUNTIME_PRESET,
    )
}

/// Two validators, Alice and Bob.
pub fn local_two() -> Result<ChainSpec, String> {
    spec(
        "Agora local, two validators",
        "agora_local2",
        ChainType::Local,
        genesis_presets::LOCAL_TWO_VALIDATORS_PRESET,
    )
}

/// Four validators, Alice to Dave.
pub fn local_four() -> Result<ChainSpec, String> {
    spec(
        "Agora local, four validators",
        "agora_local4",
        ChainType::Local,
        genesis_presets::LOCAL_FOUR_VALIDATORS_PRESET,
    )
}

fn spec(name: &str, id: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
    let wasm =
        WASM_BINARY.ok_or("this program was built without the Wasm runtime (SKIP_WASM_BUILD); build it with it")?;
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "AGR".into());
    properties.insert("tokenDecimals".into(), 12.into());
    properties.insert("ss58Format".into(), 42.into());
    Ok(ChainSpec::builder(wasm, None)
        .with_name(name)
        .with_id(id)
        .with_chain_type(chain_type)
        .with_protocol_id(PROTOCOL_ID)
        .with_properties(properties)
        .with_genesis_config_preset_name(preset)
        .build())
}
