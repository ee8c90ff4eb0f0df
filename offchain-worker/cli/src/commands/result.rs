//! `agora result`

use crate::{
    args::{ResultArgs, ResultFormat},
    context::Context,
    exit::CliError,
    jobs,
    output::answer,
};
use agora_blobs::{BlobKind, Wanted, read, save};
use agora_primitives::TaskId;
use serde::Serialize;

#[derive(Serialize)]
pub struct Fetched {
    task: TaskId,
    status: String,
    digest: String,
    bytes: u64,
    file: Option<String>,
}

pub async fn run(context: &Context, args: ResultArgs) -> Result<(), CliError> {
    let task = TaskId(args.task);
    if args.file.is_none() && args.format != ResultFormat::Raw {
        return Err(CliError::Usage("--format needs --file, the file to write".to_owned()));
    }
    let client = context.client().await?;
    let at = client.best().await?;
    let view = at.task(task).await?;
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
    let blobs = agora_worker::with_sources(&context.source(&args.peers)?, &at, &view, None).await;
    let wanted = Wanted::content(BlobKind::Output, output);
    match (&args.file, args.format) {
        (Some(path), ResultFormat::Raw) => save(&blobs, &wanted, path.clone()).await?,
        (Some(path), format) => {
            let content = read(&blobs, &wanted).await?;
            let (job, inputs) = agora_worker::load_job(&blobs, &view.job).await?;
            let converted = jobs::convert(&job, &inputs, &content, format)?;
            std::fs::write(path, converted).map_err(|reason| CliError::File {
                path: path.display().to_string(),
                reason,
            })?;
        }
        (None, _) => _ = read(&blobs, &wanted).await?,
    }
    let fetched = Fetched {
        task,
        status: view.phase.to_string(),
        digest: format!("{:#x}", output.hash),
        bytes: output.size,
        file: args.file.as_ref().map(|path| path.display().to_string()),
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

#[cfg(test)]
pub fn example() -> Fetched {
    Fetched {
        task: TaskId(7),
        status: "settled".to_owned(),
        digest: "0x".to_owned(),
        bytes: 1,
        file: None,
    }
}
