//! A transformer's package, given as [`agora_fuzz::packages`] says: refused, or the one encoding of a model within its
//! limits, which is applied.

#![no_main]

use agora_fuzz::{packages, seeds, transformers};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static MODEL: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(seeds::model);

fuzz_target!(init: seeds::plant(seeds::models), |bytes: &[u8]| {
    let (rest, tables) = &*MODEL;
    transformers::check_model(&packages::read(bytes, rest, tables));
});
