//! The numbers of a job, and bytes as its checkpoint: refused, or the one encoding of a state within its limits, from which
//! a step leads to another.

#![no_main]

use agora_fuzz::{networks, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::checkpoints), |bytes: &[u8]| {
    if let [hidden, momentum_shift, checkpoint @ ..] = bytes {
        networks::check_checkpoint(checkpoint, *hidden, *momentum_shift);
    }
});
