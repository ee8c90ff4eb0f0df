//! The chain on which throughput is measured: the development chain with many workers from the start, and with so much
//! time to reveal that all tasks can be taken from stage to stage together.

use crate::{Failure, UNIT};
use agora_chain::AccountId;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// How many blocks there are to reveal in.
const REVEAL_WINDOW: u32 = 500;
/// What each worker has at first, and its bond, in plancks. Both are in the range of JSON's integers.
const ENDOWMENT: u64 = 1_000_000 * UNIT as u64;
const BOND: u64 = 1000 * UNIT as u64;

/// Writes the chain's specification into `folder`, with `workers` registered who have `slots` slots each.
pub fn write(folder: &Path, workers: &[AccountId], slots: u32) -> Result<PathBuf, Failure> {
    let exported = Command::new(agora_localnet::program("agora-node")?)
        .args(["export-chain-spec", "--chain", "dev"])
        .output()?;
    if !exported.status.success() {
        return Err(String::from_utf8_lossy(&exported.stderr).into());
    }
    let mut spec: Value = serde_json::from_slice(&exported.stdout)?;
    let genesis = spec
        .pointer_mut("/genesis/runtimeGenesis/patch")
        .ok_or("the chain specification has no genesis patch")?;
    let balances = genesis["balances"]["balances"]
        .as_array_mut()
        .ok_or("the chain specification has no balances")?;
    balances.extend(workers.iter().map(|worker| json!([worker.to_string(), ENDOWMENT])));
    genesis["tasks"]["classes"][0][1]["revealWindow"] = REVEAL_WINDOW.into();
    let profile = json!({ "specialisations": ["synthetic"], "slots": slots, "capability": 1 });
    genesis["registry"]["participants"] = workers
        .iter()
        .map(|worker| json!({ "account": worker.to_string(), "role": "worker", "bond": BOND, "profile": profile }))
        .collect();
    let path = folder.join("chain-spec.json");
    std::fs::write(&path, serde_json::to_vec(&spec)?)?;
    Ok(path)
}
