//! `agora verify`

use crate::{args::VerifyArgs, context::Context, exit::CliError, output::answer};
use agora_blobs::Blobs;
use agora_chain::{BlockNumber, H256, verify_result};
use agora_compute::Verdict;
use agora_primitives::{TaskId, job::Claim};
use serde::Serialize;

/// A result that is proven to be settled.
#[derive(Serialize)]
pub struct Verified {
    task: TaskId,
    /// The digest of the output; absent: the inputs were found unusable.
    digest: Option<String>,
    claim: Claim,
    winner: String,
    header: BlockNumber,
    header_hash: String,
    compute_root: String,
    /// Whether the result itself was checked, and how.
    check: Option<&'static str>,
}

pub async fn run(context: &Context, args: VerifyArgs) -> Result<(), CliError> {
    let task = TaskId(args.task);
    let client = context.client().await?;
    let header = match &args.header {
        Some(text) => {
            let mut hash = [0; 32];
            hex::decode_to_slice(text.trim_start_matches("0x"), &mut hash)
                .map_err(|_| CliError::Usage("--header takes a block hash: 64 hex digits".to_owned()))?;
            client.header(H256(hash)).await?
        }
        None => client.finalised_header().await?,
    };
    let proof = client.result_proof(task, header.block.hash).await?;
    let verified = verify_result(&header, task, &proof).map_err(|error| CliError::Unverified(error.to_string()))?;
    let check = if args.check {
        let blobs = context.source(&args.peers)?;
        Some(check(context, &blobs, &client, task, verified.leaf.claim, args.device).await?)
    } else {
        None
    };
    let answered = Verified {
        task,
        digest: verified.leaf.claim.output().map(|output| format!("{:#x}", output.hash)),
        claim: verified.leaf.claim,
        winner: verified.leaf.winner.to_string(),
        header: header.block.number,
        header_hash: format!("{:#x}", header.block.hash),
        compute_root: format!("{:#x}", verified.compute_root),
        check,
    };
    answer(context, &answered, |one| {
        let check = one
            .check
            .map(|how| format!("\n  check       {how}"))
            .unwrap_or_default();
        format!(
            "Task {} was settled: proven by header {} alone.\n  header      {}\n  compute root {}\n  result      {}\n  winner      {}{check}",
            one.task, one.header, one.header_hash, one.compute_root, one.claim, one.winner
        )
    });
    Ok(())
}

/// Checks the result itself with a seed drawn here, for which nobody could prepare.
async fn check(
    context: &Context,
    blobs: &Blobs,
    client: &agora_chain::Client,
    task: TaskId,
    claim: Claim,
    device: String,
) -> Result<&'static str, CliError> {
    let at = client.best().await?;
    let view = at.task(task).await?;
    let view =
        view.ok_or_else(|| CliError::NotFound(format!("the chain does not know the job of task {task} any more")))?;
    let blobs = agora_worker::with_sources(blobs, &at, &view, None).await;
    let (job, inputs) = agora_worker::load_job(&blobs, &view.job).await?;
    let output = agora_worker::load_output(&blobs, &job, &claim).await?;
    let engine = context.engine(device).await?;
    match agora_worker::check_claim(engine, job, inputs, claim, output, rand::random()).await? {
        Verdict::Right => Ok("right: checked with a random seed"),
        Verdict::Wrong(place) => Err(CliError::Unverified(format!(
            "the result of task {task} is wrong: {place}"
        ))),
    }
}

#[cfg(test)]
pub fn example() -> Verified {
    let text = || "0x".to_owned();
    Verified {
        task: TaskId(7),
        digest: None,
        claim: Claim::Unusable,
        winner: text(),
        header: 1,
        header_hash: text(),
        compute_root: text(),
        check: None,
    }
}
