//! Embedding: a vector for each sentence.

use super::{
    Prepare,
    inputs::{read, sentences, store},
};
use crate::exit::CliError;
use agora_blobs::BlobStore;
use agora_models::Embedder;
use agora_primitives::job::{JobKind, JobSpec};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct EmbeddingArgs {
    /// The model: a package that `agora model import` made.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// File with the sentences, one a line.
    #[arg(long, value_name = "FILE")]
    texts: PathBuf,
}

impl Prepare for EmbeddingArgs {
    async fn prepare(self, blobs: &BlobStore) -> Result<JobKind, CliError> {
        let embedder = Embedder::new(read(&self.model)?)?;
        let embedding = embedder.job(&sentences(&self.texts)?)?;
        store(blobs, embedder.package().to_vec()).await?;
        store(blobs, embedding.input).await?;
        let JobSpec::V2(kind) = embedding.job;
        Ok(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        JobArgs,
        tests::{Files, parse, prepare},
    };

    #[test]
    fn model_and_texts_are_named() {
        let arguments = ["embedding", "--model", "a.agmp", "--texts", "b.txt"];
        let Ok(JobArgs::Embedding(args)) = parse(&arguments) else {
            panic!("they are well formed");
        };
        assert_eq!((args.model, args.texts), ("a.agmp".into(), "b.txt".into()));
        let missing = parse(&["embedding"]).expect_err("no files");
        assert!(missing.contains("--model") && missing.contains("--texts"), "{missing}");
    }

    #[tokio::test]
    async fn a_file_that_is_no_model_is_refused() {
        let files = Files::new();
        let (model, texts) = (files.write("model", "no package"), files.write("texts", "One.\n"));
        let arguments = ["embedding", "--model", &model, "--texts", &texts];
        let refused = prepare(&arguments).await.expect_err("no package");
        assert!(refused.contains("package"), "{refused}");
    }
}
