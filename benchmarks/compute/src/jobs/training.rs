//! Steps of training on handwritten digits.

use super::Subject;
use crate::Failure;
use agora_compute::{JobKind, JobSpec, MemoryInputs, NetworkShape, TrainingJob, training::Dataset};

/// The UCI digits that the tests are trained with.
const DIGITS: &[u8] = include_bytes!("../../../../tests/data/digits/digits.agds");
/// Steps of the job, and of each of its segments.
const STEPS: u32 = 500;
const SEGMENT_STEPS: u32 = 50;

/// A perceptron.
///
/// Errors: the data set is refused.
pub fn perceptron() -> Result<Subject, Failure> {
    subject("training a perceptron", NetworkShape::Perceptron { hidden: 128 })
}

/// A convolutional network.
///
/// Errors: the data set is refused.
pub fn convolutional() -> Result<Subject, Failure> {
    let network = NetworkShape::Convolutional {
        channels: 16,
        window: 3,
        pool: 2,
    };
    subject("training a convolutional network", network)
}

fn subject(name: &'static str, network: NetworkShape) -> Result<Subject, Failure> {
    let digits = Dataset::decode(DIGITS)?;
    let mut inputs = MemoryInputs::new();
    let job = TrainingJob {
        data: inputs.insert(DIGITS),
        width: digits.width.into(),
        height: digits.height.into(),
        classes: digits.classes.into(),
        network,
        seed: [0x51; 32],
        batch: 32,
        segments: STEPS / SEGMENT_STEPS,
        segment_steps: SEGMENT_STEPS,
        state_interval: SEGMENT_STEPS,
        rate_shift: 5,
        halve_after: 500,
        momentum_shift: 3,
        start: None,
    };
    Ok(Subject {
        name,
        job: JobSpec::V2(JobKind::Training(job)),
        inputs,
        amount: STEPS.into(),
        unit: "steps/s",
        check_goal: None,
    })
}
