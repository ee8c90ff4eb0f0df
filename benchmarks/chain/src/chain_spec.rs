//! The chain on which throughput is measured: the development chain with many workers from the start, and so much time
//! to reveal that all tasks can go from stage to stage together.

use crate::{Failure, UNIT};
use agora_chain::AccountId;
use serde_json::json;
use std::path::{Path, PathBuf};

/// In how many blocks results can be revealed.
const REVEAL_WINDOW: u32 = 500;
/// What each worker has at first, and its bond, in plancks. Both are in the range of JSON's integers.
const ENDOWMENT: u64 = 1_000_000 * UNIT as u64;
const BOND: u64 = 1000 * UNIT as u64;

/// Writes the chain's specification into `folder`, with `workers` registered who have `slots` slots each.
pub fn write(folder: &Path, workers: &[AccountId], slots: u32) -> Result<PathBuf, Failure> {
    let endowed = workers.iter().map(|worker| json!([worker.to_string(), ENDOWMENT]));
    let profile = json!({ "specialisations": ["synthetic"], "slots": slots, "capability": 1 });
    let participants = workers
        .iter()
        .map(|worker| json!({ "account": worker.to_string(), "role": "worker", "bond": BOND, "profile": profile }));
    let path = agora_localnet::write_chain_spec("dev", folder, |genesis| {
        if let Some(balances) = genesis["balances"]["balances"].as_array_mut() {
            balances.extend(endowed);
        }
        genesis["tasks"]["classes"][0][1]["revealWindow"] = REVEAL_WINDOW.into();
        genesis["registry"]["participants"] = participants.collect();
    })?;
    Ok(path)
}
