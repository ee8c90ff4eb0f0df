//! Bytes as a data set: refused, or the one encoding of images within their limits, with which a network is trained.

#![no_main]

use agora_fuzz::{networks, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::data_sets), |bytes: &[u8]| {
    networks::check_data(bytes);
});
