//! Deterministic compute engines of the Agora worker, on graphics devices and on the processor.
//!
//! A job ([`JobSpec`]) has one right result, to the bit. [`CpuEngine`] says what it is; [`GpuEngine`] gives the same
//! bytes faster, on whatever adapter, and is tested against it ([`self_test`]). [`check_output`] tells right from wrong
//! at a small part of the work; where two workers differ, [`judge_step`] decides at the cost of one step.
//!
//! This crate knows no chain, reads no environment and prints nothing. Computing blocks the thread.
//!
//! Its modules, each of which knows only those before it: `device` (adapters, buffers, submissions), `kernels` (exact
//! integer products), `networks` (transformers, classifiers), `kinds` (a module for each kind of jobs), and on top the
//! engines, judging, measuring and the self-test, which are the same for every kind.
//!
//! ```
//! use agora_compute::{CancelFlag, CpuEngine, Engine, JobKind, JobSpec, NoInputs, NoProgress, SyntheticJob};
//!
//! let job = SyntheticJob { seed: [7; 32], matrix_size: 33, iterations: 4 };
//! let job = JobSpec::V1(JobKind::Synthetic(job));
//! let computation = CpuEngine::new().run(&job, &NoInputs, &NoProgress, &CancelFlag::new())?;
//! assert_eq!(computation.digest(), agora_compute::output_digest(&computation.output));
//! assert!(agora_compute::check_output(&job, &NoInputs, &computation.output, &[1; 32])?.is_right());
//! # Ok::<(), agora_compute::EngineError>(())
//! ```

#![deny(missing_docs)]

mod computation;
mod device;
mod digest;
mod engine;
mod inputs;
mod judge;
mod kernels;
mod kinds;
mod measure;
mod networks;
mod run;
mod self_test;

pub use agora_math::merkle::OUTPUT_CHUNK;
pub use agora_primitives::job::{
    BlobRef, InferenceJob, InferenceTask, JobKind, JobSpec, MatmulJob, NetworkShape, Region, RenderingJob,
    SyntheticJob, TrainingJob,
};
pub use computation::Computation;
pub use device::{AUTO_SELECTOR, DeviceError, DeviceInfo, DeviceLimits, DeviceType, devices, find_device};
pub use digest::output_digest;
pub use engine::{CpuEngine, Engine, GpuEngine};
pub use inputs::{InputError, Inputs, MemoryInputs, NoInputs};
pub use judge::{check_output, judge_outputs, judge_step, state_before, trace_length};
pub use kernels::{
    cpu as gemm,
    gpu::{Configuration, Gpu, GpuOptions},
};
pub use kinds::{
    EngineError, ItemsError, JudgeError, Place, Verdict, encode_items, rendering::scene, synthetic, training,
};
pub use measure::{Figure, Measurement, Speed, capability, measure};
pub use networks::{classifier, transformer};
pub use run::{CancelFlag, NoProgress, Progress};
pub use self_test::self_test;

/// The name by which the processor is selected instead of an adapter.
pub const CPU_SELECTOR: &str = "cpu";

/// The adapter that `selector` names, or `None` for the processor: `cpu`, an adapter as in [`find_device`], or `auto`
/// for the best adapter that is not software, and the processor where there is none. All compute the same bits, and the
/// processor is several times as fast as a software adapter.
///
/// Errors: as [`find_device`].
pub fn choose_device(selector: &str) -> Result<Option<DeviceInfo>, EngineError> {
    match selector {
        CPU_SELECTOR => Ok(None),
        AUTO_SELECTOR => {
            // The best first.
            let best = devices().into_iter().next();
            Ok(best.filter(|device| device.device_type != DeviceType::Software))
        }
        _ => Ok(Some(find_device(selector)?)),
    }
}

/// Opens the engine that `selector` names, as in [`choose_device`], and tests it. `options` are for adapters.
///
/// Errors: as [`choose_device`], [`GpuEngine::open`] and [`self_test`].
pub fn open_engine(selector: &str, options: &GpuOptions) -> Result<Box<dyn Engine>, EngineError> {
    let engine: Box<dyn Engine> = match choose_device(selector)? {
        None => Box::new(CpuEngine::new()),
        Some(device) => Box::new(GpuEngine::open(&device, options)?),
    };
    self_test(engine.as_ref())?;
    tracing::info!(engine = engine.name(), "The engine passed its self-test.");
    Ok(engine)
}
