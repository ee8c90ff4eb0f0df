//! Importing: a small random model against its floats, as people's tools write it, and everything that is refused.

#[path = "import/dense.rs"]
mod dense;
#[path = "import/dialects.rs"]
mod dialects;
mod float_model;
#[path = "import/minilm.rs"]
mod minilm;
#[path = "../../../fuzz/src/models.rs"]
mod models;
#[path = "import/modules.rs"]
mod modules;
#[path = "import/refused.rs"]
mod refused;
#[path = "../../../fuzz/src/running.rs"]
mod running;
#[path = "import/sentences.rs"]
mod sentences;
#[path = "import/tokenizers.rs"]
mod tokenizers;
#[path = "../../../fuzz/src/transformers.rs"]
mod transformers;

use agora_compute::{CancelFlag, CpuEngine, Engine, MemoryInputs, NoProgress};
use agora_models::{Embedder, Embedding, ImportError, import, import_files};
use float_model::{FloatModel, dialect::Files};
use proptest::prelude::*;

const SENTENCES: [&str; 4] = [
    "one two three",
    "nine",
    "Eight seven six five four three two one",
    "one unknown word",
];

fn embed_with(embedder: &Embedder, sentences: &[&str]) -> Vec<Embedding> {
    let made = embedder.job(sentences).unwrap();
    let mut inputs = MemoryInputs::new();
    inputs.insert(embedder.package().clone());
    inputs.insert(made.input);
    let computation = CpuEngine::new()
        .run(&made.job, &inputs, &NoProgress, &CancelFlag::new())
        .unwrap();
    embedder.embeddings(&computation.output).unwrap()
}

fn embed(package: Vec<u8>, sentences: &[&str]) -> Vec<Embedding> {
    embed_with(&Embedder::new(package).unwrap(), sentences)
}

/// Imports files that must be fine.
fn imported(files: &Files) -> Vec<u8> {
    import_files(files).unwrap_or_else(|error| panic!("{error}")).package
}

/// Imports files that must be refused, and returns what is said.
fn refusal(files: &Files) -> String {
    match import_files(files) {
        Ok(_) => panic!("it was imported"),
        Err(error) => error.to_string(),
    }
}

fn cosine(floats: &[f64], integers: &Embedding) -> f64 {
    let integers: Vec<f64> = integers.0.iter().map(|&x| f64::from(x)).collect();
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
    dot(floats, &integers) / (dot(floats, floats) * dot(&integers, &integers)).sqrt()
}

/// Checks that the vectors of `package` are those that `floats` gives of the states of tokens.
fn assert_near(package: Vec<u8>, model: &FloatModel, floats: impl Fn(&[Vec<f64>]) -> Vec<f64>) {
    for (sentence, integers) in SENTENCES.iter().zip(embed(package, &SENTENCES)) {
        let expected = floats(&model.states(&FloatModel::tokens(sentence)));
        let found = cosine(&expected, &integers);
        assert!(found > 0.995, "{sentence}: {found}");
    }
}

#[test]
fn integers_are_near_to_the_floats_and_have_the_length_one() {
    let model = FloatModel::random(7);
    let imported = import_files(&model.files()).unwrap();
    assert!(imported.accuracy > 0.995, "{}", imported.accuracy);
    for (sentence, embedding) in SENTENCES.iter().zip(embed(imported.package, &SENTENCES)) {
        let squares: f64 = embedding.0.iter().map(|&integer| f64::from(integer).powi(2)).sum();
        assert!((squares.sqrt() / 32_768.0 - 1.0).abs() < 1e-3, "{squares}");
        let cosine = cosine(&model.embed(&FloatModel::tokens(sentence)), &embedding);
        assert!(cosine > 0.995, "{sentence}: {cosine}");
    }
}

#[test]
fn the_same_model_gives_the_same_package() {
    let model = FloatModel::random(7);
    let packages = [0, 1].map(|_| imported(&model.files()));
    assert_eq!(packages[0], packages[1]);
    assert_ne!(packages[0], imported(&FloatModel::random(8).files()));
}

#[test]
fn a_folder_is_read_as_files_in_memory_are() {
    let mut files = FloatModel::random(7).files();
    float_model::dialect::add_modules(&mut files, &serde_json::json!({"pooling_mode": "cls"}), &[]);
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in &files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    assert_eq!(import(folder.path()).unwrap().package, imported(&files));
    std::fs::remove_file(folder.path().join("1_Pooling/config.json")).unwrap();
    assert!(matches!(import(folder.path()), Err(ImportError::Missing { .. })));
}

proptest! {
    #![proptest_config(agora_test_support::cases(100))]

    #[test]
    fn changed_tensors_are_refused_or_imported_without_a_panic(
        changes in prop::collection::vec((0usize..6000, any::<u8>()), 1..4),
    ) {
        let mut files = FloatModel::random(7).files();
        let tensors = files.get_mut("model.safetensors").unwrap();
        for (at, byte) in changes {
            tensors[at] = byte;
        }
        models::check_import(&files);
    }
}
