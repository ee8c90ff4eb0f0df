//! Bytes as proofs of a leaf and of a leaf of a mountain range: nothing panics, and each is believed exactly where a second
//! implementation believes it.
//!
//! The bytes after the proofs are a script of [`agora_fuzz::edits`]: the same must hold after its edits.

#![no_main]

use agora_fuzz::{
    edits,
    proofs::{self, Unknown},
    seeds,
};
use codec::Decode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::merkle_proofs), |bytes: &[u8]| {
    let mut script = bytes;
    let Ok(unknown) = Unknown::decode(&mut script) else {
        return;
    };
    proofs::check_merkle(&unknown);
    if let Ok(edited) = Unknown::decode(&mut &edits::apply(unknown, script)[..]) {
        proofs::check_merkle(&edited);
    }
});
