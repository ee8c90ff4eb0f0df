//! What must hold of the files of a float model: they are refused, or become a package that every engine can compute, and with
//! which texts become tokens, the same every time.

use crate::transformers::check_model;
use agora_compute::transformer::Package;
use agora_models::{EmbedError, Embedder, ModelFiles, Prompt, import_files};

/// Texts of few and many tokens, known and unknown.
const TEXTS: [&str; 4] = ["", "one", "Ones two one A", "e\u{301} \u{3000}漢 12😀"];

/// Checks the files of a model, and returns the package if they make one.
pub fn check_import(files: &dyn ModelFiles) -> Option<Package> {
    let imported = import_files(files).ok()?;
    assert!(imported.accuracy >= 0.95, "less is refused");
    let package = check_model(&imported.package).expect("what is written can be read");
    let tokenizer = files
        .content("tokenizer.json")
        .expect("it is in memory")
        .expect("it was read");
    assert!(package.tokenizer.ends_with(&tokenizer));
    check_tokens(imported.package, &package);
    Some(package)
}

fn check_tokens(bytes: Vec<u8>, package: &Package) {
    let mut embedder = Embedder::new(bytes).expect("what is imported can be used");
    let names: Vec<String> = embedder.prompts().map(str::to_owned).collect();
    let named = names.into_iter().map(Prompt::Named);
    let shape = package.encoder.shape;
    for prompt in named.chain([Prompt::Text("two ".to_owned()), Prompt::Default]) {
        embedder = embedder.with_prompt(&prompt).expect("the model has it");
        for text in TEXTS {
            match embedder.tokens(0, text) {
                Ok(tokens) => {
                    assert!((1..=shape.positions as usize).contains(&tokens.ids.len()));
                    assert!(tokens.ids.iter().all(|&id| u32::from(id) < shape.vocabulary));
                    assert_eq!(embedder.tokens(0, text).ok(), Some(tokens));
                }
                Err(EmbedError::Sentence { .. } | EmbedError::NoTokens { .. }) => {}
                Err(other) => panic!("the import did not notice: {other}"),
            }
        }
    }
}
