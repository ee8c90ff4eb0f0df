//! The states of a job, and changes to the opening of one of them: the true opening is believed, and a changed one is not.
//!
//! The input: number of states (up to 63) of whose digests a fourth are the same, number of the state that is opened, and
//! the script of [`agora_fuzz::edits`].

#![no_main]

use agora_fuzz::{edits, proofs};
use agora_primitives::job::H256;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [states, index, script @ ..] = bytes else {
        return;
    };
    let digests: Vec<H256> = (0..states % 64).map(|state| H256::repeat_byte(state.max(16))).collect();
    proofs::check_state(&digests, (*index).into(), |opened| edits::apply(opened, script));
});
