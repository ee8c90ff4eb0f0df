//! What can be made of results: pictures, models, numbers.

use crate::{args::ResultFormat, exit::CliError};
use agora_compute::{Inputs, JobKind, JobSpec, training};
use agora_models::Embedding;
use agora_primitives::job::{InferenceTask, RenderingJob, TrainingJob};

/// `output`, the result of `job`, in `format`.
pub fn convert(job: &JobSpec, inputs: &dyn Inputs, output: &[u8], format: ResultFormat) -> Result<Vec<u8>, CliError> {
    let JobSpec::V1(kind) = job;
    match (format, kind) {
        (ResultFormat::Raw, _) => Ok(output.to_vec()),
        (ResultFormat::Png, JobKind::Rendering(job)) => picture(job, output),
        (ResultFormat::Model, JobKind::Training(job)) => {
            let data = inputs.get(&job.data).map_err(agora_compute::EngineError::from)?;
            let maximum = training::Dataset::decode(&data)
                .map_err(agora_compute::EngineError::from)?
                .maximum;
            Ok(training::Output::decode(job, output)?.package(job, maximum)?.encode())
        }
        (ResultFormat::Checkpoint, JobKind::Training(job)) => checkpoint(job, output),
        (ResultFormat::Json, kind) => numbers(kind, output),
        (ResultFormat::Png, _) => Err(unfit("only rendering jobs give pictures")),
        (ResultFormat::Model | ResultFormat::Checkpoint, _) => Err(unfit("only training jobs give models")),
    }
}

fn unfit(reason: &str) -> CliError {
    CliError::Usage(format!("{reason}; --format raw writes any result"))
}

/// The first frame.
fn picture(job: &RenderingJob, output: &[u8]) -> Result<Vec<u8>, CliError> {
    let (width, height) = (job.region.width, job.region.height);
    let frame = output.get(..3 * width as usize * height as usize).unwrap_or(output);
    agora_scenes::png::encode(frame, width, height).map_err(|error| CliError::Unverified(error.to_string()))
}

/// The last checkpoint.
fn checkpoint(job: &TrainingJob, output: &[u8]) -> Result<Vec<u8>, CliError> {
    let output = training::Output::decode(job, output)?;
    let last = output.checkpoints.last();
    last.map(training::Checkpoint::encode)
        .ok_or_else(|| unfit("the result has no checkpoint"))
}

/// One line for each item.
fn numbers(kind: &JobKind, output: &[u8]) -> Result<Vec<u8>, CliError> {
    let words = |bytes: &[u8]| -> Vec<i32> {
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|&word| i32::from_le_bytes(word))
            .collect()
    };
    let lines: Vec<serde_json::Value> = match kind {
        JobKind::Matmul(job) => output
            .chunks(4 * job.rows as usize)
            .map(|item| words(item).into())
            .collect(),
        JobKind::Inference(job) if job.task == InferenceTask::Classification => output
            .chunks(job.item_output as usize)
            .map(|item| words(item).into())
            .collect(),
        JobKind::Inference(job) => output
            .chunks(job.item_output as usize)
            .map(|item| Embedding::from_le_bytes(item.as_chunks().0).to_floats().into())
            .collect(),
        JobKind::Training(job) => {
            let losses = training::Output::decode(job, output)?.losses;
            losses.into_iter().map(Into::into).collect()
        }
        JobKind::Synthetic(_) | JobKind::Rendering(_) => {
            return Err(unfit("the result is not made of items"));
        }
    };
    Ok(lines
        .iter()
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        .into_bytes())
}
