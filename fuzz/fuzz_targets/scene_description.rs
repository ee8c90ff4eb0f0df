//! The description of a scene, given as [`agora_fuzz::seeds::text`] says: refused, or what can be written and read again, and
//! of which a scene is made.

#![no_main]

use agora_fuzz::{meshes, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::descriptions), |bytes: &[u8]| {
    meshes::check_description(&seeds::text(bytes, &seeds::DESCRIPTIONS));
});
