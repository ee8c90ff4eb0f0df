//! `agora model` and `agora embed`

use crate::{
    args::{EmbedArgs, ModelArgs, ModelCommand},
    context::Context,
    exit::CliError,
    jobs::{Texts, embedder, embedding_job},
    output::{answer, warn},
};
use agora_compute::{BlobRef, CancelFlag, MemoryInputs, NoProgress};
use agora_models::{Embedding, Imported};
use agora_worker::WorkerError;
use serde::Serialize;
use std::path::Path;

/// A model package that was made.
#[derive(Serialize)]
pub struct Made {
    hash: String,
    bytes: usize,
    file: String,
    /// The least cosine between vectors by the float model and by the package.
    accuracy: f64,
    warnings: Vec<String>,
}

pub fn run(context: &Context, args: ModelArgs) -> Result<(), CliError> {
    let ModelCommand::Import { folder, file } = args.command;
    let imported =
        agora_models::import(&folder).map_err(|error| CliError::Usage(format!("{}: {error}", folder.display())))?;
    let Imported {
        package,
        accuracy,
        notes,
    } = imported;
    let model = BlobRef::to(&package);
    write(&file, &package)?;
    notes.iter().for_each(|note| warn(note));
    let made = Made {
        hash: hex::encode(model.hash),
        bytes: package.len(),
        file: file.display().to_string(),
        accuracy,
        warnings: notes,
    };
    answer(context, &made, |one| {
        format!(
            "Model {} ({} bytes) is in {}.\nIts vectors are those of the floats to a cosine of {:.4} at the least.",
            one.hash, one.bytes, one.file, one.accuracy
        )
    });
    Ok(())
}

fn write(file: &Path, package: &[u8]) -> Result<(), CliError> {
    std::fs::write(file, package).map_err(|reason| CliError::File {
        path: file.display().to_string(),
        reason,
    })
}

/// A sentence with its vector.
#[derive(Serialize)]
pub struct Embedded<'a> {
    /// The line that it is, from 1 on.
    line: usize,
    text: &'a str,
    vector: Vec<f32>,
    /// It is blank, or it was cut to what the model takes.
    warnings: Vec<&'static str>,
}

pub async fn embed(context: &Context, args: EmbedArgs) -> Result<(), CliError> {
    let (embedder, warning) = embedder(&args.model, args.prompt)?;
    let texts = Texts::read(&args.texts)?;
    let job = embedding_job(&embedder, &args.texts, &texts)?;
    warning
        .into_iter()
        .chain(texts.warnings(&job.cut))
        .for_each(|one| warn(&one));
    let mut inputs = MemoryInputs::new();
    inputs.insert(embedder.package().clone());
    inputs.insert(job.input);
    let options = context.gpu_options();
    let computed = tokio::task::spawn_blocking(move || {
        let engine = agora_compute::open_engine(&args.device, &options)?;
        engine.run(&job.job, &inputs, &NoProgress, &CancelFlag::new())
    });
    let computed = computed
        .await
        .map_err(|panic| WorkerError::Interrupted(panic.to_string()))??;
    let vectors = embedder.embeddings(&computed.output)?;
    if let Some(said) = all_equal(&vectors) {
        warn(&said);
    }
    for (number, (text, vector)) in texts.lines().iter().zip(&vectors).enumerate() {
        let blank = text.trim().is_empty().then_some("blank");
        let cut = job.cut.contains(&number).then_some("cut");
        let embedded = Embedded {
            line: number + 1,
            text,
            vector: vector.to_floats(),
            warnings: blank.into_iter().chain(cut).collect(),
        };
        answer(context, &embedded, |one| match nearest(&vectors, number) {
            Some((other, cosine)) => format!("{}\n    nearest ({cosine:.3}): {}", one.text, texts.lines()[other]),
            None => one.text.to_owned(),
        });
    }
    Ok(())
}

/// What to say if several texts have one vector: then the model does not tell them apart.
fn all_equal(vectors: &[Embedding]) -> Option<String> {
    let (first, others) = vectors.split_first()?;
    let equal = !others.is_empty() && others.iter().all(|other| other == first);
    equal.then(|| {
        format!(
            "all {} vectors are equal: the texts are all the same to this model; look at the texts, and at whether the \
             model is for their language",
            vectors.len()
        )
    })
}

/// Which other vector has the smallest angle to vector `to`, and its cosine.
fn nearest(vectors: &[Embedding], to: usize) -> Option<(usize, f64)> {
    let others = (0..vectors.len()).filter(|&other| other != to);
    others
        .map(|other| (other, vectors[to].cosine(&vectors[other])))
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
pub fn examples() -> [serde_json::Value; 2] {
    let made = Made {
        hash: "0x".to_owned(),
        bytes: 1,
        file: "model".to_owned(),
        accuracy: 0.99,
        warnings: vec!["a note".to_owned()],
    };
    let embedded = Embedded {
        line: 1,
        text: "A sentence.",
        vector: vec![0.5],
        warnings: vec!["cut"],
    };
    [serde_json::json!(made), serde_json::json!(embedded)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_several_equal_vectors_are_worth_a_warning() {
        let of = |numbers: &[i16]| Embedding(numbers.to_vec());
        assert!(all_equal(&[of(&[1, 2])]).is_none());
        assert!(all_equal(&[of(&[1, 2]), of(&[1, 2]), of(&[2, 1])]).is_none());
        let said = all_equal(&[of(&[1, 2]), of(&[1, 2])]).expect("they are equal");
        assert!(said.contains("all 2 vectors are equal"), "{said}");
    }
}
