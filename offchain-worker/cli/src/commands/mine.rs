//! `agora mine`

use crate::{
    args::MineArgs,
    context::{Context, metrics, shutdown},
    exit::CliError,
};
use agora_chain::Submitter;
use agora_compute::{Engine, EngineError, GpuOptions};
use agora_primitives::participants::Role;
use agora_worker::{Policy, Worker, WorkerConfig, WorkerError};
use std::sync::Arc;

pub async fn run(context: &Context, args: MineArgs) -> Result<(), CliError> {
    let shutdown = shutdown();
    let keypair = context.keypair()?;
    let client = context.client().await?;
    let account = keypair.account();
    let at = client.best().await?;
    let participant = at
        .participant(&account, Role::Worker)
        .await?
        .ok_or_else(|| WorkerError::NotRegistered {
            account: account.to_string(),
            role: Role::Worker,
        })?;
    let block_ms = at.block_time_ms().await?;
    let journal = context.journal(&client, &account)?;
    let blobs = context.blobs()?;
    let tasks = context.tasks(&account)?;
    let engines = open_engines(args.devices, context.gpu_options()).await?;
    for engine in &engines {
        tracing::info!(device = engine.name(), "The device passed its self-test.");
    }
    let config = WorkerConfig {
        policy: Policy {
            specialisations: participant.specialisations,
            max_work: args.max_work.into(),
            min_reward_per_giga_op: args.min_reward.0,
            max_bond: args.max_bond.0,
            operations_per_second: Some(u64::from(participant.capability).saturating_mul(1_000_000_000) / 2),
            block_ms,
        },
        slots: participant.slots as usize,
        heartbeat_every: args.run.heartbeat,
        #[cfg(feature = "fault-injection")]
        fault: args.run.fault,
    };
    let metrics = metrics(args.run.metrics, &shutdown);
    tracing::info!(%account, slots = config.slots, "Working; Ctrl-C stops.");
    Worker::new(
        Submitter::new(client, keypair),
        journal,
        blobs,
        tasks,
        engines,
        config,
        metrics,
    )
    .run(shutdown)
    .await?;
    Ok(())
}

/// Opens and self-tests every device named.
async fn open_engines(selectors: Vec<String>, options: GpuOptions) -> Result<Vec<Arc<dyn Engine>>, CliError> {
    let opened = tokio::task::spawn_blocking(move || {
        selectors
            .iter()
            .map(|selector| agora_compute::open_engine(selector, &options).map(Arc::from))
            .collect::<Result<Vec<Arc<dyn Engine>>, EngineError>>()
    })
    .await;
    match opened {
        Ok(engines) => Ok(engines?),
        Err(panic) => Err(WorkerError::Interrupted(panic.to_string()).into()),
    }
}
