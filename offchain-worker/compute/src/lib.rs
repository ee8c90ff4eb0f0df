//! Deterministic compute engines of the Agora worker, on graphics devices and on the processor.
//!
//! A job ([`JobSpec`]) has one right result, to the bit. `agora-reference` says what it is;
//! [`CpuEngine`] and [`GpuEngine`] give the same bytes faster, and are tested when they are opened ([`self_test`]).
//! [`Engine::check_output`] tells right from wrong at a small part of the work. Where two workers differ, `agora-reference`
//! decides by one unit of the first state in which they do.
//!
//! This crate knows no chain, reads no environment and prints nothing. Computing blocks the thread.
//!
//! Its modules, each of which knows only those before it: `device` (adapters, buffers, submissions), `kernels` (exact
//! integer products), `networks` (transformers, classifiers), `kinds` (a module for each kind of jobs), and on top the
//! engines, measuring and the self-test, which are the same for every kind.
//!
//! ```
//! use agora_compute::{CancelFlag, CpuEngine, Engine, JobKind, JobSpec, NoInputs, NoProgress, SyntheticJob};
//!
//! let job = SyntheticJob { seed: [7; 32], matrix_size: 33, iterations: 4 };
//! let job = JobSpec::V2(JobKind::Synthetic(job));
//! let engine = CpuEngine::new();
//! let computation = engine.run(&job, &NoInputs, &NoProgress, &CancelFlag::new())?;
//! assert_eq!(computation.digest(), agora_compute::output_digest(&computation.output));
//! assert!(engine.check_output(&job, &NoInputs, &computation.output, &[1; 32])?.is_right());
//! # Ok::<(), agora_compute::EngineError>(())
//! ```

#![deny(missing_docs)]

mod amounts;
mod computation;
mod device;
mod digest;
mod engine;
mod inputs;
mod kernels;
mod kinds;
mod measure;
mod networks;
mod run;
mod self_test;

pub use agora_primitives::job::{
    BlobRef, Claim, ClassifierShape, InferenceJob, InferenceNetwork, JobKind, JobSpec, MatmulJob, NetworkShape,
    ProgramJob, Region, RenderingJob, SyntheticJob, TrainingJob,
};
pub use amounts::ByteCount;
pub use computation::Computation;
pub use device::{AUTO_SELECTOR, DeviceError, DeviceInfo, DeviceLimits, DeviceType, devices, find_device};
pub use digest::output_digest;
use engine::StandIn;
pub use engine::{CpuEngine, Engine, GpuEngine};
pub use inputs::{InputError, Inputs, MemoryInputs, NoInputs};
pub use kernels::{
    cpu as gemm,
    gpu::{Configuration, Gpu, GpuOptions},
};
pub use kinds::{
    EngineError, ItemsError, Place, Verdict, encode_items, program, rendering::scene, synthetic, training,
};
pub use measure::{Benchmark, Figure, Measurement, Speed, capability, measure};
pub use networks::{classifier, transformer};
pub use run::{CancelFlag, NoProgress, Progress};
pub use self_test::self_test;

/// The multiply–adds of `job`, as far as its time follows from the speed that its kind is [measured](Benchmark) with: more than its work, if it
/// leaves a part of the device idle that is used then.
pub fn load(job: &JobSpec) -> u128 {
    kinds::of(job).load().unwrap_or_else(|| job.work())
}

/// Whether every engine computes `job` on the processor: of several engines of one machine, one is enough for such jobs.
pub fn is_for_processor(job: &JobSpec) -> bool {
    kinds::of(job).is_for_processor()
}

/// Whether `job` may end long before its work is done, so that the time it takes tells nothing about other jobs.
pub fn may_end_early(job: &JobSpec) -> bool {
    kinds::of(job).may_end_early()
}

/// The name by which the processor is selected instead of an adapter.
pub const CPU_SELECTOR: &str = "cpu";

/// The adapter that `selector` names, or `None` for the processor: `cpu`, an adapter as in [`find_device`], or `auto`
/// for the best adapter that is not software, and the processor where there is none. Capitals do not matter. All compute
/// the same bits, and the processor is several times as fast as a software adapter.
///
/// Errors: as [`find_device`].
pub fn choose_device(selector: &str) -> Result<Option<DeviceInfo>, EngineError> {
    match selector.trim().to_lowercase().as_str() {
        CPU_SELECTOR => Ok(None),
        AUTO_SELECTOR => {
            // The best first.
            let best = devices().into_iter().next();
            Ok(best.filter(|device| device.device_type != DeviceType::Software))
        }
        _ => Ok(Some(find_device(selector)?)),
    }
}

/// Why `selector` names the processor although it looks for a graphics device: `None` unless it is `auto` and
/// [`choose_device`] finds none.
pub fn fall_back_reason(selector: &str) -> Option<String> {
    let best = is_auto(selector).then(devices)?.into_iter().next();
    match best {
        None => Some("there is no graphics adapter with a driver".to_owned()),
        Some(device) if device.device_type == DeviceType::Software => {
            Some(format!("the only graphics adapter is software: {device}"))
        }
        Some(_) => None,
    }
}

fn is_auto(selector: &str) -> bool {
    selector.trim().eq_ignore_ascii_case(AUTO_SELECTOR)
}

/// The selectors of `selectors` that name different devices, in their order, and a sentence for each that names one that
/// was named before: two selectors of one device do not make it two.
///
/// Errors: as [`choose_device`].
pub fn distinct_devices(selectors: &[String]) -> Result<(Vec<String>, Vec<String>), EngineError> {
    let chosen = selectors
        .iter()
        .map(|selector| Ok((selector.as_str(), choose_device(selector)?)))
        .collect::<Result<Vec<_>, EngineError>>()?;
    Ok(distinct(&chosen))
}

fn distinct(chosen: &[(&str, Option<DeviceInfo>)]) -> (Vec<String>, Vec<String>) {
    let (mut kept, mut repeated) = (Vec::<&(&str, Option<DeviceInfo>)>::new(), Vec::new());
    for named in chosen {
        let same = kept.iter().find(|(_, other)| match (other, &named.1) {
            (Some(one), Some(other)) => one.is_same_card(other),
            (None, None) => true,
            _ => false,
        });
        match same {
            Some((first, _)) => repeated.push(format!("device {:?} is the same as {first:?} and counts once", named.0)),
            None => kept.push(named),
        }
    }
    (
        kept.iter().map(|(selector, _)| (*selector).to_owned()).collect(),
        repeated,
    )
}

/// Opens the engine that `selector` names, as in [`choose_device`], and tests it. `options` are for adapters. For `auto`
/// the next adapter is opened where one cannot be used, and the processor where there is no other: with a warning, and
/// [`Engine::fall_back`] has the reason.
///
/// Errors: as [`choose_device`], [`GpuEngine::open`] and [`self_test`].
pub fn open_engine(selector: &str, options: &GpuOptions) -> Result<Box<dyn Engine>, EngineError> {
    let engine: Box<dyn Engine> = match selector {
        auto if is_auto(auto) => open_best(options)?,
        _ => match choose_device(selector)? {
            None => tested(CpuEngine::new())?,
            Some(device) => tested(GpuEngine::open(&device, options)?)?,
        },
    };
    tracing::info!(engine = engine.name(), "The engine passed its self-test.");
    Ok(engine)
}

/// The best adapter that works, or the processor.
fn open_best(options: &GpuOptions) -> Result<Box<dyn Engine>, EngineError> {
    let mut reasons: Vec<String> = fall_back_reason(AUTO_SELECTOR).into_iter().collect();
    let hardware = devices()
        .into_iter()
        .filter(|device| device.device_type != DeviceType::Software);
    for device in hardware {
        match GpuEngine::open(&device, options).and_then(tested) {
            Ok(engine) => return Ok(engine),
            Err(error) => {
                let reason = format!("{device} cannot be used: {error}");
                tracing::warn!(reason, "A graphics device is left out.");
                reasons.push(reason);
            }
        }
    }
    let reason = reasons.join("; ");
    tracing::warn!(
        reason,
        "No graphics device is used: the processor computes, and is slower."
    );
    tested(StandIn::new(reason))
}

fn tested<E: Engine + 'static>(engine: E) -> Result<Box<dyn Engine>, EngineError> {
    self_test(&engine)?;
    Ok(Box::new(engine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_named_twice_is_one_device() {
        let (kept, repeated) = distinct(&[("cpu", None), ("CPU", None)]);
        assert_eq!(kept, ["cpu"]);
        assert_eq!(repeated, ["device \"CPU\" is the same as \"cpu\" and counts once"]);
    }

    #[test]
    fn a_card_named_twice_is_one_device() {
        let card = |index: usize, bus: &str| {
            Some(DeviceInfo {
                index,
                name: "RTX 4090".to_owned(),
                backend: "vulkan".to_owned(),
                driver: String::new(),
                device_type: DeviceType::Discrete,
                bus: Some(bus.to_owned()).filter(|bus| !bus.is_empty()),
                limits: DeviceLimits {
                    max_buffer_bytes: 0,
                    max_workgroups: 0,
                    max_workgroup_invocations: 0,
                    max_shared_bytes: 0,
                    memory_bytes: None,
                },
            })
        };
        // By digits, by digits behind `#`, and as two drivers see one card. Of drivers that do not tell where cards are, the
        // number alone says which is which.
        let named = [
            ("0", card(0, "")),
            ("1", card(1, "0000:01:00.0")),
            ("0", card(0, "")),
            ("cpu", None),
            ("#1", card(1, "0000:01:00.0")),
            ("2", card(2, "0000:01:00.0")),
            ("3", card(3, "")),
        ];
        let (kept, repeated) = distinct(&named);
        assert_eq!(kept, ["0", "1", "cpu", "3"]);
        let said = [("0", "0"), ("#1", "1"), ("2", "1")];
        let said = said.map(|(again, first)| format!("device {again:?} is the same as {first:?} and counts once"));
        assert_eq!(repeated, said);
    }

    #[test]
    fn the_processor_is_named_in_any_case() {
        for selector in ["cpu", "CPU", " Cpu "] {
            assert!(matches!(choose_device(selector), Ok(None)), "{selector:?}");
        }
    }
}
