//! Dense modules behind the pooling.

use super::{SENTENCES, assert_near, cosine, embed, imported, models, refusal};
use crate::float_model::{
    FloatModel, HIDDEN, column_sums,
    dense::{DENSE, Dense, IDENTITY, TANH},
    dialect::{Files, NORMALIZE, add_modules, edit, put},
    maxima, weighted_sums,
};
use agora_models::import_files;
use proptest::prelude::*;
use safetensors::Dtype;
use serde_json::{Value, json};

/// The files of `model` with `dense` behind a pooling of mode `pooling`, and a Normalize.
fn with(model: &FloatModel, pooling: &str, dense: &Dense) -> Files {
    let mut files = model.files();
    add_modules(&mut files, &json!({"pooling_mode": pooling}), &[DENSE, NORMALIZE]);
    dense.add(&mut files, "2_Dense");
    files
}

/// What the pooling of mode `mode` makes of the states of tokens.
fn pooled(mode: &str, rows: &[Vec<f64>]) -> Vec<f64> {
    let count = rows.len() as f64;
    match mode {
        "cls" => rows[0].clone(),
        "lasttoken" => rows[rows.len() - 1].clone(),
        "max" => maxima(rows),
        "weightedmean" => weighted_sums(rows)
            .into_iter()
            .map(|sum| sum / (count * (count + 1.0) / 2.0))
            .collect(),
        "mean_sqrt_len_tokens" => column_sums(rows).into_iter().map(|sum| sum / count.sqrt()).collect(),
        _ => column_sums(rows).into_iter().map(|sum| sum / count).collect(),
    }
}

/// The least cosine between the vectors of the floats and those of the package that is imported.
fn least_cosine(model: &FloatModel, pooling: &str, dense: &Dense) -> f64 {
    let vectors = embed(imported(&with(model, pooling, dense)), &SENTENCES);
    let cosines = SENTENCES.iter().zip(vectors).map(|(sentence, integers)| {
        assert_eq!(integers.0.len(), dense.weight.len());
        let squares: f64 = integers.0.iter().map(|&integer| f64::from(integer).powi(2)).sum();
        assert!((squares.sqrt() / 32_768.0 - 1.0).abs() < 1e-3, "{squares}");
        let states = model.states(&FloatModel::tokens(sentence));
        cosine(&dense.apply(&pooled(pooling, &states)), &integers)
    });
    cosines.fold(1.0, f64::min)
}

proptest! {
    #![proptest_config(agora_test_support::cases(40))]

    #[test]
    fn the_vectors_are_those_of_the_floats(
        seed in 0u64..100_000, outputs in 1usize..20, has_bias: bool,
        activation in prop::sample::select(vec![TANH, IDENTITY]),
        pooling in prop::sample::select(vec!["mean", "cls", "max", "lasttoken", "weightedmean"]),
        dtype in prop::sample::select(vec![Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::F64]),
        size in prop::sample::select(vec![0.01f32, 0.2, 1.0, 20.0]),
    ) {
        let model = FloatModel::random(seed);
        // Large weights before a tangent enlarge what the states differ by: an output near 0 may then have either sign.
        let size = if activation == TANH { size.min(1.0) } else { size };
        let mut dense = Dense { dtype, ..Dense::random(seed, 4 * outputs, has_bias, activation) };
        dense.weight.iter_mut().flatten().for_each(|weight| *weight *= size);
        let found = least_cosine(&model, pooling, &dense);
        prop_assert!(found > 0.995, "{} {} {:?}", found, pooling, dense);
    }
}

proptest! {
    #![proptest_config(agora_test_support::cases(100))]

    #[test]
    fn changed_files_are_refused_or_imported_without_a_panic(
        changes in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut files = with(&FloatModel::random(7), "weightedmean", &Dense::random(6, 8, true, TANH));
        for (is_tensor, index, byte) in changes {
            let name = if is_tensor { "2_Dense/model.safetensors" } else { "2_Dense/config.json" };
            let content = files.get_mut(name).unwrap();
            let at = index.index(content.len());
            content[at] = byte;
        }
        models::check_import(&files);
    }
}

#[test]
fn a_dense_without_a_normalize_is_read_too_and_dropouts_change_nothing() {
    let model = FloatModel::random(5);
    let dense = Dense::random(6, 8, true, TANH);
    let expected = imported(&with(&model, "cls", &dense));
    const DROPOUT: &str = "sentence_transformers.models.Dropout";
    for (others, place) in [(&[DENSE][..], 2), (&[DROPOUT, DENSE, DROPOUT], 3)] {
        let mut files = model.files();
        add_modules(&mut files, &json!({"pooling_mode": "cls"}), others);
        dense.add(&mut files, &format!("{place}_Dense"));
        let made = import_files(&files).unwrap();
        assert_eq!(made.package, expected);
        assert!(made.notes.join("\n").contains("no Normalize"), "{:?}", made.notes);
    }
}

#[test]
fn newer_names_and_settings_are_read() {
    let model = FloatModel::random(5);
    let dense = Dense::random(6, 8, true, TANH);
    let mut files = with(&model, "mean", &dense);
    edit(&mut files, "modules.json", |modules| {
        modules[2]["type"] = json!("sentence_transformers.base.modules.dense.Dense")
    });
    edit(&mut files, "2_Dense/config.json", |config| {
        config["module_input_name"] = json!("sentence_embedding");
        config["module_output_name"] = json!("sentence_embedding");
        config.as_object_mut().unwrap().remove("bias");
    });
    assert_eq!(imported(&files), imported(&with(&model, "mean", &dense)));
    edit(&mut files, "2_Dense/config.json", |config| {
        config["module_output_name"] = json!(null)
    });
    imported(&files);
}

#[test]
fn a_sum_over_the_root_of_the_length_is_a_mean_before_a_linear_dense_alone() {
    let model = FloatModel::random(9);
    let linear = Dense::random(3, 20, false, IDENTITY);
    assert!(least_cosine(&model, "mean_sqrt_len_tokens", &linear) > 0.995);
    for dense in [Dense::random(3, 20, true, IDENTITY), Dense::random(3, 20, false, TANH)] {
        let told = refusal(&with(&model, "mean_sqrt_len_tokens", &dense));
        assert!(
            told.starts_with("1_Pooling/config.json: mean_sqrt_len_tokens before a Dense"),
            "{told}"
        );
    }
}

#[test]
fn what_a_dense_says_that_is_not_supported_is_named() {
    let model = FloatModel::random(5);
    for (name, value, said) in [
        (
            "activation_function",
            json!("torch.nn.modules.activation.GELU"),
            "torch.nn.modules.activation.GELU",
        ),
        ("activation_function", json!(null), "without activation_function"),
        ("in_features", json!(768), "in_features 768"),
        ("in_features", json!(null), "without in_features"),
        ("out_features", json!(0), "out_features 0"),
        ("out_features", json!(10), "multiples of 4"),
        ("out_features", json!(16_388), "4 to 16384"),
        ("module_input_name", json!("token_embeddings"), "token_embeddings"),
        ("module_output_name", json!("token_embeddings"), "token_embeddings"),
        ("init_weight", json!([[1]]), "\"init_weight\""),
    ] {
        let mut files = with(&model, "mean", &Dense::random(6, 8, true, TANH));
        edit(&mut files, "2_Dense/config.json", |config| config[name] = value);
        let told = refusal(&files);
        assert!(
            told.starts_with("2_Dense/config.json: ") && told.contains(said),
            "{told}"
        );
        assert!(told.contains("not supported"), "{told}");
    }
}

#[test]
fn weights_that_are_not_those_of_the_configuration_are_refused() {
    let model = FloatModel::random(5);
    let dense = Dense::random(6, 8, true, TANH);
    let files = || with(&model, "mean", &dense);
    const TENSORS: &str = "2_Dense/model.safetensors";
    let with_bias = |has_bias: bool| {
        let mut files = files();
        edit(&mut files, "2_Dense/config.json", |config| {
            config["bias"] = json!(has_bias)
        });
        files
    };
    let told = refusal(&with_bias(false));
    assert!(told.starts_with(TENSORS) && told.contains("linear.bias"), "{told}");
    let mut none = with_bias(true);
    none.insert(
        TENSORS.to_owned(),
        Dense {
            bias: None,
            ..dense.clone()
        }
        .tensors(),
    );
    let told = refusal(&none);
    assert!(told.starts_with(TENSORS) && told.contains("linear.bias"), "{told}");
    let mut narrow = files();
    narrow.insert(TENSORS.to_owned(), Dense::random(6, 4, true, TANH).tensors());
    let told = refusal(&narrow);
    assert!(
        told.contains("linear.weight has the shape [4, 32], config.json says [8, 32]"),
        "{told}"
    );
    let mut broken = dense.clone();
    broken.weight[3][1] = f32::NAN;
    let told = refusal(&with(&model, "mean", &broken));
    assert!(told.starts_with(TENSORS) && told.contains("not finite"), "{told}");
    let mut cut = files();
    cut.get_mut(TENSORS).unwrap().truncate(300);
    assert!(refusal(&cut).contains("2_Dense/model.safetensors is cut off"));
    let mut pickled = files();
    pickled.remove(TENSORS);
    assert!(refusal(&pickled).contains("no 2_Dense/model.safetensors"));
    pickled.insert("2_Dense/pytorch_model.bin".to_owned(), vec![1]);
    let told = refusal(&pickled);
    assert!(
        told.starts_with("2_Dense/pytorch_model.bin: ") && told.contains("import SentenceTransformer"),
        "{told}"
    );
    let mut without = files();
    without.remove("2_Dense/config.json");
    assert!(refusal(&without).contains("no 2_Dense/config.json"));
}

#[test]
fn orders_of_modules_that_packages_do_not_have_are_named() {
    let model = FloatModel::random(5);
    for (others, said) in [
        (&[DENSE, DENSE][..], "a second Dense module, in place 3"),
        (&[NORMALIZE, DENSE], "a Normalize module in place 2, before the Dense"),
    ] {
        let mut files = model.files();
        add_modules(&mut files, &json!({}), others);
        let told = refusal(&files);
        assert!(told.starts_with("modules.json: ") && told.contains(said), "{told}");
    }
    let mut files = with(&model, "mean", &Dense::random(6, 8, true, TANH));
    edit(&mut files, "modules.json", |modules| {
        let Value::Array(modules) = modules else {
            panic!("a list")
        };
        modules.swap(1, 2);
    });
    assert!(refusal(&files).contains("Dense in place 1"));
}

#[test]
fn outputs_are_not_cut_however_large_the_weights_are() {
    // The states of such a model reach as far as its last normalisation lets them.
    for pooling in ["cls", "max"] {
        let mut model = FloatModel::random(12);
        for i in 0..HIDDEN {
            model.scale(
                "encoder.layer.1.output.LayerNorm.weight",
                i,
                if i == 7 { 4.0 } else { 1.0 },
            );
        }
        let mut dense = Dense::random(4, 16, true, IDENTITY);
        dense.weight[2].iter_mut().for_each(|weight| *weight *= 30.0);
        assert!(least_cosine(&model, pooling, &dense) > 0.995);
    }
}

#[test]
fn an_output_as_large_as_states_can_make_it_is_not_cut() {
    let mut model = FloatModel::random(12);
    for i in 0..HIDDEN {
        model.set("encoder.layer.1.output.LayerNorm.weight", i, 1.0);
        model.set("encoder.layer.1.output.LayerNorm.bias", i, 0.0);
    }
    // A row in the direction of a state, and one that is half of it.
    let state = model.states(&FloatModel::tokens(SENTENCES[0])).swap_remove(0);
    let mut dense = Dense::random(4, 16, false, IDENTITY);
    dense.weight[0] = state.iter().map(|&x| x as f32).collect();
    dense.weight[1] = state.iter().map(|&x| x as f32 / 2.0).collect();
    assert!(least_cosine(&model, "cls", &dense) > 0.995);
}

#[test]
fn a_bias_that_a_tangent_could_be_cut_by_is_refused() {
    let model = FloatModel::random(5);
    let mut dense = Dense::random(6, 8, true, TANH);
    for (bias, is_refused) in [(127.0, false), (-127.0, false), (130.0, true), (-130.0, true)] {
        dense.bias.as_mut().unwrap()[5] = bias;
        let made = import_files(&with(&model, "mean", &dense));
        assert_eq!(made.is_err(), is_refused, "{bias}");
        if let Err(error) = made {
            assert!(error.to_string().contains("2_Dense/linear"), "{error}");
        }
    }
    dense.activation = IDENTITY;
    assert_near(imported(&with(&model, "mean", &dense)), &model, |rows| {
        dense.apply(&pooled("mean", rows))
    });
}

#[test]
fn a_dense_that_is_named_is_not_overlooked_where_there_is_no_list() {
    let mut files = FloatModel::random(5).files();
    put(&mut files, "2_Dense/config.json", &json!({"in_features": 32}));
    assert!(refusal(&files).contains("2_Dense"));
}
