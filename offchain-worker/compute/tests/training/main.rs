//! Training and classification: both engines against the second implementation's vectors and against one another.

mod accuracy;
mod check;
mod engines;
mod golden;
mod inputs;
mod jobs;

use agora_compute::{
    CancelFlag, Computation, CpuEngine, Engine, EngineError, GpuEngine, GpuOptions, Inputs, JobKind, JobSpec,
    NetworkShape, NoProgress, TrainingJob, find_device,
};
use std::sync::LazyLock;

static CPU: CpuEngine = CpuEngine::new();
static GPU: LazyLock<GpuEngine> = LazyLock::new(|| gpu(&GpuOptions::default()));

fn gpu(options: &GpuOptions) -> GpuEngine {
    let device = find_device("auto").unwrap_or_else(|error| panic!("these tests need an adapter: {error}"));
    GpuEngine::open(&device, options).unwrap()
}

fn engines() -> [&'static dyn Engine; 2] {
    [&CPU, &*GPU]
}

fn run(engine: &dyn Engine, job: TrainingJob, inputs: &dyn Inputs) -> Result<Computation, EngineError> {
    engine.run(&spec(job), inputs, &NoProgress, &CancelFlag::new())
}

fn spec(job: TrainingJob) -> JobSpec {
    JobSpec::V1(JobKind::Training(job))
}

const PERCEPTRON: NetworkShape = NetworkShape::Perceptron { hidden: 128 };
const CONVOLUTION: NetworkShape = NetworkShape::Convolutional {
    channels: 16,
    window: 3,
    pool: 2,
};
