//! Importing: a small random model against its floats, and everything that is refused.

mod float_model;
#[path = "../../../fuzz/src/models.rs"]
mod models;
#[path = "../../../fuzz/src/running.rs"]
mod running;
#[path = "../../../fuzz/src/transformers.rs"]
mod transformers;

use agora_compute::{CancelFlag, CpuEngine, Engine, MemoryInputs, NoProgress};
use agora_models::{Embedder, Embedding, ImportError, ModelFiles, import};
use float_model::{FloatModel, HIDDEN, WORDS};
use proptest::prelude::*;
use std::{fs, path::Path};
use tempfile::TempDir;

/// A directory with a small random model.
fn directory(model: &FloatModel) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    model.write(directory.path());
    directory
}

fn embed(package: Vec<u8>, sentences: &[&str]) -> Vec<Embedding> {
    let embedder = Embedder::new(package).unwrap();
    let made = embedder.job(sentences).unwrap();
    let mut inputs = MemoryInputs::new();
    inputs.insert(embedder.package().clone());
    inputs.insert(made.input);
    let computation = CpuEngine::new()
        .run(&made.job, &inputs, &NoProgress, &CancelFlag::new())
        .unwrap();
    embedder.embeddings(&computation.output).unwrap()
}

#[test]
fn integers_are_near_to_the_floats() {
    let model = FloatModel::random(7);
    let package = import(directory(&model).path()).unwrap();
    let sentences = [
        "one two three",
        "nine",
        "Eight seven six five four three two one",
        "one unknown word",
    ];
    for (sentence, embedding) in sentences.iter().zip(embed(package, &sentences)) {
        let floats = model.embed(&FloatModel::tokens(sentence));
        let dot: f64 = floats
            .iter()
            .zip(&embedding.0)
            .map(|(float, &integer)| float * f64::from(integer))
            .sum();
        let length = embedding
            .0
            .iter()
            .map(|&integer| f64::from(integer).powi(2))
            .sum::<f64>()
            .sqrt();
        assert!((length / 32_768.0 - 1.0).abs() < 1e-3, "{length}");
        assert!(dot / length > 0.995, "{sentence}: {}", dot / length);
    }
}

#[test]
fn the_same_model_gives_the_same_package() {
    let model = FloatModel::random(7);
    let packages = [0, 1].map(|_| import(directory(&model).path()).unwrap());
    assert_eq!(packages[0], packages[1]);
    assert_ne!(packages[0], import(directory(&FloatModel::random(8)).path()).unwrap());
}

#[test]
fn sentences_are_cut_to_what_the_model_can_take() {
    let package = import(directory(&FloatModel::random(7)).path()).unwrap();
    let embedder = Embedder::new(package).unwrap();
    let long = "one ".repeat(100);
    // [CLS], the words, [SEP].
    assert_eq!(embedder.tokens(&long).unwrap().len(), 20);
    assert_eq!(embedder.tokens("ONE two").unwrap(), FloatModel::tokens("one two"));
    assert!(embedder.job::<&str>(&[]).is_err());
    assert!(embedder.embeddings(&[0; 3]).is_err());
}

fn change_config(directory: &Path, from: &str, to: &str) {
    let path = directory.join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn other_configurations_are_refused() {
    let model = FloatModel::random(7);
    let refused = |from: &str, to: &str| {
        let directory = directory(&model);
        change_config(directory.path(), from, to);
        import(directory.path()).unwrap_err()
    };
    assert!(matches!(
        refused("\"bert\"", "\"llama\""),
        ImportError::Unsupported { .. }
    ));
    assert!(matches!(
        refused("\"gelu\"", "\"relu\""),
        ImportError::Unsupported { .. }
    ));
    let hidden = format!("\"hidden_size\":{HIDDEN}");
    assert!(matches!(
        refused(&hidden, "\"hidden_size\":0"),
        ImportError::Size { found: 0, .. }
    ));
    assert!(matches!(
        refused(&hidden, "\"hidden_size\":4000000000"),
        ImportError::Size { .. }
    ));
    assert!(matches!(
        refused(&hidden, "\"hidden_size\":33"),
        ImportError::Heads { .. }
    ));
    assert!(matches!(
        refused(&hidden, "\"hidden_size\":64"),
        ImportError::Shape { .. }
    ));
    let layers = "\"num_hidden_layers\":2";
    assert!(matches!(
        refused(layers, "\"num_hidden_layers\":3"),
        ImportError::Tensors(_)
    ));
    assert!(matches!(
        refused(layers, "\"num_hidden_layers\":-1"),
        ImportError::Json { .. }
    ));
    let words = format!("\"vocab_size\":{WORDS}");
    assert!(matches!(
        refused(&words, "\"vocab_size\":65537"),
        ImportError::Size { .. }
    ));
}

#[test]
fn damaged_files_are_refused() {
    let model = FloatModel::random(7);
    let with = |name: &str, content: &[u8]| {
        let directory = directory(&model);
        fs::write(directory.path().join(name), content).unwrap();
        import(directory.path()).unwrap_err()
    };
    assert!(matches!(with("tokenizer.json", b"{}"), ImportError::Tokenizer(_)));
    assert!(matches!(with("config.json", b"{"), ImportError::Json { .. }));
    let tensors = model.safetensors();
    for length in [0, 4, 7, 8, 100, tensors.len() - 1] {
        assert!(
            matches!(with("model.safetensors", &tensors[..length]), ImportError::Tensors(_)),
            "{length}"
        );
    }
    // A header of 2⁶³ bytes.
    let mut huge = tensors.clone();
    huge[7] = 0x80;
    assert!(matches!(with("model.safetensors", &huge), ImportError::Tensors(_)));

    let directory = directory(&model);
    fs::remove_file(directory.path().join("model.safetensors")).unwrap();
    assert!(matches!(import(directory.path()), Err(ImportError::Read { .. })));
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    for weight in [f32::NAN, f32::INFINITY] {
        let mut model = FloatModel::random(7);
        model.set("encoder.layer.1.output.dense.weight", 5, weight);
        assert!(matches!(
            import(directory(&model).path()),
            Err(ImportError::NotFinite(_))
        ));
    }
    let mut model = FloatModel::random(7);
    model.set("encoder.layer.1.output.dense.weight", 5, f32::MAX);
    assert!(matches!(
        import(directory(&model).path()),
        Err(ImportError::TooCoarse(_))
    ));
}

proptest! {
    #![proptest_config(agora_test_support::cases(100))]

    #[test]
    fn changed_tensors_are_refused_or_imported_without_a_panic(
        changes in prop::collection::vec((0usize..6000, any::<u8>()), 1..4),
    ) {
        let model = FloatModel::random(7);
        let mut tensors = model.safetensors();
        for (at, byte) in changes {
            tensors[at] = byte;
        }
        let (config, tokenizer) = (FloatModel::config(), FloatModel::tokenizer());
        models::check_import(ModelFiles {
            config: config.as_bytes(),
            sentence: None,
            tokenizer: tokenizer.as_bytes(),
            tensors: &tensors,
        });
    }
}

#[test]
fn minilm_gives_the_embedding_that_everybody_gets() {
    let package = import(&agora_test_support::minilm()).unwrap();
    let embeddings = embed(
        package,
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
