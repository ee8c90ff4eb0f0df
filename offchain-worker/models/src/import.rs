//! From the files of a published model to a package.

use crate::{
    config::Config,
    encoder::Importer,
    error::{ImportError, unsupported},
    files::{Folder, ModelFiles, inside, json, whole},
    modules::Recipe,
    probe::Probe,
    tensors::TensorFiles,
    texts::Texts,
    tokens,
};
use agora_compute::transformer::{MAX_POSITIONS, MAX_VOCABULARY, Package, Shape};
use serde::Deserialize;
use std::path::Path;
use tokenizers::Tokenizer;

/// The least cosine between a vector of the model in floats and the same in integers.
const LEAST_COSINE: f64 = 0.95;

/// A package that was made of a model.
#[derive(Clone, PartialEq, Debug)]
pub struct Imported {
    /// The package.
    pub package: Vec<u8>,
    /// The least cosine that was found between the vector of a text by the float model and by the package.
    pub accuracy: f64,
    /// What differs from what some expect, in sentences.
    pub notes: Vec<String>,
}

/// Makes a package of the model in `directory`: an encoder of type BERT as transformers and sentence-transformers save
/// it. `docs/formats/models.md` says what is read and what is refused.
///
/// The same files give the same package on every machine.
///
/// Errors: one for everything that the model must not have. Takes memory for three copies of the model.
pub fn import(directory: &Path) -> Result<Imported, ImportError> {
    import_files(&Folder(directory.to_owned()))
}

/// As [`import`], of files wherever they are.
pub fn import_files(files: &dyn ModelFiles) -> Result<Imported, ImportError> {
    let mut recipe = Recipe::read(files)?;
    let mut config = Config::read(files, &recipe.folder)?;
    recipe.pool(files, config.hidden)?;
    let (tokenizer, mut tokens) = tokenizer(files, &recipe.folder)?;
    let positions = limit(files, &mut recipe, config.positions)?;
    tokens::cut(&mut tokens, positions).map_err(ImportError::Tokenizer)?;
    let tensor_files = TensorFiles::read(files, &recipe.folder)?;
    let tensors = tensor_files.tensors()?;
    config.vocabulary = vocabulary(&tokens, &config, tensors.words()?)?;
    let shape = Shape {
        vocabulary: config.vocabulary,
        positions,
        hidden: config.hidden,
        layers: config.layers,
        heads: config.heads,
        key_value_heads: config.heads,
        head_size: config.hidden / config.heads,
        intermediate: config.intermediate,
        dense: recipe.dense.as_ref().map_or(0, |dense| dense.outputs),
    };
    let dense = match &recipe.dense {
        Some(module) => Some((module, module.floats(files, config.hidden)?)),
        None => None,
    };
    let mut probe = Probe::new(&tokens, &shape, &config, recipe.pooling)?;
    let importer = Importer::new(&tensors, shape, &config, recipe.pooling);
    let encoder = importer.encoder(dense.as_ref().map(|(module, floats)| (*module, floats)), &mut probe)?;
    tensors.end()?;
    let texts = Texts::of(&recipe).encode(&tokenizer);
    let tokenizer = texts.map_err(|error| ImportError::Tokenizer(error.to_string()))?;
    let package = Package { encoder, tokenizer }.encode()?;
    probe.check_reach()?;
    let dense = dense.as_ref().map(|(_, floats)| floats);
    let (accuracy, reason) = probe.compare(&package, &shape, dense);
    // Not a number is not enough either.
    if accuracy.is_nan() || accuracy < LEAST_COSINE {
        return Err(ImportError::Inaccurate {
            cosine: accuracy,
            least: LEAST_COSINE,
            reason,
        });
    }
    Ok(Imported {
        package,
        accuracy,
        notes: recipe.notes,
    })
}

/// The bytes of `tokenizer.json`, and the tokeniser that it is.
fn tokenizer(files: &dyn ModelFiles, folder: &str) -> Result<(Vec<u8>, Tokenizer), ImportError> {
    let path = inside(folder, "tokenizer.json");
    let bytes = whole(files, &path)?.ok_or_else(|| ImportError::Missing {
        file: path,
        remedy: "it turns text into tokens; where there is only vocab.txt, make it with python3 -c 'from transformers \
                 import AutoTokenizer; AutoTokenizer.from_pretrained(\"FOLDER\").save_pretrained(\"FOLDER\")', with the \
                 model's folder for FOLDER"
            .to_owned(),
    })?;
    let tokenizer = tokens::read(&bytes).map_err(ImportError::Tokenizer)?;
    Ok((bytes, tokenizer))
}

/// The parts of `tokenizer_config.json` that change tokens.
#[derive(Deserialize, Default)]
struct TokenizerConfig {
    /// A float where it stands for "no limit".
    model_max_length: Option<f64>,
    truncation_side: Option<String>,
    do_lower_case: Option<bool>,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
}

/// The normaliser of a tokeniser of type BERT, as `tokenizer.json` has it.
#[derive(Deserialize, Default)]
struct Written {
    normalizer: Option<Normalizer>,
}

#[derive(Deserialize, Default)]
struct Normalizer {
    #[serde(rename = "type")]
    kind: String,
    lowercase: Option<bool>,
    strip_accents: Option<bool>,
    handle_chinese_chars: Option<bool>,
}

/// How many tokens a sentence may have, of a model with so many `positions`.
fn limit(files: &dyn ModelFiles, recipe: &mut Recipe, positions: u32) -> Result<u32, ImportError> {
    let path = inside(&recipe.folder, "tokenizer_config.json");
    let config: TokenizerConfig = json(files, &path)?.unwrap_or_default();
    if let Some(side) = config.truncation_side.as_deref().filter(|side| *side != "right") {
        return Err(unsupported(
            &path,
            format!("the truncation_side {side:?}"),
            "\"right\" is",
        ));
    }
    agree(files, &recipe.folder, &path, &config)?;
    let own = config.model_max_length.filter(|length| *length >= 1.0);
    // The cast saturates.
    let own = own.map_or(u32::MAX, |length| length as u32);
    let wanted = recipe.max_tokens.unwrap_or(own).min(positions);
    if wanted > MAX_POSITIONS {
        recipe.notes.push(format!(
            "sentences are cut to {MAX_POSITIONS} tokens, the most that a job allows; the model itself takes {wanted}"
        ));
    }
    Ok(wanted.min(MAX_POSITIONS))
}

/// Refuses a tokeniser whose two files contradict each other: transformers takes either, by its version.
fn agree(files: &dyn ModelFiles, folder: &str, path: &str, config: &TokenizerConfig) -> Result<(), ImportError> {
    let written: Option<Written> = json(files, &inside(folder, "tokenizer.json")).unwrap_or_default();
    let Some(normalizer) = written.and_then(|written| written.normalizer) else {
        return Ok(());
    };
    if normalizer.kind != "BertNormalizer" {
        return Ok(());
    }
    for (name, one, other) in [
        ("do_lower_case", config.do_lower_case, normalizer.lowercase),
        ("strip_accents", config.strip_accents, normalizer.strip_accents),
        (
            "tokenize_chinese_chars",
            config.tokenize_chinese_chars,
            normalizer.handle_chinese_chars,
        ),
    ] {
        match (one, other) {
            (Some(one), Some(other)) if one != other => {
                let what = format!("{name} {one}, where tokenizer.json has {other},");
                let remedy = "versions of transformers differ in which they take; make the two files agree";
                return Err(unsupported(path, what, remedy));
            }
            _ => {}
        }
    }
    Ok(())
}

/// How many tokens the model has: as its configuration says, or more if the tokeniser has more and the matrix of `rows`
/// embeddings has them.
fn vocabulary(tokenizer: &Tokenizer, config: &Config, rows: usize) -> Result<u32, ImportError> {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    let known = tokenizer.get_vocab(true);
    // By number and then by name, so that the same is named every time.
    let last = known.into_iter().map(|(token, id)| (id, token)).max();
    let Some((id, token)) = last else {
        return Err(ImportError::Tokenizer("it has no tokens".to_owned()));
    };
    let vocabulary = config.vocabulary.max(id.saturating_add(1).min(rows));
    if id >= vocabulary {
        return Err(ImportError::Vocabulary { token, id, vocabulary });
    }
    match vocabulary {
        0..=MAX_VOCABULARY => Ok(vocabulary),
        found => Err(ImportError::Size {
            what: "vocab_size",
            found,
            most: MAX_VOCABULARY,
        }),
    }
}
