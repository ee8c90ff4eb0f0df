//! `agora result`

use crate::{args::ResultArgs, context::Context, exit::CliError, output::answer};
use agora_blobs::BlobKind;
use agora_primitives::TaskId;
use serde::Serialize;

/// Largest result that is fetched: 1 GiB.
const MAX_BYTES: u64 = 1 << 30;

#[derive(Serialize)]
struct Fetched {
    task: TaskId,
    status: String,
    digest: String,
    bytes: usize,
    file: Option<String>,
}

pub async fn run(context: &Context, args: ResultArgs) -> Result<(), CliError> {
    let task = TaskId(args.task);
    let client = context.client().await?;
    let view = client.best().await?.task(task).await?;
    let view = view.ok_or_else(|| CliError::NotFound(format!("the chain does not know task {task}")))?;
    let chosen = view
        .chosen
        .as_ref()
        .ok_or_else(|| CliError::NotFound(format!("task {task} has no result: it is {}", view.status)))?;
    let content = context
        .blobs()?
        .get(BlobKind::Output, &chosen.digest.0, MAX_BYTES)
        .await?;
    let file = match &args.output {
        Some(path) => {
            std::fs::write(path, &content).map_err(|reason| CliError::File {
                path: path.display().to_string(),
                reason,
            })?;
            Some(path.display().to_string())
        }
        None => None,
    };
    let fetched = Fetched {
        task,
        status: view.status.to_string(),
        digest: format!("{:?}", chosen.digest),
        bytes: content.len(),
        file,
    };
    answer(context, &fetched, |fetched| {
        let place = fetched
            .file
            .as_deref()
            .map(|file| format!(", written to {file}"))
            .unwrap_or_default();
        format!(
            "Task {} ({}): {} bytes, digest {}{place}",
            task, fetched.status, fetched.bytes, fetched.digest
        )
    });
    Ok(())
}
