//! Embedding: a vector for each line of a file.

use super::{Prepare, inputs::read, prepared::JobInputs, texts::Texts};
use crate::exit::CliError;
use agora_models::{EmbedError, Embedder, EmbeddingJob, Prompt};
use agora_primitives::job::{JobKind, JobSpec};
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct EmbeddingArgs {
    /// The model: a package that `agora model import` made.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// File with the sentences, one a line: UTF-8, or UTF-16 or UTF-32 with a byte order mark. Every line has its answer,
    /// blank ones too.
    #[arg(long, value_name = "FILE")]
    texts: PathBuf,
    #[command(flatten)]
    prompt: PromptArgs,
}

/// What is put in front of sentences.
#[derive(clap::Args, Debug)]
pub struct PromptArgs {
    /// Put this text in front of each sentence, such as \"query: \".
    #[arg(long, value_name = "TEXT", conflicts_with = "prompt_name")]
    prompt: Option<String>,
    /// Put the model's prompt of this name in front of each sentence, such as \"query\"; its default prompt if left out.
    #[arg(long, value_name = "NAME")]
    prompt_name: Option<String>,
}

impl PromptArgs {
    fn prompt(self) -> Prompt {
        match (self.prompt, self.prompt_name) {
            (Some(text), _) => Prompt::Text(text),
            (None, Some(name)) => Prompt::Named(name),
            (None, None) => Prompt::Default,
        }
    }
}

/// Reads the package at `model`, to be used with a prompt; with what is probably not meant of that.
pub fn embedder(model: &Path, prompt: PromptArgs) -> Result<(Embedder, Option<String>), CliError> {
    let prompt = prompt.prompt();
    let told = |error: EmbedError| CliError::Usage(format!("{}: {error}", model.display()));
    let embedder = Embedder::new(read(model)?).map_err(told)?;
    let embedder = embedder.with_prompt(&prompt).map_err(told)?;
    let names: Vec<&str> = embedder.prompts().collect();
    let is_unchosen = prompt == Prompt::Default && embedder.prompt().is_empty() && !names.is_empty();
    let warning = is_unchosen.then(|| {
        format!(
            "the model has prompts ({}), and none is used: name one with --prompt-name if it was trained for that",
            names.join(", ")
        )
    });
    Ok((embedder, warning))
}

/// The job that embeds `texts`, which are those of the file at `path`.
pub fn job(embedder: &Embedder, path: &Path, texts: &Texts) -> Result<EmbeddingJob, CliError> {
    embedder.job(texts.lines()).map_err(|error| {
        let reason = match &error {
            EmbedError::Sentence { sentence, reason } => {
                format!("line {} cannot be turned into tokens: {reason}", sentence + 1)
            }
            EmbedError::NoTokens { sentence } => {
                format!(
                    "line {} gives no tokens with this model; write a text there, or leave it out",
                    sentence + 1
                )
            }
            EmbedError::Token { sentence, token, .. } => format!(
                "line {} gives the token {token}, which the model does not have: the package is broken",
                sentence + 1
            ),
            other => other.to_string(),
        };
        super::inputs::unusable(path, reason)
    })
}

impl Prepare for EmbeddingArgs {
    fn prepare(self, inputs: &mut JobInputs) -> Result<JobKind, CliError> {
        let (embedder, warning) = embedder(&self.model, self.prompt)?;
        let texts = Texts::read(&self.texts)?;
        let embedding = job(&embedder, &self.texts, &texts)?;
        inputs.warn(warning.into_iter().chain(texts.warnings(&embedding.cut)));
        let package = embedder.package().to_vec();
        inputs.add(
            &self.model,
            package,
            "make the package again, with `agora model import`",
        );
        inputs.add(&self.texts, embedding.input, "write one text a line");
        let JobSpec::V2(kind) = embedding.job;
        Ok(kind)
    }
}

#[cfg(test)]
mod tests;
