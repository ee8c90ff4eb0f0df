//! `agora verify-work`

use crate::{
    args::VerifyWorkArgs,
    context::{Context, metrics, shutdown},
    exit::CliError,
};
use agora_chain::Submitter;
use agora_worker::{Verifier, VerifierConfig};

pub async fn run(context: &Context, args: VerifyWorkArgs) -> Result<(), CliError> {
    let shutdown = shutdown();
    let keypair = context.keypair()?;
    let client = context.client().await?;
    let account = keypair.account();
    let journal = context.journal(&client, &account)?;
    let blobs = context.blobs()?;
    let engine = context.engine(args.device).await?;
    let config = VerifierConfig {
        heartbeat_every: args.run.heartbeat,
        #[cfg(feature = "fault-injection")]
        fault: args.run.fault,
    };
    let metrics = metrics(args.run.metrics, &shutdown);
    tracing::info!(%account, device = engine.name(), "Verifying; Ctrl-C stops.");
    Verifier::new(Submitter::new(client, keypair), journal, blobs, engine, config, metrics)
        .run(shutdown)
        .await?;
    Ok(())
}
