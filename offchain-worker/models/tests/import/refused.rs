//! What is refused, and what is said then: the file, what is wrong with it, and what to do.

use super::{imported, refusal};
use crate::float_model::{
    FloatModel, HIDDEN, WORDS,
    dialect::{Dialect, Files, edit, put},
};
use agora_models::{ImportError, import_files};
use safetensors::Dtype;
use serde_json::{Value, json};

fn files() -> Files {
    FloatModel::random(7).files()
}

/// What is said of a model whose `config.json` says something else.
fn configured(name: &str, value: Value) -> String {
    let mut files = files();
    edit(&mut files, "config.json", |config| config[name] = value);
    refusal(&files)
}

fn replaced(name: &str, content: &[u8]) -> ImportError {
    let mut files = files();
    files.insert(name.to_owned(), content.to_vec());
    import_files(&files).unwrap_err()
}

#[test]
fn other_kinds_of_models_are_named() {
    for (name, value, said) in [
        ("model_type", json!("llama"), "\"llama\""),
        ("model_type", json!("clip"), "\"clip\""),
        ("model_type", json!("xlm-roberta"), "\"xlm-roberta\""),
        ("model_type", json!(null), "without a model_type"),
        (
            "architectures",
            json!(["BertForSequenceClassification"]),
            "\"BertForSequenceClassification\"",
        ),
        ("architectures", json!(["BertLMHeadModel"]), "\"BertLMHeadModel\""),
        ("is_decoder", json!(true), "is_decoder"),
        ("add_cross_attention", json!(true), "add_cross_attention"),
        ("position_embedding_type", json!("relative_key"), "\"relative_key\""),
        ("hidden_act", json!("silu"), "\"silu\""),
        ("pruned_heads", json!({"0": [1]}), "pruned_heads"),
        ("auto_map", json!({"AutoModel": "modeling.Model"}), "auto_map"),
        ("quantization_config", json!({"bits": 4}), "quantization_config"),
        ("layer_norm_eps", json!(-1.0), "layer_norm_eps"),
    ] {
        let told = configured(name, value);
        assert!(told.starts_with("config.json: ") && told.contains(said), "{told}");
        assert!(told.contains("not supported"), "{told}");
    }
    for name in ["BertModel", "BertForMaskedLM", "BertForPreTraining"] {
        let mut files = files();
        edit(&mut files, "config.json", |config| {
            config["architectures"] = json!([name]);
            config["is_decoder"] = json!(false);
        });
        imported(&files);
    }
}

#[test]
fn sizes_out_of_bounds_and_of_other_models_are_refused() {
    let configured = |name: &str, value: Value| {
        let mut files = files();
        edit(&mut files, "config.json", |config| config[name] = value);
        import_files(&files).unwrap_err()
    };
    for (name, value) in [
        ("hidden_size", json!(0)),
        ("hidden_size", json!(4_000_000_000u32)),
        ("vocab_size", json!(65_537)),
        ("type_vocab_size", json!(0)),
    ] {
        let error = configured(name, value);
        assert!(
            matches!(error, ImportError::Size { what, .. } if what == name),
            "{error}"
        );
    }
    assert!(matches!(
        configured("hidden_size", json!(33)),
        ImportError::Heads { .. }
    ));
    assert!(matches!(
        configured("hidden_size", json!(2 * HIDDEN)),
        ImportError::Shape { .. }
    ));
    assert!(matches!(
        configured("vocab_size", json!(WORDS + 1)),
        ImportError::Shape { .. }
    ));
    let missing = configured("num_hidden_layers", json!(3));
    assert!(
        missing
            .to_string()
            .contains("encoder.layer.2.attention.self.query.weight"),
        "{missing}"
    );
    let unused = configured("num_hidden_layers", json!(1));
    assert!(
        matches!(&unused, ImportError::Unused { tensor, .. } if tensor.starts_with("encoder.layer.1.")),
        "{unused}"
    );
    assert!(matches!(
        configured("num_hidden_layers", json!(-1)),
        ImportError::Json { .. }
    ));
}

#[test]
fn the_folder_of_a_cache_is_told_from_that_of_a_model() {
    let inside: Files = files()
        .into_iter()
        .map(|(name, content)| (format!("snapshots/c9745ed1/{name}"), content))
        .collect();
    let told = refusal(&inside);
    assert!(
        told.contains("config.json") && told.contains("its folder snapshots"),
        "{told}"
    );
    let told = refusal(&Files::new());
    assert!(
        told.contains("config.json") && told.contains("the whole model"),
        "{told}"
    );
}

#[test]
fn files_that_did_not_arrive_say_what_to_do() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:53aa5117\nsize 90868376\n";
    let page = b"<!DOCTYPE html>\n<html><body>404</body></html>";
    for name in ["model.safetensors", "tokenizer.json", "config.json"] {
        let told = replaced(name, pointer).to_string();
        assert!(told.contains(name) && told.contains("git lfs pull"), "{told}");
        let told = replaced(name, page).to_string();
        assert!(told.contains(name) && told.contains("web page"), "{told}");
        let told = replaced(name, b"").to_string();
        assert!(
            told.contains(name) && told.contains("cut off") && told.contains("download it again"),
            "{told}"
        );
    }
    let whole = files().remove("model.safetensors").unwrap();
    for length in [4, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        let error = replaced("model.safetensors", &whole[..length]);
        assert!(
            matches!(&error, ImportError::CutOff { found, .. } if *found == length as u64),
            "{length}: {error}"
        );
        if length > 4000 {
            assert!(error.to_string().contains(&format!("needs {}", whole.len())), "{error}");
        }
    }
    assert!(matches!(
        replaced("config.json", b"{\"model_type\":"),
        ImportError::CutOff { .. }
    ));
    assert!(matches!(replaced("config.json", b"{]"), ImportError::Json { .. }));
    assert!(matches!(replaced("tokenizer.json", b"{}"), ImportError::Tokenizer(_)));
    // A header of 2⁶³ bytes, and bytes behind the end.
    let mut huge = whole.clone();
    huge[7] = 0x80;
    assert!(matches!(
        replaced("model.safetensors", &huge),
        ImportError::Damaged { .. }
    ));
    let longer = [&whole[..], b"more"].concat();
    assert!(matches!(
        replaced("model.safetensors", &longer),
        ImportError::Damaged { .. }
    ));
}

#[test]
fn other_formats_say_how_to_convert_them() {
    for other in [
        "pytorch_model.bin",
        "tf_model.h5",
        "flax_model.msgpack",
        "model.Q8_0.gguf",
        "onnx/model.onnx",
    ] {
        let mut files = files();
        let tensors = files.remove("model.safetensors").unwrap();
        files.insert(other.to_owned(), tensors);
        let told = refusal(&files);
        let name = other.split('/').next().unwrap();
        assert!(
            told.starts_with(&format!("{name}: ")) && told.contains("save_pretrained"),
            "{told}"
        );
    }
    for (name, remedy) in [
        ("model.safetensors", "weights"),
        ("tokenizer.json", "AutoTokenizer"),
        ("config.json", "whole model"),
    ] {
        let mut files = files();
        files.remove(name);
        let told = refusal(&files);
        assert!(told.contains(&format!("no {name}")) && told.contains(remedy), "{told}");
    }
    let mut files = files();
    put(&mut files, "adapter_config.json", &json!({"peft_type": "LORA"}));
    assert!(refusal(&files).contains("merge_and_unload"));
}

#[test]
fn shards_are_all_needed_and_beside_the_index() {
    let sharded = Dialect {
        shards: 3,
        ..Dialect::default()
    }
    .files(&FloatModel::random(7));
    let second = "model-00002-of-00003.safetensors";
    let mut files = sharded.clone();
    files.remove(second);
    assert!(refusal(&files).contains(&format!("no {second}")));
    let mut files = sharded.clone();
    files.insert(
        second.to_owned(),
        b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
    );
    let told = refusal(&files);
    assert!(told.contains(second) && told.contains("git lfs"), "{told}");
    let mut files = sharded.clone();
    edit(&mut files, "model.safetensors.index.json", |index| {
        index["weight_map"]["embeddings.LayerNorm.bias"] = json!("../elsewhere.safetensors");
    });
    assert!(refusal(&files).contains("beside the index"));
    let mut files = sharded;
    let first = files["model-00001-of-00003.safetensors"].clone();
    files.insert(second.to_owned(), first);
    assert!(refusal(&files).contains("in another file too"));
}

#[test]
fn tensors_that_would_be_left_out_or_cannot_be_read_are_named() {
    let model = FloatModel::random(7);
    for name in [
        "classifier.weight",
        "encoder.layer.0.attention.self.query.lora_A.weight",
        "embeddings.LayerNorm.gamma",
    ] {
        let mut with = FloatModel::random(7);
        with.0.insert(name.to_owned(), (vec![HIDDEN], vec![0.5; HIDDEN]));
        let told = refusal(&with.files());
        assert!(
            told.contains(&format!("model.safetensors has the tensor {name},")),
            "{told}"
        );
    }
    let mut two = FloatModel::random(7);
    for (name, tensor) in model.0 {
        two.0.insert(format!("teacher.{name}"), tensor);
    }
    assert!(refusal(&two.files()).contains("more than one encoder"));
    let bytes = Dialect {
        dtype: Dtype::I8,
        ..Dialect::default()
    }
    .files(&FloatModel::random(7));
    let told = refusal(&bytes);
    assert!(
        told.contains("is of type I8") && told.contains("model.float()"),
        "{told}"
    );
}

#[test]
fn weights_that_are_not_finite_or_too_large_are_refused() {
    let name = "encoder.layer.1.output.dense.weight";
    for weight in [f32::NAN, f32::INFINITY] {
        let mut model = FloatModel::random(7);
        model.set(name, 5, weight);
        let told = refusal(&model.files());
        assert!(told.contains(name) && told.contains("not finite"), "{told}");
    }
    // In a row that would be left out.
    let mut model = FloatModel::random(7);
    model.set("embeddings.position_embeddings.weight", 19 * HIDDEN, f32::NAN);
    let mut files = model.files();
    edit(&mut files, "config.json", |config| {
        config["max_position_embeddings"] = json!(10)
    });
    assert!(refusal(&files).contains("not finite"));
    let mut model = FloatModel::random(7);
    model.set(name, 5, f32::MAX);
    assert!(matches!(import_files(&model.files()), Err(ImportError::TooCoarse(_))));
}

#[test]
fn a_normalisation_with_an_extreme_weight_is_read_right_or_refused() {
    for norm in [
        "embeddings.LayerNorm",
        "encoder.layer.0.attention.output.LayerNorm",
        "encoder.layer.0.output.LayerNorm",
    ] {
        for factor in [50.0, 400.0, 40_000.0] {
            let mut model = FloatModel::random(7);
            model.scale(&format!("{norm}.weight"), 3, factor);
            match import_files(&model.files()) {
                Err(ImportError::Inaccurate { cosine, reason, .. }) => {
                    assert!(cosine < 0.95, "{cosine}");
                    assert!(
                        reason.is_some_and(|reason| reason.contains("LayerNorm")),
                        "{norm} {factor}"
                    );
                }
                Err(ImportError::OutOfReach { norm: named, most, .. }) => {
                    assert!(most > 512.0 && named == norm, "{norm} {factor}: {named}");
                }
                Err(other) => panic!("{other}"),
                Ok(imported) => {
                    for (sentence, found) in super::SENTENCES
                        .iter()
                        .zip(super::embed(imported.package, &super::SENTENCES))
                    {
                        let cosine = super::cosine(&model.embed(&FloatModel::tokens(sentence)), &found);
                        assert!(cosine > 0.9, "{norm} {factor}: {cosine}");
                    }
                }
            }
        }
    }
}
