//! `agora devices` and `agora self-test`

use crate::{
    args::{DeviceArgs, DevicesArgs},
    context::Context,
    exit::CliError,
    output::answer,
    progress,
};
use agora_compute::{
    ByteCount, CPU_SELECTOR, DeviceInfo, EngineError, GpuOptions, Measurement, choose_device, gemm::Kernel,
};
use agora_worker::WorkerError;
use serde::Serialize;
use std::{fmt, num::NonZero};

/// A device of this machine.
#[derive(Serialize)]
pub struct Device {
    /// The value of `--device` for it.
    selector: String,
    /// `None`: the processor.
    #[serde(flatten)]
    info: Option<DeviceInfo>,
    /// Of the processor.
    #[serde(flatten)]
    processor: Option<Processor>,
    /// Why it is the processor, although a graphics device was looked for.
    fall_back: Option<String>,
    /// The selector of the same card, listed before through another driver.
    same_as: Option<String>,
    speed: Option<Measurement>,
    /// Why it could not be measured, although that was asked for.
    error: Option<String>,
}

/// What jobs on the processor can use.
#[derive(Serialize)]
struct Processor {
    threads: usize,
    /// The instructions that compute products of matrices.
    instructions: &'static str,
    /// `None` if the system does not tell.
    memory_bytes: Option<u64>,
}

impl Processor {
    fn of_this_machine() -> Self {
        let memory = std::fs::read_to_string("/proc/meminfo").ok();
        Self {
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            instructions: Kernel::best().name(),
            memory_bytes: memory.as_deref().and_then(total_memory),
        }
    }
}

/// The total memory in the text of `/proc/meminfo`, in bytes.
fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The device that `selector` names, or all, the processor last.
fn chosen_devices(selector: Option<&str>) -> Result<Vec<(String, Option<DeviceInfo>)>, EngineError> {
    let devices = match selector {
        Some(selector) => vec![choose_device(selector)?],
        None => agora_compute::devices().into_iter().map(Some).chain([None]).collect(),
    };
    let named = devices.into_iter().map(|info| match info {
        Some(info) => (info.index.to_string(), Some(info)),
        None => (CPU_SELECTOR.to_owned(), None),
    });
    Ok(named.collect())
}

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<Result<T, EngineError>, CliError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|panic| WorkerError::Interrupted(panic.to_string()).into())
}

/// Why `selector` is the processor although it looks for a graphics device, after a warning.
fn warned_fall_back(selector: Option<&str>) -> Option<String> {
    let reason = agora_compute::fall_back_reason(selector?)?;
    tracing::warn!(
        reason,
        "No graphics device is used: the processor computes, and is slower."
    );
    Some(reason)
}

/// Lists the devices, each as soon as it is measured. If one cannot be measured, the others are still listed.
pub async fn list(context: &Context, args: DevicesArgs) -> Result<(), CliError> {
    let fall_back = warned_fall_back(args.device.as_deref());
    let chosen = blocking(move || chosen_devices(args.device.as_deref())).await??;
    let shown = progress::bar(context, "measuring", chosen.len() as u64);
    for (place, (selector, info)) in chosen.iter().cloned().enumerate() {
        let mut device = Device {
            same_as: same_card(&chosen[..place], info.as_ref()),
            processor: info.is_none().then(Processor::of_this_machine),
            selector,
            info,
            fall_back: fall_back.clone(),
            speed: None,
            error: None,
        };
        if args.measure {
            let (selector, options) = (device.selector.clone(), context.gpu_options());
            let measured = blocking(move || {
                let engine = agora_compute::open_engine(&selector, &options)?;
                agora_compute::measure(engine.as_ref())
            });
            match measured.await? {
                Ok(speed) => device.speed = Some(speed),
                Err(error) => device.error = Some(error.to_string()),
            }
        }
        shown.step();
        answer(context, &device, describe);
    }
    Ok(())
}

/// The selector of the first of `listed` that is the same card as `device`.
fn same_card(listed: &[(String, Option<DeviceInfo>)], device: Option<&DeviceInfo>) -> Option<String> {
    let same = |(_, other): &&(String, Option<DeviceInfo>)| matches!((other, device), (Some(other), Some(device)) if other.is_same_card(device));
    listed.iter().find(same).map(|(selector, _)| selector.clone())
}

/// What is known of a device without working with it, or with its self-test.
#[derive(Serialize)]
pub struct DeviceHealth {
    selector: String,
    name: String,
    /// `listed`, `passed` its self-test, or `failed` it.
    health: &'static str,
    /// Why it failed.
    error: Option<String>,
    /// The selector of the same card, listed before through another driver.
    same_as: Option<String>,
}

impl fmt::Display for DeviceHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, ", self.selector, self.name)?;
        match (&self.error, &self.same_as) {
            (_, Some(other)) => write!(f, "the same card as {other}"),
            (Some(error), None) => write!(f, "failed its self-test: {error}"),
            (None, None) if self.health == "passed" => write!(f, "passed its self-test"),
            (None, None) => write!(f, "not tested; --self-test does it"),
        }
    }
}

/// All devices of this machine, the processor last; each tested if `tested`.
pub fn device_health(options: &GpuOptions, tested: bool) -> Vec<DeviceHealth> {
    let listed = chosen_devices(None).unwrap_or_default();
    let mut found = Vec::new();
    for (place, (selector, info)) in listed.iter().enumerate() {
        let same_as = same_card(&listed[..place], info.as_ref());
        let error = (tested && same_as.is_none())
            .then(|| agora_compute::open_engine(selector, options).err())
            .flatten();
        found.push(DeviceHealth {
            selector: selector.clone(),
            name: info
                .as_ref()
                .map_or_else(|| "this machine's processor".to_owned(), |info| info.name.clone()),
            health: match (tested, &error) {
                (false, _) => "listed",
                (true, None) => "passed",
                (true, Some(_)) => "failed",
            },
            error: error.map(|error| error.to_string()),
            same_as,
        });
    }
    found
}

/// A device, with a line for each thing known about it.
fn describe(device: &Device) -> String {
    let name = match &device.info {
        Some(info) => info.to_string(),
        None => "this machine's processor".to_owned(),
    };
    let limits = device.info.as_ref().map(|info| info.limits.to_string());
    let processor = device.processor.as_ref().map(|processor| {
        let memory = processor.memory_bytes.map(ByteCount);
        let memory = memory.map(|memory| format!(", {memory} of memory")).unwrap_or_default();
        format!("{} threads with {}{memory}", processor.threads, processor.instructions)
    });
    let measurement = device.speed.iter();
    let speed = measurement.flat_map(|measurement| &measurement.speeds).map(|speed| {
        let figures: Vec<_> = speed.figures.iter().map(ToString::to_string).collect();
        format!("{:<15} {}", speed.workload, figures.join(", "))
    });
    let error = device
        .error
        .as_ref()
        .map(|error| format!("it cannot be measured: {error}"));
    let same = device
        .same_as
        .as_ref()
        .map(|other| format!("the same card as {other}: it counts once"));
    let lines = limits
        .into_iter()
        .chain(same)
        .chain(processor)
        .chain(speed)
        .chain(error);
    let lines: String = lines.map(|line| format!("\n     {line}")).collect();
    format!("{:<3}  {name}{lines}", device.selector)
}

/// A device that computes the right bits.
#[derive(Serialize)]
pub struct Passed {
    device: String,
    passed: bool,
    /// Why it is the processor, although a graphics device was looked for.
    fall_back: Option<String>,
}

pub async fn self_test(context: &Context, args: DeviceArgs) -> Result<(), CliError> {
    let fall_back = warned_fall_back(args.device.as_deref());
    for (selector, _) in blocking(move || chosen_devices(args.device.as_deref())).await?? {
        // Opening an engine tests it.
        let options = context.gpu_options();
        let opened = blocking(move || {
            let engine = agora_compute::open_engine(&selector, &options)?;
            Ok(engine.name().to_owned())
        });
        let name = opened.await??;
        answer(
            context,
            &Passed {
                device: name,
                passed: true,
                fall_back: fall_back.clone(),
            },
            |one| format!("{}: computes the golden vectors bit for bit", one.device),
        );
    }
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use agora_compute::{DeviceLimits, DeviceType};

    fn info(index: usize, bus: &str) -> DeviceInfo {
        DeviceInfo {
            index,
            name: "card".to_owned(),
            backend: "vulkan".to_owned(),
            driver: "driver".to_owned(),
            device_type: DeviceType::Discrete,
            bus: Some(bus.to_owned()),
            limits: DeviceLimits {
                max_buffer_bytes: 0,
                max_workgroups: 0,
                max_workgroup_invocations: 0,
                max_shared_bytes: 0,
                memory_bytes: None,
            },
        }
    }

    /// All that is printed of a device.
    pub fn examples() -> [serde_json::Value; 2] {
        let device = Device {
            selector: "0".to_owned(),
            info: Some(info(0, "bus")),
            processor: Some(Processor::of_this_machine()),
            fall_back: None,
            same_as: None,
            speed: Some(Measurement {
                speeds: vec![agora_compute::Speed {
                    workload: "synthetic",
                    figures: Vec::new(),
                }],
            }),
            error: None,
        };
        let passed = Passed {
            device: "card".to_owned(),
            passed: true,
            fall_back: None,
        };
        [serde_json::json!(device), serde_json::json!(passed)]
    }

    pub fn health() -> DeviceHealth {
        DeviceHealth {
            selector: "0".to_owned(),
            name: "card".to_owned(),
            health: "listed",
            error: None,
            same_as: None,
        }
    }

    #[test]
    fn one_card_of_two_drivers_is_told_to_be_one() {
        let listed = [("0".to_owned(), Some(info(0, "a"))), ("cpu".to_owned(), None)];
        assert_eq!(same_card(&listed, Some(&info(1, "a"))).as_deref(), Some("0"));
        assert_eq!(same_card(&listed, Some(&info(1, "b"))), None);
        assert_eq!(same_card(&listed, None), None);
    }

    #[test]
    fn memory_is_read_where_the_system_tells_it() {
        let meminfo = "MemTotal:       24689208 kB\nMemFree:          283716 kB\n";
        assert_eq!(total_memory(meminfo), Some(24_689_208 * 1024));
        for other in ["", "MemFree: 1 kB", "MemTotal: many kB", "MemTotal: 1 MB"] {
            assert_eq!(total_memory(other), None, "{other}");
        }
    }
}
