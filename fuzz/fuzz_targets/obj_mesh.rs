//! An OBJ file, given as [`agora_fuzz::seeds::text`] says: refused, or a mesh from which scenes are built.

#![no_main]

use agora_fuzz::{meshes, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::plant(seeds::obj_meshes), |bytes: &[u8]| {
    meshes::check_obj(&seeds::text(bytes, &seeds::OBJ));
});
