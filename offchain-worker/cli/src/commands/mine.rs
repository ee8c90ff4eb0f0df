//! `agora mine`

use crate::{
    args::MineArgs,
    context::{Context, metrics, shutdown},
    exit::CliError,
};
use agora_chain::Submitter;
use agora_primitives::participants::Role;
use agora_worker::{Policy, Worker, WorkerConfig, WorkerError};

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
    let mut engines = Vec::new();
    for device in args.devices {
        engines.push(context.engine(device).await?);
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
