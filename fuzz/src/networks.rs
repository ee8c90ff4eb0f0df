//! What must hold of bytes that claim to be a network, a data set or a checkpoint: they are refused, or the one encoding of
//! a value within the limits of `docs/protocol/training.md`, which are written down here a second time, and what is computed
//! with it does not overflow.

use crate::running::{compute, insert};
use agora_compute::{
    BlobRef, EngineError, InferenceNetwork, JobKind, JobSpec, MemoryInputs, NetworkShape, TrainingJob,
    classifier::{self, Package, Shape},
    training::{Checkpoint, Dataset, Output, StateError},
};

/// Operations that a check may spend on one image.
const MAX_IMAGE_WORK: u64 = 1 << 22;

/// Checks bytes as the package of a network, and returns it if it is one. `pixel` is what the image that it classifies
/// consists of.
pub fn check_network(bytes: &[u8], pixel: u8) -> Option<Package> {
    let package = Package::decode(bytes).ok()?;
    assert!(package.encode() == bytes, "one package, one encoding");
    check_shape(&package.shape);
    assert!(package.maximum >= 1 && (1..=24).contains(&package.shift));
    assert!(package.weights.iter().all(|&weight| weight != i8::MIN));
    let InferenceNetwork::Classification { shape, .. } = package.network() else {
        panic!("it classifies");
    };
    assert_eq!(shape.validate(), Ok(()));
    assert_eq!(shape.package_bytes(), bytes.len() as u64);
    assert_eq!(shape.work(), package.shape.work());
    let length = shape.output_bytes();
    if shape.work() <= MAX_IMAGE_WORK {
        let image = vec![pixel; package.shape.pixels()];
        let logits = classifier::classify(bytes, &image, 1);
        assert_eq!(logits.is_ok(), pixel <= package.maximum);
        assert!(logits.is_ok_and(|logits| logits.len() == length as usize) || pixel > package.maximum);
    }
    Some(package)
}

/// Checks the limits of `docs/protocol/training.md`.
fn check_shape(shape: &Shape) {
    let [width, height] = [shape.width, shape.height];
    assert!((1..=64).contains(&width) && (1..=64).contains(&height));
    assert!((1..=width).contains(&shape.window_width) && (1..=height).contains(&shape.window_height));
    assert!(shape.padding <= shape.window_width.min(shape.window_height) / 2);
    let positions = |side: u32, window: u32| (side + 2 * shape.padding - window + 1) / shape.pool;
    assert!((1..=8).contains(&shape.pool) && (1..=4096).contains(&shape.channels));
    let positions = positions(width, shape.window_width) * positions(height, shape.window_height);
    assert!((1..=256).contains(&positions) && positions * shape.channels <= 16384);
    assert!((1..=256).contains(&shape.classes));
}

/// A job that trains a perceptron on such images.
fn training(data: BlobRef, [width, height, classes]: [u32; 3], hidden: u32) -> TrainingJob {
    TrainingJob {
        data,
        width,
        height,
        classes,
        network: NetworkShape::Perceptron { hidden },
        seed: [5; 32],
        batch: 2,
        segments: 1,
        segment_steps: 1,
        state_interval: 1,
        rate_shift: 3,
        halve_after: 0,
        momentum_shift: 3,
        start: None,
    }
}

/// Checks bytes as a data set, and returns it if it is one.
pub fn check_data(bytes: &[u8]) -> Option<Dataset> {
    let data = Dataset::decode(bytes).ok()?;
    assert!(data.encode().as_deref() == Ok(bytes), "one data set, one encoding");
    let [width, height, classes] = [data.width, data.height, data.classes].map(u32::from);
    assert!(data.maximum >= 1 && width >= 1 && height >= 1 && classes >= 1);
    assert!(data.count() >= 1 && data.labels.len() == data.count() as usize);
    assert_eq!(
        data.pixels.len() as u64,
        u64::from(width) * u64::from(height) * u64::from(data.count())
    );
    assert!(data.pixels.iter().all(|&pixel| pixel <= data.maximum));
    assert!(data.labels.iter().all(|&class| u32::from(class) < classes));
    let mut inputs = MemoryInputs::new();
    let job = training(insert(&mut inputs, bytes.to_vec()), [width, height, classes], 3);
    if JobSpec::V2(JobKind::Training(job)).validate().is_ok() {
        compute(JobKind::Training(job), &inputs).expect("a valid data set is learnt from");
    }
    Some(data)
}

/// Checks bytes as a checkpoint of a perceptron with `hidden` units for images of two by two pixels in two classes, and
/// returns it if it is one.
pub fn check_checkpoint(bytes: &[u8], hidden: u8, momentum_shift: u8) -> Option<Checkpoint> {
    let data = Dataset {
        maximum: 3,
        width: 2,
        height: 2,
        classes: 2,
        pixels: vec![0, 1, 2, 3, 3, 3, 0, 0],
        labels: vec![0, 1],
    };
    let mut inputs = MemoryInputs::new();
    let data = insert(&mut inputs, data.encode().expect("it is valid"));
    let job = TrainingJob {
        momentum_shift: u32::from(momentum_shift % 7),
        ..training(data, [2; 3], u32::from(hidden % 8) + 1)
    };
    let shape = Shape::of(&job).expect("it is small");
    let checkpoint = Checkpoint::decode(&shape, job.momentum_shift, bytes);
    // An output is a checkpoint and the loss of the only step.
    let output = Output::decode(&job, &[bytes, &[0; 4]].concat());
    assert_eq!(
        output.ok().map(|output| output.checkpoints),
        checkpoint.clone().ok().map(|one| vec![one])
    );
    let checkpoint = checkpoint.ok()?;
    check_state(&checkpoint, &job);
    assert!(checkpoint.encode() == bytes, "one state, one encoding");
    let start = Some(insert(&mut inputs, bytes.to_vec()));
    match compute(JobKind::Training(TrainingJob { start, ..job }), &inputs) {
        Ok(output) => {
            let output = Output::decode(&job, &output).expect("a step makes a state of a state");
            check_state(&output.checkpoints[0], &job);
            assert_eq!(output.checkpoints[0].step, checkpoint.step + 1);
        }
        Err(EngineError::State(StateError::Steps { step: u32::MAX })) => {}
        Err(error) => panic!("a valid state is gone on from: {error}"),
    }
    Some(checkpoint)
}

fn check_state(state: &Checkpoint, job: &TrainingJob) {
    let count = job.weights() as usize;
    assert_eq!([state.weights.len(), state.momenta.len()], [count; 2]);
    assert!(state.weights.iter().all(|weight| weight.unsigned_abs() <= 127 << 16));
    let most = 1 << (22 + job.momentum_shift);
    assert!(state.momenta.iter().all(|momentum| momentum.unsigned_abs() <= most));
    assert!(state.quantised().iter().all(|&weight| weight != i8::MIN));
}
