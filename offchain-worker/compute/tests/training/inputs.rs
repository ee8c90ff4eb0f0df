//! Inputs that are refused, and the bytes of data sets and checkpoints.

use crate::{
    CPU, PERCEPTRON, engines,
    jobs::{digits_job, training_digits},
    run,
};
use agora_compute::{
    EngineError, MemoryInputs, TrainingJob,
    classifier::Package,
    training::{Checkpoint, DataError, Dataset, Output, StateError},
};

/// Why both engines refuse `job`: they say the same, and that its inputs are unusable.
fn refused(job: TrainingJob, inputs: &MemoryInputs) -> EngineError {
    let [cpu, gpu] = engines().map(|engine| run(engine, job, inputs).unwrap_err());
    assert_eq!(cpu.to_string(), gpu.to_string());
    assert!(cpu.is_unusable() && gpu.is_unusable(), "{cpu}");
    gpu
}

#[test]
fn data_sets_that_do_not_fit_the_job_are_refused() {
    let (job, mut inputs) = digits_job(PERCEPTRON, 1, 1);
    let narrow = TrainingJob {
        width: 4,
        height: 16,
        ..job
    };
    for bad in [TrainingJob { classes: 9, ..job }, narrow] {
        let error = refused(bad, &inputs);
        assert!(matches!(error, EngineError::Data(DataError::Unfit { .. })), "{error}");
    }
    // The first pixel that may be too bright, the last one, and a class that there is not.
    let data = training_digits().encode().unwrap();
    let labels = data.len() - training_digits().labels.len();
    for (at, byte) in [(16, 17), (16 + 70, 255), (labels - 1, 17), (data.len() - 1, 10)] {
        let mut data = data.clone();
        data[at] = byte;
        let data = inputs.insert(data);
        let error = refused(TrainingJob { data, ..job }, &inputs);
        let is_expected = match error {
            EngineError::Data(DataError::Pixel(_)) => at < labels,
            EngineError::Data(DataError::Class { .. }) => at >= labels,
            _ => false,
        };
        assert!(is_expected, "{at}: {error}");
    }
}

#[test]
fn starts_out_of_bounds_are_refused() {
    let (job, mut inputs) = digits_job(PERCEPTRON, 1, 1);
    let mut checkpoint = run(&CPU, job, &inputs).unwrap().output;
    checkpoint.truncate(job.state_bytes() as usize);
    let last = checkpoint.len() - 4;
    let mut start_with = |at: usize, bytes: [u8; 4]| {
        let mut start = checkpoint.clone();
        start[at..at + 4].copy_from_slice(&bytes);
        let start = Some(inputs.insert(start));
        refused(TrainingJob { start, ..job }, &inputs)
    };
    let error = start_with(0, u32::MAX.to_le_bytes());
    assert!(
        matches!(error, EngineError::State(StateError::Steps { step: u32::MAX })),
        "{error}"
    );
    let error = start_with(8, (128i32 << 16).to_le_bytes());
    assert!(
        matches!(error, EngineError::State(StateError::Range { at: 8, .. })),
        "{error}"
    );
    let error = start_with(last, i32::MIN.to_le_bytes());
    assert!(
        matches!(error, EngineError::State(StateError::Range { found: i32::MIN, .. })),
        "{error}"
    );
    // Of another length, it is no start of this job: that is known when it is published.
    let start = Some(inputs.insert(*b"short"));
    for engine in engines() {
        let error = run(engine, TrainingJob { start, ..job }, &inputs).unwrap_err();
        assert!(matches!(error, EngineError::Job(_)), "{error}");
    }
}

#[test]
fn the_bits_of_a_data_set_are_checked_before_they_are_used() {
    let bytes = training_digits().encode().unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        Dataset::decode(&bytes).unwrap_err()
    };
    assert_eq!(with(0, 0), DataError::NoDataset);
    assert_eq!(with(4, 2), DataError::NoDataset);
    assert_eq!(with(5, 0), DataError::Zero("largest pixel"));
    assert_eq!(with(10, 0), DataError::Zero("number of classes"));
    assert!(matches!(with(7, 0xff), DataError::Length { .. }));
    assert!(matches!(with(15, 0xff), DataError::Length { .. }));
    let last = bytes.len() - 1;
    assert!(matches!(
        with(last, 10),
        DataError::Class {
            class: 10,
            classes: 10,
            ..
        }
    ));
    assert_eq!(Dataset::decode(&bytes[..15]), Err(DataError::NoDataset));
    assert!(matches!(Dataset::decode(&bytes[..last]), Err(DataError::Length { .. })));
    let empty = Dataset {
        pixels: vec![],
        labels: vec![],
        ..training_digits()
    };
    assert_eq!(empty.encode(), Err(DataError::Zero("number of images")));
}

#[test]
fn a_checkpoint_is_its_bytes() {
    let (job, inputs) = digits_job(PERCEPTRON, 1, 2);
    let output = run(&CPU, job, &inputs).unwrap().output;
    let decoded = Output::decode(&job, &output).unwrap();
    assert_eq!(decoded.losses.len(), 2);
    let checkpoint: &Checkpoint = &decoded.checkpoints[0];
    assert_eq!(checkpoint.step, 2);
    assert_eq!(checkpoint.encode(), &output[..job.state_bytes() as usize]);
    assert!(Package::decode(&decoded.package(&job, 16).unwrap().encode()).is_ok());
    assert!(matches!(Output::decode(&job, &output[1..]), Err(EngineError::State(_))));
}
