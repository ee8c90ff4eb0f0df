//! `agora verify-work`

use crate::{
    args::VerifyWorkArgs,
    context::{Context, metrics, serve_blobs, shutdown},
    exit::CliError,
};
use agora_chain::Submitter;
use agora_worker::{Verifier, VerifierConfig};
use std::sync::Arc;

pub async fn run(context: &Context, args: VerifyWorkArgs) -> Result<(), CliError> {
    let shutdown = shutdown();
    let keypair = context.keypair()?;
    let client = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        client = context.lasting_client() => client?,
    };
    let account = keypair.account();
    let journal = context.journal(&client, &account)?;
    let engine = context.engine(args.device).await?;
    let blobs = context.source(&args.run.peers)?;
    let config = VerifierConfig {
        max_job_bytes: args.run.max_job_bytes(),
        heartbeat_every: args.run.heartbeat,
        #[cfg(feature = "fault-injection")]
        fault: args.run.fault,
    };
    let metrics = metrics(args.run.metrics, &shutdown);
    let submitter = Submitter::resume(client, keypair, Arc::new(journal.clone()));
    submitter.start().await?;
    let serving = match args.run.serve {
        Some(address) => Some(serve_blobs(&blobs, address, &shutdown).await?),
        None => None,
    };
    tracing::info!(%account, device = engine.name(), "Verifying; Ctrl-C stops.");
    Verifier::new(submitter, journal, blobs, engine, config, metrics)
        .run(shutdown)
        .await?;
    if let Some(serving) = serving {
        let _ = serving.await;
    }
    Ok(())
}
