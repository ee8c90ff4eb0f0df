//! Training and classification: both engines against the second implementation's vectors and against one another.

mod accuracy;
mod check;
mod engines;
mod golden;
mod inputs;
mod jobs;
#[path = "../opened/mod.rs"]
mod opened;

use agora_compute::{
    CancelFlag, Computation, Engine, EngineError, Inputs, JobKind, JobSpec, NetworkShape, NoProgress, TrainingJob,
};
use opened::{CPU, GPU, engines, gpu};

fn run(engine: &dyn Engine, job: TrainingJob, inputs: &dyn Inputs) -> Result<Computation, EngineError> {
    engine.run(&spec(job), inputs, &NoProgress, &CancelFlag::new())
}

fn spec(job: TrainingJob) -> JobSpec {
    JobSpec::V2(JobKind::Training(job))
}

const PERCEPTRON: NetworkShape = NetworkShape::Perceptron { hidden: 128 };
const CONVOLUTION: NetworkShape = NetworkShape::Convolutional {
    channels: 16,
    window: 3,
    pool: 2,
};
