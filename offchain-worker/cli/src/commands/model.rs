//! `agora model` and `agora embed`

use crate::{
    args::{EmbedArgs, ModelArgs, ModelCommand},
    context::Context,
    exit::CliError,
    jobs::{read, sentences},
    output::answer,
};
use agora_compute::{BlobRef, CancelFlag, MemoryInputs, NoProgress};
use agora_models::{Embedder, Embedding};
use agora_worker::WorkerError;
use serde::Serialize;

/// A model package that was made.
#[derive(Serialize)]
pub struct Imported {
    hash: String,
    bytes: usize,
    file: String,
}

pub fn run(context: &Context, args: ModelArgs) -> Result<(), CliError> {
    let ModelCommand::Import { folder, file } = args.command;
    let package = agora_models::import(&folder)?;
    let model = BlobRef::to(&package);
    std::fs::write(&file, &package).map_err(|reason| CliError::File {
        path: file.display().to_string(),
        reason,
    })?;
    let imported = Imported {
        hash: hex::encode(model.hash),
        bytes: package.len(),
        file: file.display().to_string(),
    };
    answer(context, &imported, |one| {
        format!("Model {} ({} bytes) is in {}.", one.hash, one.bytes, one.file)
    });
    Ok(())
}

/// A sentence with its vector.
#[derive(Serialize)]
pub struct Embedded<'a> {
    text: &'a str,
    vector: Vec<f32>,
}

pub async fn embed(context: &Context, args: EmbedArgs) -> Result<(), CliError> {
    let embedder = Embedder::new(read(&args.model)?)?;
    let texts = sentences(&args.texts)?;
    let job = embedder.job(&texts)?;
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
    for (number, (text, vector)) in texts.iter().zip(&vectors).enumerate() {
        let embedded = Embedded {
            text,
            vector: vector.to_floats(),
        };
        answer(context, &embedded, |one| match nearest(&vectors, number) {
            Some((other, cosine)) => format!("{}\n    nearest ({cosine:.3}): {}", one.text, texts[other]),
            None => one.text.to_owned(),
        });
    }
    Ok(())
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
    let imported = Imported {
        hash: "0x".to_owned(),
        bytes: 1,
        file: "model".to_owned(),
    };
    let embedded = Embedded {
        text: "A sentence.",
        vector: vec![0.5],
    };
    [serde_json::json!(imported), serde_json::json!(embedded)]
}
