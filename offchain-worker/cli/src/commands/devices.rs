//! `agora devices` and `agora self-test`

use crate::{
    args::{DeviceArgs, DevicesArgs},
    context::Context,
    exit::CliError,
    output::answer,
};
use agora_compute::{DeviceInfo, EngineError};
use agora_miner::MinerError;
use serde::Serialize;

#[derive(Serialize)]
struct Device {
    /// What `--device` takes for it.
    selector: String,
    /// `None`: the processor.
    #[serde(flatten)]
    info: Option<DeviceInfo>,
    gops: Option<f64>,
}

/// All devices, the processor last.
fn all_devices() -> Vec<(String, Option<DeviceInfo>)> {
    agora_compute::devices()
        .into_iter()
        .map(|info| (info.index.to_string(), Some(info)))
        .chain([("cpu".to_owned(), None)])
        .collect()
}

/// Runs `work` where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, CliError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(panic) => Err(MinerError::Interrupted(panic.to_string()).into()),
    }
}

pub async fn list(context: &Context, args: DevicesArgs) -> Result<(), CliError> {
    let options = context.gpu_options();
    let devices = blocking(move || {
        all_devices()
            .into_iter()
            .map(|(selector, info)| {
                let gops = if args.measure {
                    let engine = agora_compute::open_engine(&selector, &options)?;
                    Some(agora_compute::measure(engine.as_ref())?.gops)
                } else {
                    None
                };
                Ok(Device { selector, info, gops })
            })
            .collect::<Result<Vec<_>, EngineError>>()
    })
    .await?;
    for device in &devices {
        answer(context, device, |device| {
            let speed = device.gops.map(|gops| format!(" · {gops:.1} GOPS")).unwrap_or_default();
            let name = device.info.as_ref().map_or_else(
                || "this machine's processor".to_owned(),
                |info| {
                    format!(
                        "{} ({}, {}, {})",
                        info.name, info.device_type, info.backend, info.driver
                    )
                },
            );
            format!("{:<3}  {name}{speed}", device.selector)
        });
    }
    Ok(())
}

#[derive(Serialize)]
struct Passed {
    device: String,
    passed: bool,
}

pub async fn self_test(context: &Context, args: DeviceArgs) -> Result<(), CliError> {
    let selectors = match args.device {
        Some(selector) => vec![selector],
        None => blocking(|| Ok(all_devices()))
            .await?
            .into_iter()
            .map(|(selector, _)| selector)
            .collect(),
    };
    for selector in selectors {
        // Opening an engine is testing it.
        let options = context.gpu_options();
        let opened = move || agora_compute::open_engine(&selector, &options).map(|engine| engine.name().to_owned());
        let name = blocking(opened).await?;
        answer(
            context,
            &Passed {
                device: name,
                passed: true,
            },
            |one| format!("{}: computes the golden vectors bit for bit", one.device),
        );
    }
    Ok(())
}
