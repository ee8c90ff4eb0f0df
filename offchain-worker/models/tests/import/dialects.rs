//! What is read right, however it is written.

use super::{assert_near, imported, refusal};
use crate::float_model::{
    FloatModel, WORDS, column_sums,
    dialect::{Dialect, Files, edit},
};
use proptest::prelude::*;
use safetensors::Dtype;
use serde_json::json;

/// A model whose floats half a word holds, so that it does not matter in what it is written.
fn coarse(seed: u64, dtype: Dtype) -> FloatModel {
    let mut model = FloatModel::random(seed);
    for (_, elements) in model.0.values_mut() {
        for element in elements {
            *element = match dtype {
                Dtype::F16 => half::f16::from_f32(*element).to_f32(),
                Dtype::BF16 => half::bf16::from_f32(*element).to_f32(),
                _ => *element,
            };
        }
    }
    model
}

proptest! {
    #![proptest_config(agora_test_support::cases(24))]

    #[test]
    fn every_dialect_of_a_model_gives_the_same_package(
        seed in 0u64..1000,
        prefix in prop::sample::select(vec!["", "bert.", "model.", "0.auto_model.", "auto_model.", "0.model.bert."]),
        dtype in prop::sample::select(vec![Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::F64]),
        is_old: bool, shards in 1usize..4, padding in 0usize..50, kinds in 1usize..3, has_heads: bool,
        leaves_out_defaults: bool,
    ) {
        let model = coarse(seed, dtype);
        let dialect = Dialect { prefix, dtype, is_old, shards, padding, kinds, has_heads };
        let mut files = dialect.files(&model);
        if leaves_out_defaults {
            edit(&mut files, "config.json", |config| {
                let config = config.as_object_mut().unwrap();
                config.remove("hidden_act");
                config.remove("layer_norm_eps");
                config.insert("position_embedding_type".to_owned(), json!(null));
            });
        }
        prop_assert_eq!(imported(&files), imported(&model.files()));
    }

    #[test]
    fn the_vectors_are_those_of_the_floats(seed in 0u64..1000) {
        let model = FloatModel::random(seed);
        assert_near(imported(&model.files()), &model, column_sums);
    }
}

#[test]
fn configurations_may_leave_out_what_bert_has_by_default() {
    let mut files = FloatModel::random(3).files();
    edit(&mut files, "config.json", |config| {
        config.as_object_mut().unwrap().remove("hidden_size");
    });
    let told = refusal(&files);
    assert!(told.contains("768"), "BERT's hidden_size: {told}");
    let mut files = FloatModel::random(3).files();
    edit(&mut files, "config.json", |config| {
        config.as_object_mut().unwrap().remove("vocab_size");
    });
    let told = refusal(&files);
    assert!(told.contains("30522"), "BERT's vocab_size: {told}");
}

#[test]
fn a_vocabulary_padded_in_the_configuration_too_is_read() {
    let model = FloatModel::random(3);
    let mut files = Dialect {
        padding: 17,
        ..Dialect::default()
    }
    .files(&model);
    edit(&mut files, "config.json", |config| {
        config["vocab_size"] = json!(WORDS + 17)
    });
    assert_near(imported(&files), &model, column_sums);
}

#[test]
fn tokens_that_were_added_behind_the_vocabulary_are_read_if_they_have_embeddings() {
    let model = FloatModel::random(3);
    let mut files = Dialect {
        padding: 1,
        ..Dialect::default()
    }
    .files(&model);
    let added = |files: &mut Files, id: usize| {
        edit(files, "tokenizer.json", |tokenizer| {
            tokenizer["added_tokens"] = json!([{"id": id, "content": "<new>", "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true}]);
        });
    };
    added(&mut files, WORDS);
    assert_near(imported(&files), &model, column_sums);
    let mut files = model.files();
    added(&mut files, WORDS);
    let told = refusal(&files);
    assert!(
        told.contains("\"<new>\" with the number 15") && told.contains("15 tokens"),
        "{told}"
    );
}

#[test]
fn other_activations_are_applied() {
    for (name, function) in [
        ("relu", (|x: f64| x.max(0.0)) as fn(f64) -> f64),
        ("gelu_new", |x| {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
        }),
    ] {
        let mut model = FloatModel::random(11);
        model.1 = function;
        let mut files = model.files();
        edit(&mut files, "config.json", |config| config["hidden_act"] = json!(name));
        assert_near(imported(&files), &model, column_sums);
    }
}

#[test]
fn an_encoder_in_a_folder_of_its_own_is_found() {
    let model = FloatModel::random(5);
    let files = model
        .files()
        .into_iter()
        .map(|(name, content)| (format!("0_Transformer/{name}"), content));
    let mut files: Files = files.collect();
    crate::float_model::dialect::add_modules(&mut files, &json!({}), &[]);
    edit(&mut files, "modules.json", |modules| {
        modules[0]["path"] = json!("0_Transformer")
    });
    assert_near(imported(&files), &model, column_sums);
}

#[test]
fn metadata_and_blanks_in_the_header_of_tensors_change_nothing_and_bytes_behind_the_tensors_are_told() {
    let files = FloatModel::random(5).files();
    let expected = imported(&files);
    let tensors = &files["model.safetensors"];
    let (length, rest) = tensors.split_first_chunk().unwrap();
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let written = |metadata: &serde_json::Value, blanks: usize, behind: &[u8]| {
        let mut header: serde_json::Value = serde_json::from_slice(header).unwrap();
        header["__metadata__"] = metadata.clone();
        let header = format!("{header}{}", " ".repeat(blanks));
        let length = (header.len() as u64).to_le_bytes();
        let mut files = files.clone();
        let content = [&length[..], header.as_bytes(), data, behind].concat();
        files.insert("model.safetensors".to_owned(), content);
        files
    };
    for metadata in [
        json!({}),
        json!({"format": "pt"}),
        json!({"format": "mlx", "other": ""}),
    ] {
        for blanks in [0, 1, 7, 100] {
            assert_eq!(
                imported(&written(&metadata, blanks, b"")),
                expected,
                "{metadata} {blanks}"
            );
        }
    }
    let told = refusal(&written(&json!({}), 0, &[0; 12]));
    assert!(
        told.starts_with("model.safetensors is damaged") && told.contains("12 bytes more"),
        "{told}"
    );
}
