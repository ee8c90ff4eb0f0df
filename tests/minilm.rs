//! Where the tests find all-MiniLM-L6-v2; a module of those that need it.

use std::{env, path::PathBuf};

/// The folder that `scripts/fetch-minilm.sh` filled: `AGORA_MINILM`, or where `make test` keeps it.
pub fn folder() -> PathBuf {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".cache/agora/minilm"));
    let folder = env::var_os("AGORA_MINILM").map(PathBuf::from).or_else(home);
    let folder = folder.expect("AGORA_MINILM or HOME says where the model is");
    assert!(
        folder.join("model.safetensors").is_file(),
        "there is no all-MiniLM-L6-v2 in {0}; `make minilm`, or `scripts/fetch-minilm.sh {0}`, fetches it",
        folder.display()
    );
    folder
}
