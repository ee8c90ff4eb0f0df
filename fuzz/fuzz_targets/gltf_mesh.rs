//! A glTF file, given as [`agora_fuzz::seeds::text`] says, as text and within a binary file: refused, or a mesh of which
//! scenes are made.

#![no_main]

use agora_fuzz::{meshes, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::gltf_meshes), |bytes: &[u8]| {
    let text = seeds::text(bytes, &seeds::GLTF);
    meshes::check_gltf(&text);
    meshes::check_gltf(&meshes::binary(&text));
});
