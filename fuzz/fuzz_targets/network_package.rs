//! A pixel, and bytes as a network's package: refused, or the one encoding of a network within its limits, which classifies
//! an image of such pixels.

#![no_main]

use agora_fuzz::{networks, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::networks), |bytes: &[u8]| {
    if let [pixel, package @ ..] = bytes {
        networks::check_network(package, *pixel);
    }
});
