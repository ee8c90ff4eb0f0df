//! `agora mine`

use crate::{
    args::MineArgs,
    commands::addresses,
    context::{Context, go_to_court, keep_house, metrics, shutdown},
    exit::CliError,
    output::say_what_it_is,
};
use agora_chain::patiently;
use agora_compute::{AUTO_SELECTOR, DeviceInfo, DeviceType, Engine, EngineError, GpuOptions};
use agora_primitives::participants::Role;
use agora_worker::{Openings, Policy, Worker, WorkerConfig, WorkerError};
use std::sync::Arc;

pub async fn run(context: &Context, args: MineArgs) -> Result<(), CliError> {
    say_what_it_is();
    let shutdown = shutdown();
    // Before there is a node: an orchestrator of processes looks at it from the start.
    let metrics = metrics(args.run.metrics, &shutdown);
    let Some((submitter, journal)) = context.lasting_submitter(&shutdown).await? else {
        return Ok(());
    };
    let account = *submitter.account();
    let at = patiently(|| submitter.client().best()).await?;
    let participant = at
        .participant(&account, Role::Worker)
        .await?
        .ok_or_else(|| WorkerError::NotRegistered {
            account: account.to_string(),
            role: Role::Worker,
        })?;
    let block_ms = at.block_time_ms().await?;
    let blobs = context.source(&args.run.peers)?.without(args.run.deny.denied());
    let tasks = context.tasks(&account)?;
    let engines = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        engines = open_engines(args.devices.clone(), context.gpu_options()) => engines?,
    };
    for engine in &engines {
        tracing::info!(device = engine.name(), "The device passed its self-test.");
    }
    let config = WorkerConfig {
        policy: Policy {
            publishers: args.run.publishers.wanted(),
            specialisations: participant.specialisations,
            max_work: args.max_work.into(),
            max_job_bytes: args.run.max_job_bytes(),
            memory_bytes: args.run.max_job_bytes().saturating_mul(2),
            min_reward_per_giga_op: args.min_reward.0,
            min_profit: args.min_profit.0,
            power: args.power(),
            max_bond: args.max_bond.0,
            max_exposure: args.max_exposure(),
            stop_loss: args.run.risk.stop_loss(),
            block_ms,
        },
        openings: Openings {
            hours: args.hours,
            pause_file: Some(context.pause_file()?),
        },
        heartbeat_every: args.run.heartbeat,
        decoys: args.decoys,
        #[cfg(feature = "fault-injection")]
        fault: args.run.fault,
    };
    let serving = addresses::serve(&args.run, &blobs, &submitter, &shutdown).await?;
    tracing::info!(%account, slots = participant.slots, "Working; Ctrl-C stops.");
    keep_house(&args.run, &submitter, &journal, &blobs, &shutdown);
    let court = go_to_court(
        &args.run,
        &submitter,
        &journal,
        &blobs,
        [tasks.clone(), context.court(&account)?],
        &metrics,
        &shutdown,
    );
    Worker::new(submitter, journal, blobs, tasks, engines, config, metrics)?
        .run(shutdown)
        .await?;
    if let Some(court) = court {
        let _ = court.await;
    }
    if let Some(serving) = serving {
        let _ = serving.await;
    }
    Ok(())
}

/// Names every graphics device that works.
const ALL_SELECTOR: &str = "all";

/// Opens and self-tests every device named, each once.
async fn open_engines(selectors: Vec<String>, options: GpuOptions) -> Result<Vec<Arc<dyn Engine>>, CliError> {
    let opened = tokio::task::spawn_blocking(move || {
        if selectors
            .iter()
            .any(|selector| selector.trim().eq_ignore_ascii_case(ALL_SELECTOR))
        {
            return open_all(&options);
        }
        let (selectors, repeated) = agora_compute::distinct_devices(&selectors)?;
        for why in repeated {
            tracing::warn!("{why}");
        }
        let engines = selectors
            .iter()
            .map(|selector| agora_compute::open_engine(selector, &options).map(Arc::from));
        engines.collect()
    })
    .await;
    match opened {
        Ok(engines) => Ok(engines?),
        Err(panic) => Err(WorkerError::Interrupted(panic.to_string()).into()),
    }
}

/// Opens every graphics device that is no software and works, each card once, or the processor if there is none.
fn open_all(options: &GpuOptions) -> Result<Vec<Arc<dyn Engine>>, EngineError> {
    let (mut engines, mut opened) = (Vec::<Arc<dyn Engine>>::new(), Vec::<DeviceInfo>::new());
    for device in agora_compute::devices() {
        if device.device_type == DeviceType::Software || opened.iter().any(|other| device.is_same_card(other)) {
            continue;
        }
        match agora_compute::open_engine(&format!("#{}", device.index), options) {
            Ok(engine) => {
                engines.push(Arc::from(engine));
                opened.push(device);
            }
            Err(error) => tracing::warn!(%device, %error, "A graphics device is left out."),
        }
    }
    if engines.is_empty() {
        engines.push(Arc::from(agora_compute::open_engine(AUTO_SELECTOR, options)?));
    }
    Ok(engines)
}
