//! How a chain of the tests starts, and the digest with which its author makes a block.

use agora_runtime::{Babe, Runtime, RuntimeGenesisConfig, genesis_presets};
use codec::Encode;
use frame_support::genesis_builder_helper::build_state;
use serde_json::Value;
use sp_consensus_babe::{
    BABE_ENGINE_ID, Slot,
    digests::{PreDigest, SecondaryVRFPreDigest},
    make_vrf_sign_data,
};
use sp_core::{crypto::VrfSecret, sr25519};
use sp_io::TestExternalities;
use sp_runtime::{Digest, DigestItem};

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

/// The state of the chain of a preset before its first block.
pub fn chain(preset: &str) -> TestExternalities {
    let json = serde_json::to_vec(&genesis(preset)).expect("genesis is JSON");
    let mut ext = TestExternalities::default();
    ext.execute_with(|| build_state::<RuntimeGenesisConfig>(json).expect("presets build"));
    ext
}

/// What the first authority puts into a block of a secondary slot: its index, the slot and its verifiable random output.
pub fn babe_digest(author: &sr25519::Pair, slot: Slot) -> Digest {
    let epoch = pallet_babe::EpochIndex::<Runtime>::get();
    let data = make_vrf_sign_data(&Babe::randomness(), slot, epoch);
    let pre_digest = PreDigest::SecondaryVRF(SecondaryVRFPreDigest {
        authority_index: 0,
        slot,
        vrf_signature: author.vrf_sign(&data),
    });
    Digest {
        logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, pre_digest.encode())],
    }
}
