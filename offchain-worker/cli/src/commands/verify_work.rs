//! `agora verify-work`

use crate::{
    args::VerifyWorkArgs,
    commands::addresses,
    context::{Context, go_to_court, keep_house, metrics, shutdown},
    exit::CliError,
    output::say_what_it_is,
};
use agora_worker::{Verifier, VerifierConfig};

pub async fn run(context: &Context, args: VerifyWorkArgs) -> Result<(), CliError> {
    say_what_it_is();
    let shutdown = shutdown();
    // Before there is a node: an orchestrator of processes looks at it from the start.
    let metrics = metrics(args.run.metrics, &shutdown);
    let Some((submitter, journal)) = context.lasting_submitter(&shutdown).await? else {
        return Ok(());
    };
    let account = *submitter.account();
    let engine = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        engine = context.engine(args.device) => engine?,
    };
    let blobs = context.source(&args.run.peers)?.without(args.run.deny.denied());
    let config = VerifierConfig {
        max_job_bytes: args.run.max_job_bytes(),
        recompute: args.recompute.into(),
        max_recompute_work: args.max_recompute_work.into(),
        folder: context.attested(&account)?,
        heartbeat_every: args.run.heartbeat,
        publishers: args.run.publishers.wanted(),
        stop_loss: args.run.risk.stop_loss(),
        #[cfg(feature = "fault-injection")]
        fault: args.run.fault,
    };
    let serving = addresses::serve(&args.run, &blobs, &submitter, &shutdown).await?;
    tracing::info!(%account, device = engine.name(), "Verifying; Ctrl-C stops.");
    keep_house(&args.run, &submitter, &journal, &blobs, &shutdown);
    let folders = [context.tasks(&account)?, context.court(&account)?];
    let court = go_to_court(&args.run, &submitter, &journal, &blobs, folders, &metrics, &shutdown);
    Verifier::new(submitter, journal, blobs, engine, config, metrics)
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
