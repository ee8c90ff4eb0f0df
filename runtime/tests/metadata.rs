//! The metadata that clients are built from is this runtime's.

use agora_runtime::Runtime;
use sp_io::TestExternalities;
use std::{env, fs, path::PathBuf};

/// The version of the format: the first that knows view functions, and the newest that nodes serve and clients read.
const METADATA_VERSION: u32 = 16;

#[test]
fn the_checked_in_metadata_is_this_runtimes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../offchain-worker/chain/metadata.scale");
    // Some constants are read from state: those of a chain whose genesis says nothing of them.
    let built = TestExternalities::default()
        .execute_with(|| Runtime::metadata_at_version(METADATA_VERSION))
        .map(|metadata| (*metadata).clone())
        .expect("the runtime knows this version");
    if env::var_os("AGORA_BLESS").is_some_and(|bless| bless == "1") {
        fs::write(&path, &built).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        return;
    }
    let kept = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    assert!(
        kept == built,
        "offchain-worker/chain/metadata.scale is not this runtime's metadata ({} bytes, built {}). If the change is meant, \
         run: AGORA_BLESS=1 cargo test -p agora-runtime --test metadata",
        kept.len(),
        built.len(),
    );
}
