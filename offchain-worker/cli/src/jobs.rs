//! The kinds of jobs on the command line. Each kind has a module: its arguments, how a job is prepared from them, and
//! how its jobs and results are shown.
//!
//! A new kind is a module, a variant of [`JobArgs`] and the match arms that the compiler asks for in this file. Nothing
//! else in this crate matches on [`JobKind`].

mod classification;
mod embedding;
mod inference;
mod inputs;
mod lines;
mod matmul;
mod prepared;
mod program;
mod rendering;
mod synthetic;
mod texts;
mod training;

pub use embedding::{PromptArgs, embedder, job as embedding_job};
pub use prepared::{JobInputs, Prepared};
pub use program::CodeArgs;
pub use texts::Texts;

use crate::{args::ResultFormat, exit::CliError};
use agora_compute::Inputs;
use agora_primitives::job::{JobKind, JobSpec};
use clap::Subcommand;

/// What is to be computed. Files are put into the blob store, where workers and verifiers find them.
#[derive(Subcommand, Debug)]
pub enum JobArgs {
    /// A chain of matrix products over F_251.
    Synthetic(synthetic::SyntheticArgs),
    /// Rows of a matrix of signed bytes times vectors.
    Matmul(matmul::MatmulArgs),
    /// A vector for each sentence.
    Embedding(embedding::EmbeddingArgs),
    /// The class of each image.
    Classification(classification::ClassificationArgs),
    /// A classifier of images.
    Training(training::TrainingArgs),
    /// A picture of a scene, or several.
    Rendering(rendering::RenderingArgs),
    /// What a program of your own makes of files.
    Program(program::ProgramArgs),
}

impl JobArgs {
    /// The job, checked against its limits, with inputs that workers can use.
    pub fn prepare(self) -> Result<Prepared, CliError> {
        let mut inputs = JobInputs::default();
        let kind = match self {
            Self::Synthetic(args) => args.prepare(&mut inputs),
            Self::Matmul(args) => args.prepare(&mut inputs),
            Self::Embedding(args) => args.prepare(&mut inputs),
            Self::Classification(args) => args.prepare(&mut inputs),
            Self::Training(args) => args.prepare(&mut inputs),
            Self::Rendering(args) => args.prepare(&mut inputs),
            Self::Program(args) => args.prepare(&mut inputs),
        };
        inputs.ready(kind?)
    }
}

/// The arguments of one kind.
trait Prepare {
    /// The job that they describe. Its inputs are among `inputs` then.
    fn prepare(self, inputs: &mut JobInputs) -> Result<JobKind, CliError>;
}

/// What people are shown of a job of one kind and of its result.
trait Show {
    /// The job in one line.
    fn describe(&self) -> String;

    /// The result `output` in `format`; `None` if results of this kind do not have it.
    fn convert(&self, inputs: &dyn Inputs, output: &[u8], format: ResultFormat) -> Result<Option<Vec<u8>>, CliError>;

    /// The result `output` as files of these names; `None` if results of this kind do not have parts.
    fn files(&self, output: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
        let _ = output;
        None
    }

    /// Whether parts of a right result may be that something failed.
    fn may_fail(&self) -> bool {
        false
    }

    /// Each of these parts in a line.
    fn failures(&self, output: &[u8]) -> Vec<String> {
        let _ = output;
        Vec::new()
    }
}

/// The job, as what every kind can show.
fn shown(job: &JobSpec) -> &dyn Show {
    let JobSpec::V2(kind) = job;
    match kind {
        JobKind::Synthetic(job) => job,
        JobKind::Matmul(job) => job,
        JobKind::Inference(job) => job,
        JobKind::Training(job) => job,
        JobKind::Rendering(job) => job,
        JobKind::Program(job) => job,
    }
}

/// `job` in one line.
pub fn describe(job: &JobSpec) -> String {
    shown(job).describe()
}

/// `output`, the result of `job`, in `format`.
pub fn convert(job: &JobSpec, inputs: &dyn Inputs, output: &[u8], format: ResultFormat) -> Result<Vec<u8>, CliError> {
    let reason = match format {
        ResultFormat::Raw => return Ok(output.to_vec()),
        ResultFormat::Png => "only rendering jobs give pictures",
        ResultFormat::Model | ResultFormat::Checkpoint => "only training jobs give models",
        ResultFormat::Json => "the result is not made of items",
        ResultFormat::Text | ResultFormat::Records => "only programs give records and texts",
    };
    let converted = shown(job).convert(inputs, output, format)?;
    converted.ok_or_else(|| unfit(reason))
}

/// `output`, the result of `job`, as files of these names, one for each item.
pub fn files(job: &JobSpec, output: &[u8]) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let files = shown(job).files(output);
    files.ok_or_else(|| unfit("only programs give records and texts"))
}

/// Whether `failures` may have something to say about a result of `job`.
pub fn may_fail(job: &JobSpec) -> bool {
    shown(job).may_fail()
}

/// What of `output`, a right result of `job`, is that something failed: each in a line.
pub fn failures(job: &JobSpec, output: &[u8]) -> Vec<String> {
    shown(job).failures(output)
}

fn unfit(reason: &str) -> CliError {
    CliError::Usage(format!("{reason}; --format raw writes any result"))
}

#[cfg(test)]
mod tests;
