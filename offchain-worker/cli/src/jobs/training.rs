//! Training: a classifier of images.

use super::{
    Prepare, Show,
    inputs::{read, unusable},
    lines::json_lines,
    prepared::JobInputs,
    unfit,
};
use crate::{args::ResultFormat, exit::CliError, units::Seed};
use agora_compute::{
    EngineError, Inputs,
    training::{Checkpoint, Dataset, Output},
};
use agora_primitives::job::{JobKind, NetworkShape, TrainingJob};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct TrainingArgs {
    /// The data set: images with their classes.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The network: `perceptron:128` has 128 hidden units, `convolution:16:3:2` 16 channels, a window of 3×3 pixels and
    /// squares of 2×2 of which the maximum is taken.
    #[arg(long, default_value = "perceptron:128", value_parser = parse_network)]
    network: NetworkShape,
    /// Seed: 64 hex digits; random if left out.
    #[arg(long)]
    seed: Option<Seed>,
    /// Images in one step.
    #[arg(long, default_value_t = 32)]
    batch: u32,
    /// Segments: the state after each is part of the result.
    #[arg(long, default_value_t = 16)]
    segments: u32,
    /// Steps of one segment.
    #[arg(long, default_value_t = 125)]
    segment_steps: u32,
    /// The state after so many steps is committed to; all steps of a segment if left out.
    #[arg(long)]
    state_interval: Option<u32>,
    /// The learning rate is two to minus this power.
    #[arg(long, default_value_t = 5)]
    rate_shift: u32,
    /// The learning rate is halved after so many steps, again and again; 0 never halves it.
    #[arg(long, default_value_t = 500)]
    halve_after: u32,
    /// The momentum is one minus two to minus this power; 0 has none.
    #[arg(long, default_value_t = 3)]
    momentum_shift: u32,
    /// The checkpoint to go on from, as `agora result --format checkpoint` gives it.
    #[arg(long, value_name = "FILE")]
    start: Option<PathBuf>,
}

fn parse_network(text: &str) -> Result<NetworkShape, String> {
    let mut parts = text.split(':');
    let kind = parts.next();
    let numbers: Vec<u32> = parts
        .map(|part| part.parse().map_err(|_| format!("{part:?} is not a number")))
        .collect::<Result<_, _>>()?;
    match (kind, numbers.as_slice()) {
        (Some("perceptron"), &[hidden]) => Ok(NetworkShape::Perceptron { hidden }),
        (Some("convolution"), &[channels, window, pool]) => Ok(NetworkShape::Convolutional { channels, window, pool }),
        _ => Err("known are perceptron:HIDDEN and convolution:CHANNELS:WINDOW:POOL".to_owned()),
    }
}

/// The network as `--network` takes it.
fn network_text(network: NetworkShape) -> String {
    match network {
        NetworkShape::Perceptron { hidden } => format!("perceptron:{hidden}"),
        NetworkShape::Convolutional { channels, window, pool } => format!("convolution:{channels}:{window}:{pool}"),
    }
}

impl Prepare for TrainingArgs {
    fn prepare(self, inputs: &mut JobInputs) -> Result<JobKind, CliError> {
        let bytes = read(&self.data)?;
        let data = Dataset::decode(&bytes).map_err(|error| unusable(&self.data, error))?;
        let of_data = inputs.add(
            &self.data,
            bytes,
            "write the data set as docs/protocol/training.md says",
        );
        let start = match &self.start {
            Some(path) => {
                let remedy = "go on from a checkpoint as `agora result --format checkpoint` gives it";
                Some(inputs.add(path, read(path)?, remedy))
            }
            None => None,
        };
        Ok(JobKind::Training(TrainingJob {
            width: data.width.into(),
            height: data.height.into(),
            classes: data.classes.into(),
            data: of_data,
            network: self.network,
            seed: self.seed.unwrap_or_else(Seed::random).0,
            batch: self.batch,
            segments: self.segments,
            segment_steps: self.segment_steps,
            state_interval: self.state_interval.unwrap_or(self.segment_steps),
            rate_shift: self.rate_shift,
            halve_after: self.halve_after,
            momentum_shift: self.momentum_shift,
            start,
        }))
    }
}

impl Show for TrainingJob {
    fn describe(&self) -> String {
        format!(
            "training of a {} on data {:#x}, {} steps of {} images",
            network_text(self.network),
            self.data.hash,
            self.steps(),
            self.batch
        )
    }

    fn convert(&self, inputs: &dyn Inputs, output: &[u8], format: ResultFormat) -> Result<Option<Vec<u8>>, CliError> {
        Ok(match format {
            ResultFormat::Model => Some(model(self, inputs, output)?),
            ResultFormat::Checkpoint => Some(checkpoint(self, output)?),
            // The loss of each step.
            ResultFormat::Json => Some(json_lines(Output::decode(self, output)?.losses)),
            ResultFormat::Raw | ResultFormat::Png | ResultFormat::Text | ResultFormat::Records => None,
        })
    }
}

/// The trained network, as a model package.
fn model(job: &TrainingJob, inputs: &dyn Inputs, output: &[u8]) -> Result<Vec<u8>, CliError> {
    let data = inputs.get(&job.data).map_err(EngineError::from)?;
    let data = Dataset::decode(&data).map_err(EngineError::from)?;
    let output = Output::decode(job, output)?;
    Ok(output.package(job, data.maximum)?.encode())
}

/// The last checkpoint.
fn checkpoint(job: &TrainingJob, output: &[u8]) -> Result<Vec<u8>, CliError> {
    let output = Output::decode(job, output)?;
    let last = output.checkpoints.last();
    last.map(Checkpoint::encode)
        .ok_or_else(|| unfit("the result has no checkpoint"))
}

#[cfg(test)]
mod tests;
