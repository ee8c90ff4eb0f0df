//! What sentence-transformers does around an encoder.

use super::{assert_near, imported, refusal};
use crate::float_model::{
    FloatModel, HIDDEN, column_sums,
    dialect::{Files, NORMALIZE, add_modules, edit, put},
    maxima, weighted_sums,
};
use agora_models::import_files;
use serde_json::{Value, json};

fn with_pooling(model: &FloatModel, pooling: &Value) -> Files {
    let mut files = model.files();
    add_modules(&mut files, pooling, &[NORMALIZE]);
    files
}

#[test]
fn each_pooling_gives_the_vectors_of_the_floats_in_the_old_words_and_the_new() {
    let model = FloatModel::random(21);
    let first = |rows: &[Vec<f64>]| rows[0].clone();
    let last = |rows: &[Vec<f64>]| rows[rows.len() - 1].clone();
    type Pool<'a> = &'a dyn Fn(&[Vec<f64>]) -> Vec<f64>;
    let poolings: [(&str, &str, Pool<'_>); 6] = [
        ("pooling_mode_mean_tokens", "mean", &column_sums),
        (
            "pooling_mode_mean_sqrt_len_tokens",
            "mean_sqrt_len_tokens",
            &column_sums,
        ),
        ("pooling_mode_cls_token", "cls", &first),
        ("pooling_mode_max_tokens", "max", &maxima),
        ("pooling_mode_lasttoken", "lasttoken", &last),
        ("pooling_mode_weightedmean_tokens", "weightedmean", &weighted_sums),
    ];
    for (old, new, floats) in poolings {
        let mut config = json!({"word_embedding_dimension": HIDDEN, "pooling_mode_mean_tokens": false,
            "pooling_mode_cls_token": false, "include_prompt": true});
        config[old] = json!(true);
        assert_near(imported(&with_pooling(&model, &config)), &model, floats);
        for mode in [json!(new), json!([new])] {
            let config = json!({"embedding_dimension": HIDDEN, "pooling_mode": mode, "include_prompt": true});
            assert_near(imported(&with_pooling(&model, &config)), &model, floats);
        }
    }
    assert_near(imported(&with_pooling(&model, &json!({}))), &model, column_sums);
}

#[test]
fn poolings_that_are_not_supported_are_named() {
    let model = FloatModel::random(21);
    for (config, said) in [
        (json!({"pooling_mode": "attention"}), "\"attention\""),
        (
            json!({"pooling_mode": ["weightedmean", "max"]}),
            "several poolings at once (weightedmean, max)",
        ),
        (
            json!({"pooling_mode": ["cls", "mean"]}),
            "several poolings at once (cls, mean)",
        ),
        (
            json!({"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true}),
            "several poolings at once (cls, max)",
        ),
        (json!({"embedding_dimension": 768}), "the embedding_dimension 768"),
        (json!({"gem_power": 3}), "\"gem_power\""),
    ] {
        let told = refusal(&with_pooling(&model, &config));
        assert!(
            told.starts_with("1_Pooling/config.json: ") && told.contains(said),
            "{told}"
        );
        assert!(told.contains("not supported"), "{told}");
    }
}

#[test]
fn modules_that_are_not_supported_are_named() {
    let model = FloatModel::random(21);
    for class in [
        "sentence_transformers.models.LayerNorm",
        "custom_code.Dense",
        "sentence_transformers.models.CNN",
        "sentence_transformers.models.WeightedLayerPooling",
        "custom_code.Normalize",
    ] {
        let mut files = model.files();
        add_modules(&mut files, &json!({}), &[class]);
        let told = refusal(&files);
        assert!(told.starts_with("modules.json: ") && told.contains(class), "{told}");
    }
    for first in [
        "sentence_transformers.models.CLIPModel",
        "sentence_transformers.models.WordEmbeddings",
    ] {
        let mut files = model.files();
        add_modules(&mut files, &json!({}), &[]);
        edit(&mut files, "modules.json", |modules| modules[0]["type"] = json!(first));
        assert!(refusal(&files).contains(first));
    }
    let mut files = model.files();
    add_modules(&mut files, &json!({}), &["sentence_transformers.models.Pooling"]);
    assert!(refusal(&files).contains("in place 2"));
    let mut files = model.files();
    put(&mut files, "modules.json", &json!([]));
    assert!(refusal(&files).contains("without modules"));
    let mut files = model.files();
    let only = json!([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]);
    put(&mut files, "modules.json", &only);
    assert!(refusal(&files).contains("without a Pooling"));
    let mut files = model.files();
    add_modules(&mut files, &json!({}), &[]);
    edit(&mut files, "modules.json", |modules| {
        modules[1]["path"] = json!("../elsewhere")
    });
    assert!(refusal(&files).contains("\"../elsewhere\""));
}

#[test]
fn newer_names_of_modules_and_their_defaults_are_read() {
    let model = FloatModel::random(21);
    let mut files = model.files();
    add_modules(
        &mut files,
        &json!({"embedding_dimension": HIDDEN, "pooling_mode": "cls", "include_prompt": true}),
        &[],
    );
    edit(&mut files, "modules.json", |modules| {
        modules[0]["type"] = json!("sentence_transformers.base.modules.transformer.Transformer");
        modules[1]["type"] = json!("sentence_transformers.sentence_transformer.modules.pooling.Pooling");
    });
    put(
        &mut files,
        "sentence_bert_config.json",
        &json!({"transformer_task": "feature-extraction", "module_output_name": "token_embeddings",
            "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}}),
    );
    put(
        &mut files,
        "config_sentence_transformers.json",
        &json!({"model_type": "SentenceTransformer", "__version__": {"sentence_transformers": "6.2.0"},
            "requirements": {"sentence-transformers": ">=6.0"},
            "prompts": {"query": "", "document": ""}, "default_prompt_name": null, "similarity_fn_name": "cosine"}),
    );
    assert_near(imported(&files), &model, |rows| rows[0].clone());
}

#[test]
fn a_folder_of_a_module_without_modules_json_is_not_overlooked() {
    let mut files = FloatModel::random(21).files();
    put(&mut files, "1_Pooling/config.json", &json!({"pooling_mode": "cls"}));
    let told = refusal(&files);
    assert!(told.contains("no modules.json") && told.contains("1_Pooling"), "{told}");
}

#[test]
fn what_is_other_than_some_expect_is_noted() {
    let model = FloatModel::random(21);
    let notes = |files: &Files| import_files(files).unwrap().notes.join("\n");
    assert!(notes(&model.files()).contains("no modules.json"));
    let mut files = model.files();
    add_modules(&mut files, &json!({}), &[]);
    assert!(notes(&files).contains("no Normalize"));
    add_modules(&mut files, &json!({}), &[NORMALIZE]);
    assert_eq!(notes(&files), "");
}

#[test]
fn a_normalize_module_scales_the_vector_of_the_sentence_and_nothing_else() {
    let model = FloatModel::random(21);
    let mut files = model.files();
    add_modules(&mut files, &json!({}), &[NORMALIZE]);
    let of_the_sentence =
        json!({"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"});
    for settings in [json!({}), of_the_sentence] {
        put(&mut files, "2_Normalize/config.json", &settings);
        assert_eq!(import_files(&files).unwrap().notes, [""; 0]);
    }
    for (name, value) in [
        ("module_input_name", "token_embeddings"),
        ("module_output_name", "token_embeddings"),
        ("p", "1"),
    ] {
        put(&mut files, "2_Normalize/config.json", &json!({name: value}));
        let told = refusal(&files);
        assert!(
            told.starts_with("2_Normalize/config.json: ") && told.contains(name),
            "{told}"
        );
    }
    // In the model's own folder that name is the encoder's.
    let mut files = model.files();
    add_modules(&mut files, &json!({}), &[NORMALIZE]);
    edit(&mut files, "modules.json", |modules| modules[2]["path"] = json!(""));
    imported(&files);
}

#[test]
fn how_the_floats_are_loaded_changes_nothing() {
    let mut files = FloatModel::random(21).files();
    let arguments = json!({"torch_dtype": "bfloat16", "attn_implementation": "sdpa", "add_pooling_layer": false,
        "use_safetensors": true, "low_cpu_mem_usage": true});
    put(
        &mut files,
        "sentence_bert_config.json",
        &json!({"model_args": arguments}),
    );
    imported(&files);
}

#[test]
fn lengths_that_jobs_do_not_give_are_refused_where_they_matter() {
    let mut files = FloatModel::random(21).files();
    add_modules(&mut files, &json!({}), &[]);
    for name in ["dot", "euclidean"] {
        put(
            &mut files,
            "config_sentence_transformers.json",
            &json!({"similarity_fn_name": name}),
        );
        let told = refusal(&files);
        assert!(told.contains(name) && told.contains("Normalize"), "{told}");
    }
    add_modules(&mut files, &json!({}), &[NORMALIZE]);
    imported(&files);
}

#[test]
fn settings_of_the_transformer_are_read_or_refused() {
    let model = FloatModel::random(21);
    for (name, settings, said) in [
        (
            "sentence_bert_config.json",
            json!({"transformer_task": "fill-mask"}),
            "transformer_task",
        ),
        (
            "sentence_bert_config.json",
            json!({"module_output_name": "other"}),
            "module_output_name",
        ),
        (
            "sentence_bert_config.json",
            json!({"modality_config": {"text": {"method": "forward", "method_output_name": "pooler_output"}}}),
            "pooler_output",
        ),
        (
            "sentence_bert_config.json",
            json!({"tokenizer_args": {"do_lower_case": true}}),
            "tokenizer_args",
        ),
        (
            "sentence_bert_config.json",
            json!({"model_args": {"output_attentions": true}}),
            "output_attentions",
        ),
        (
            "sentence_bert_config.json",
            json!({"processing_kwargs": {"text": {"max_length": 3}}}),
            "processing_kwargs",
        ),
        ("sentence_roberta_config.json", json!({"new": 1}), "\"new\""),
        (
            "config_sentence_transformers.json",
            json!({"model_type": "SparseEncoder"}),
            "SparseEncoder",
        ),
        (
            "config_sentence_transformers.json",
            json!({"truncate_dim": 64}),
            "truncate_dim",
        ),
        (
            "config_sentence_transformers.json",
            json!({"prompts": {"a": "A"}, "default_prompt_name": "b"}),
            "\"b\"",
        ),
        (
            "tokenizer_config.json",
            json!({"truncation_side": "left"}),
            "truncation_side",
        ),
        (
            "tokenizer_config.json",
            json!({"do_lower_case": false}),
            "do_lower_case false",
        ),
    ] {
        let mut files = model.files();
        put(&mut files, name, &settings);
        let told = refusal(&files);
        assert!(told.starts_with(&format!("{name}: ")) && told.contains(said), "{told}");
    }
}
