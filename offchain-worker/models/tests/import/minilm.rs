//! A model that many people use.

use super::embed;
use crate::float_model::dialect::{Files, NORMALIZE, add_modules};
use agora_models::{import, import_files};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

fn folder() -> PathBuf {
    agora_test_support::minilm()
}

fn files(pooling: &Value) -> Files {
    let mut files = Files::new();
    for name in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "sentence_bert_config.json",
    ] {
        files.insert(name.to_owned(), fs::read(folder().join(name)).unwrap());
    }
    add_modules(&mut files, pooling, &[NORMALIZE]);
    files
}

#[test]
fn minilm_gives_the_embedding_that_everybody_gets() {
    let imported = import(&folder()).unwrap();
    assert!(imported.accuracy > 0.98, "{}", imported.accuracy);
    let embeddings = embed(
        imported.package,
        &[
            "This is an example sentence",
            "That is a sample phrase",
            "Cats chase mice",
        ],
    );
    // As the model's page and every float implementation give it.
    let expected = [0.067_66, 0.063_50, 0.048_71, 0.079_30, 0.037_45];
    for (found, expected) in embeddings[0].to_floats().into_iter().zip(expected) {
        assert!((found - expected).abs() < 0.01, "{found} {expected}");
    }
    assert!(embeddings[0].cosine(&embeddings[1]) > embeddings[0].cosine(&embeddings[2]) + 0.3);
}

/// The cosines of sentences 0 and 2 of a file of hard texts, as sentence-transformers gives them.
#[test]
fn minilm_with_the_pooling_of_another_model_gives_that_models_cosines() {
    let sentences = [
        "The quick brown fox jumps over the lazy dog.",
        "The stock market fell sharply on Monday.",
    ];
    for (pooling, expected) in [
        (json!({"pooling_mode_mean_tokens": true}), 0.1509),
        (json!({"pooling_mode": "cls"}), 0.5719),
    ] {
        let package = import_files(&files(&pooling)).unwrap().package;
        let [first, second] = embed(package, &sentences).try_into().unwrap();
        let found = first.cosine(&second);
        assert!((found - expected).abs() < 0.02, "{pooling}: {found}, {expected}");
    }
}

/// Multiplies element `at` of the tensor `name` in a safetensors file.
fn scale(file: &mut [u8], name: &str, at: usize, factor: f32) {
    let header = u64::from_le_bytes(*file.first_chunk().unwrap()) as usize;
    let parsed: Value = serde_json::from_slice(&file[8..8 + header]).unwrap();
    let offset = parsed[name]["data_offsets"][0].as_u64().unwrap() as usize;
    let place = 8 + header + offset + 4 * at;
    let element = f32::from_le_bytes(*file[place..].first_chunk().unwrap()) * factor;
    file[place..place + 4].copy_from_slice(&element.to_le_bytes());
}

#[test]
fn minilm_with_an_extreme_weight_of_a_normalisation_is_refused_by_its_name() {
    for norm in [
        "encoder.layer.0.output.LayerNorm",
        "encoder.layer.3.attention.output.LayerNorm",
    ] {
        let mut files = files(&json!({}));
        scale(
            files.get_mut("model.safetensors").unwrap(),
            &format!("{norm}.weight"),
            5,
            400.0,
        );
        let refused = import_files(&files).unwrap_err().to_string();
        assert!(refused.contains("states reach") && refused.contains(norm), "{refused}");
    }
}
