//! The files of a float model, changed as [`agora_fuzz::float_model`] says: refused, or imported as a model within its limits,
//! which is applied and takes texts; and refused in any case if it has a number that is not finite.

#![no_main]

use agora_fuzz::{
    float_model::{self, FloatModel},
    models, seeds,
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static MODELS: LazyLock<Vec<FloatModel>> = LazyLock::new(float_model::models);

fuzz_target!(init: seeds::plant(seeds::float_models), |bytes: &[u8]| {
    let edited = float_model::edited(&MODELS, bytes);
    let package = models::check_import(&edited.files);
    assert!(package.is_none() || !edited.is_infinite);
});
