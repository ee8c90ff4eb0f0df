//! `agora verify-work`

use crate::{
    args::VerifyWorkArgs,
    commands::mine::serve,
    context::{Context, shutdown},
    exit::CliError,
};
use agora_chain::Submitter;
use agora_worker::{Metrics, Verifier, VerifierConfig};

pub async fn run(context: &Context, args: VerifyWorkArgs) -> Result<(), CliError> {
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
    let metrics = Metrics::default();
    if let Some(address) = args.metrics {
        tokio::spawn(serve(metrics.clone(), address, shutdown.clone()));
    }
    tracing::info!(%account, "Verifying; Ctrl-C stops.");
    Verifier::new(Submitter::new(client, keypair), journal, blobs, config, metrics)
        .run(shutdown)
        .await?;
    Ok(())
}
