use super::*;
use crate::{
    device::{
        Caps,
        testing::{Sabotage, first_device},
    },
    kernels::gpu::GpuOptions,
    kinds::{
        Workload,
        training::{Steps, prepare},
    },
    run::{CancelFlag, NoProgress},
};
use agora_primitives::job::{JobKind, JobSpec};

#[test]
fn a_device_that_computes_an_impossible_state_is_not_taken_for_unusable_inputs() {
    let caps = Caps {
        sabotage: Some(Sabotage(|_, shader| {
            shader.replace("state[id] = weight;", "state[id] = 2000000000;")
        })),
        ..Caps::default()
    };
    let gpu = Gpu::open_within(&first_device(), &GpuOptions::default(), caps).unwrap();
    let sample = Steps::new().unwrap().job(2).unwrap();
    let JobSpec::V2(JobKind::Training(job)) = sample.spec else {
        panic!("it trains")
    };
    let cancel = CancelFlag::new();
    let run = Run {
        inputs: &sample.inputs,
        progress: &NoProgress,
        cancel: &cancel,
    };
    let (data, state) = prepare(&job, &sample.inputs).unwrap();
    let error = train(&job, &gpu, &data, state, &run).unwrap_err();
    assert!(
        matches!(error, EngineError::Device(_)) && !error.is_unusable(),
        "{error}"
    );
    assert!(error.to_string().contains("impossible state"), "{error}");
}
