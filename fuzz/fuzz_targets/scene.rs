//! Bytes as a scene: refused, or the one encoding of a scene within its limits, which is rendered.

#![no_main]

use agora_fuzz::{scenes, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::scenes), |bytes: &[u8]| {
    scenes::check_scene(bytes);
});
