//! Chains with another genesis.

use crate::{LocalnetError, program};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Writes the specification of `chain` (`dev`, `local2` or `local4`) into `folder`, with its genesis changed by `edit`, and
/// returns its path: the name of the chain for [`NodeOptions`](crate::NodeOptions). `edit` gets the genesis patch: an object
/// with one entry per pallet, which overrides the default genesis.
pub fn write_chain_spec(chain: &str, folder: &Path, edit: impl FnOnce(&mut Value)) -> Result<PathBuf, LocalnetError> {
    let exported = Command::new(program("agora-node")?)
        .args(["export-chain-spec", "--chain", chain])
        .output()
        .map_err(LocalnetError::system("cannot start agora-node"))?;
    let unusable = |reason: String| LocalnetError::ChainSpec { reason };
    if !exported.status.success() {
        return Err(unusable(String::from_utf8_lossy(&exported.stderr).into_owned()));
    }
    let mut spec: Value = serde_json::from_slice(&exported.stdout).map_err(|error| unusable(error.to_string()))?;
    let genesis = spec
        .pointer_mut("/genesis/runtimeGenesis/patch")
        .ok_or_else(|| unusable("it has no genesis patch".to_owned()))?;
    edit(genesis);
    let path = folder.join("chain-spec.json");
    std::fs::write(&path, spec.to_string()).map_err(LocalnetError::system("cannot write the chain specification"))?;
    Ok(path)
}
