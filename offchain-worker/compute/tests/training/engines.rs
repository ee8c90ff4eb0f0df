//! Equality of the engines, on whatever device.

use crate::{
    CONVOLUTION, CPU, GPU, PERCEPTRON,
    check::check,
    engines, gpu,
    jobs::{digits_job, jobs},
    run, spec,
};
use agora_compute::{
    CancelFlag, DeviceError, EngineError, GpuOptions, Inputs, NoProgress, TrainingJob, Verdict,
    classifier::{classify, classify_on_gpu},
    training::{Dataset, Output},
};
use proptest::prelude::*;
use std::sync::Mutex;

proptest! {
    #![proptest_config(agora_test_support::cases(64))]

    #[test]
    fn both_engines_train_the_same_bits((job, inputs) in jobs(), pixels: u64) {
        let [cpu, gpu] = engines().map(|engine| run(engine, job, &inputs).unwrap());
        prop_assert!(cpu == gpu);
        let data = Dataset::decode(&inputs.get(&job.data).unwrap()).unwrap();
        let package = Output::decode(&job, &cpu.output).unwrap().package(&job, data.maximum).unwrap().encode();
        let images: Vec<u8> = data.pixels.iter().map(|&pixel| (u64::from(pixel) ^ pixels).min(data.maximum.into()) as u8).collect();
        let on_gpu = classify_on_gpu(GPU.gpu(), &package, &images, data.count(), &CancelFlag::new()).unwrap();
        prop_assert_eq!(classify(&package, &images, data.count()).unwrap(), on_gpu);
    }

    #[test]
    fn going_on_from_a_checkpoint_gives_the_same_bits((job, mut inputs) in jobs()) {
        let whole = run(&CPU, TrainingJob { segments: 2, ..job }, &inputs).unwrap().output;
        let (first, second) = whole.split_at(whole.len() / 2);
        let start = Some(inputs.insert(&first[..job.state_bytes() as usize]));
        let rest = TrainingJob { segments: 1, start, ..job };
        for engine in engines() {
            prop_assert!(run(engine, rest, &inputs).unwrap().output == second);
        }
        prop_assert_eq!(check(rest, &inputs, second, [0; 32]), Verdict::Right);
    }
}

#[test]
fn every_step_of_a_real_job_is_the_same_on_both_engines() {
    for network in [PERCEPTRON, CONVOLUTION] {
        let (job, inputs) = digits_job(network, 2, 50);
        let job = TrainingJob {
            state_interval: 1,
            ..job
        };
        let [cpu, gpu] = engines().map(|engine| run(engine, job, &inputs).unwrap());
        assert_eq!(cpu.state_digests.len(), 102);
        assert!(cpu == gpu);
    }
}

#[test]
fn small_devices_compute_the_same_bits() {
    let (job, inputs) = digits_job(CONVOLUTION, 2, 10);
    let expected = run(&CPU, job, &inputs).unwrap();
    for options in [
        GpuOptions {
            max_work: Some(1),
            ..GpuOptions::default()
        },
        GpuOptions {
            max_work: Some(1_000_000),
            ..GpuOptions::default()
        },
        GpuOptions {
            max_workgroups: Some(20),
            ..GpuOptions::default()
        },
    ] {
        assert!(run(&gpu(&options), job, &inputs).unwrap() == expected, "{options:?}");
    }
}

#[test]
fn a_device_that_is_too_small_says_so() {
    let (job, inputs) = digits_job(PERCEPTRON, 1, 1);
    let options = GpuOptions {
        max_buffer_bytes: Some(50_000),
        ..GpuOptions::default()
    };
    let error = run(&gpu(&options), job, &inputs).unwrap_err();
    assert!(
        matches!(error, EngineError::Device(DeviceError::Limit { available: 50_000, .. })),
        "{error}"
    );
}

#[test]
fn progress_goes_to_the_end_and_a_cancelled_job_stops() {
    let (job, inputs) = digits_job(PERCEPTRON, 2, 400);
    for engine in engines() {
        let seen = Mutex::new(Vec::new());
        let listen = |done: u32, total: u32| seen.lock().unwrap().push((done, total));
        let short = spec(TrainingJob {
            segment_steps: 40,
            state_interval: 40,
            ..job
        });
        engine.run(&short, &inputs, &listen, &CancelFlag::new()).unwrap();
        let seen = seen.into_inner().unwrap();
        assert_eq!(
            (seen.first(), seen.last()),
            (Some(&(0, 80)), Some(&(80, 80))),
            "{}",
            engine.name()
        );
        assert!(seen.is_sorted());

        let cancel = CancelFlag::new();
        let stop = |done: u32, _: u32| {
            assert!(done < 400, "went on after it was cancelled");
            if done > 0 {
                cancel.cancel();
            }
        };
        let error = engine.run(&spec(job), &inputs, &stop, &cancel).unwrap_err();
        assert!(matches!(error, EngineError::Cancelled), "{error}");
        engine.run(&short, &inputs, &NoProgress, &CancelFlag::new()).unwrap();
    }
}
