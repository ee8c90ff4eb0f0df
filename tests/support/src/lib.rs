//! What tests of several crates share: how many cases a property is tried with, where the model of the tests is, and a bad
//! network.

#![deny(missing_docs)]

pub mod proxy;

use proptest::test_runner::Config;
use std::{env, path::PathBuf};

/// The settings of a property that is tried with `count` cases in `make test`: a few seconds at most.
///
/// `AGORA_TEST_FACTOR`, a whole number, multiplies the cases; `make test-long` sets it.
pub fn cases(count: u32) -> Config {
    let factor = env::var("AGORA_TEST_FACTOR").map_or(1, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("AGORA_TEST_FACTOR is a whole number, not {text:?}"))
    });
    Config::with_cases(count.saturating_mul(factor))
}

/// The folder with all-MiniLM-L6-v2 that `scripts/fetch-minilm.sh` filled: `AGORA_MINILM`, or where `make test` keeps it.
pub fn minilm() -> PathBuf {
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
