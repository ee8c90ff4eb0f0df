//! Bytes as a header's digest and the proof of a result: nothing panics, the first compute root of the digest is found,
//! and the proof is believed exactly where a second implementation believes it.
//!
//! The bytes after the proof are a script of [`agora_fuzz::edits`]: the same must hold after its edits.

#![no_main]

use agora_fuzz::{
    edits,
    proofs::{self, Account},
    seeds,
};
use agora_primitives::results::ResultProof;
use codec::Decode;
use libfuzzer_sys::fuzz_target;
use sp_runtime::Digest;

type Input = (Digest, ResultProof<Account>);

fuzz_target!(init: seeds::plant(seeds::result_proofs), |bytes: &[u8]| {
    let mut script = bytes;
    let Ok(input) = Input::decode(&mut script) else {
        return;
    };
    proofs::check_result(&input.0, &input.1);
    if let Ok((digest, proof)) = Input::decode(&mut &edits::apply(input, script)[..]) {
        proofs::check_result(&digest, &proof);
    }
});
