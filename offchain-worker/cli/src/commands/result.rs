//! `agora result`

use crate::{
    args::{ResultArgs, ResultFormat},
    context::Context,
    exit::CliError,
    jobs,
    output::answer,
};
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
    if args.output.is_none() && args.format != ResultFormat::Raw {
        return Err(CliError::Usage("--format needs --output, the file to write".to_owned()));
    }
    let client = context.client().await?;
    let view = client.best().await?.task(task).await?;
    let view = view.ok_or_else(|| CliError::NotFound(format!("the chain does not know task {task}")))?;
    let chosen = view
        .chosen
        .as_ref()
        .ok_or_else(|| CliError::NotFound(format!("task {task} has no result: it is {}", view.phase)))?;
    let output = chosen.claim.output().ok_or_else(|| {
        CliError::NotFound(format!(
            "task {task} has no output: workers found that its inputs are not what its kind of job demands"
        ))
    })?;
    let content = context
        .blobs()?
        .get(BlobKind::Output, &output.hash.0, MAX_BYTES)
        .await?;
    let file = match &args.output {
        Some(path) => {
            let content = match args.format {
                ResultFormat::Raw => content.clone(),
                format => {
                    let (job, inputs) = agora_worker::load_job(&context.blobs()?, &view.job).await?;
                    jobs::convert(&job, &inputs, &content, format)?
                }
            };
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
        status: view.phase.to_string(),
        digest: format!("{:?}", output.hash),
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
