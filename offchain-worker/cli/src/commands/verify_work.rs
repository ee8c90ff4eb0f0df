//! `agora verify-work`

use crate::{
    args::RunArgs,
    context::{Context, metrics, shutdown},
    exit::CliError,
};
use agora_chain::Submitter;
use agora_worker::{Verifier, VerifierConfig};

pub async fn run(context: &Context, args: RunArgs) -> Result<(), CliError> {
    let shutdown = shutdown();
    let keypair = context.keypair()?;
    let client = context.client().await?;
    let account = keypair.account();
    let journal = context.journal(&client, &account)?;
    let blobs = context.blobs()?;
    let config = VerifierConfig {
        heartbeat_every: args.heartbeat,
        #[cfg(feature = "fault-injection")]
        fault: args.fault,
    };
    let metrics = metrics(args.metrics, &shutdown);
    tracing::info!(%account, "Verifying; Ctrl-C stops.");
    Verifier::new(Submitter::new(client, keypair), journal, blobs, config, metrics)
        .run(shutdown)
        .await?;
    Ok(())
}
