//! The command lines of `agora model` and `agora embed`.

use crate::jobs::PromptArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args)]
pub struct ModelArgs {
    #[command(subcommand)]
    pub command: ModelCommand,
}

#[derive(Subcommand)]
pub enum ModelCommand {
    /// Make an integer package from a published float model. The package is what jobs on this market use.
    Import {
        /// Folder of the whole model: config.json, model.safetensors, tokenizer.json and, for sentence-transformers,
        /// modules.json with what it names. docs/formats/models.md says what is supported.
        folder: PathBuf,
        /// The package that is written.
        #[arg(long)]
        file: PathBuf,
    },
}

#[derive(Args)]
pub struct EmbedArgs {
    /// The model: a package that `agora model import` made.
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// File with the sentences, one a line: UTF-8, or UTF-16 or UTF-32 with a byte order mark. Every line has its answer,
    /// blank ones too.
    #[arg(long, value_name = "FILE")]
    pub texts: PathBuf,
    #[command(flatten)]
    pub prompt: PromptArgs,
    /// The device to compute on.
    #[arg(long, default_value = "auto")]
    pub device: String,
}
