//! `agora result`

use crate::{
    args::{ResultArgs, ResultFormat},
    context::Context,
    exit::CliError,
    jobs,
    output::{answer, warn},
};
use agora_blobs::{BlobError, BlobKind, Blobs, Origin, Wanted, read, save};
use agora_chain::AtBlock;
use agora_primitives::TaskId;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
pub struct Fetched {
    task: TaskId,
    status: String,
    digest: String,
    bytes: u64,
    /// Where the output was had from: `store`, `cache`, or the addresses of those who gave it.
    from: Vec<String>,
    file: Option<String>,
    /// Items of a program that did not end well: that is their result.
    warnings: Vec<String>,
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
    let origin = fetch(&blobs, &at, &wanted).await?;
    // Without the specification a result can be had all the same, as it is.
    let spec = agora_worker::load_spec(&blobs, &view.job).await;
    let may_fail = spec.as_ref().is_ok_and(jobs::may_fail);
    let content = match (&args.file, args.format) {
        (Some(path), ResultFormat::Raw) if !may_fail => {
            save(&blobs, &wanted, path.clone()).await?;
            None
        }
        // What is private may be damaged.
        _ => Some(read(&blobs, &wanted).await?),
    };
    if let (Some(path), Some(content)) = (&args.file, &content) {
        match args.format {
            ResultFormat::Raw => write(path, content)?,
            ResultFormat::Records => {
                let (job, _) = agora_worker::load_job(&blobs, &view.job).await?;
                write_all(path, &jobs::files(&job, content)?)?;
            }
            format => {
                let (job, inputs) = agora_worker::load_job(&blobs, &view.job).await?;
                write(path, &jobs::convert(&job, &inputs, content, format)?)?;
            }
        }
    }
    let warnings = match (&spec, &content) {
        (Ok(spec), Some(content)) => few(jobs::failures(spec, content)),
        _ => Vec::new(),
    };
    warnings.iter().for_each(|one| warn(one));
    let fetched = Fetched {
        task,
        status: view.phase.to_string(),
        digest: format!("{:#x}", output.hash),
        bytes: output.size,
        from: named(&origin),
        file: args.file.as_ref().map(|path| path.display().to_string()),
        warnings,
    };
    answer(context, &fetched, |fetched| {
        let place = fetched
            .file
            .as_deref()
            .map(|file| format!(", written to {file}"))
            .unwrap_or_default();
        format!(
            "Task {} ({}): {} bytes, digest {}, from {}{place}",
            task,
            fetched.status,
            fetched.bytes,
            fetched.digest,
            fetched.from.join(", ")
        )
    });
    Ok(())
}

/// So many failures are told one by one.
const FEW: usize = 20;

/// The first of these lines, and how many there are more.
fn few(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(FEW);
    lines.truncate(FEW);
    lines.extend((more > 0).then(|| format!("and {more} items more")));
    lines
}

fn write(path: &Path, content: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, content).map_err(|reason| failed(path, reason))
}

/// Writes `files` into `folder`, which is made if it is not there.
fn write_all(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), CliError> {
    std::fs::create_dir_all(folder).map_err(|reason| failed(folder, reason))?;
    files
        .iter()
        .try_for_each(|(name, content)| write(&folder.join(name), content))
}

fn failed(path: &Path, reason: std::io::Error) -> CliError {
    let path = path.display().to_string();
    CliError::File { path, reason }
}

/// Fetches an output to this machine: from the store, the cache, or those who have a part in the task; where none of them gives it, from
/// verifiers, who have what they have checked, and what they have computed because nobody gave it.
async fn fetch(blobs: &Blobs, at: &AtBlock, wanted: &Wanted) -> Result<Origin, CliError> {
    match blobs.fetch_with_origin(wanted).await {
        Err(error @ (BlobError::NotFound { .. } | BlobError::Unavailable { .. })) => {
            let verifiers = agora_worker::with_verifiers(blobs, at).await;
            let fetched = verifiers.fetch_with_origin(wanted).await;
            // What those who should have it say is worth more than that strangers do not have it.
            fetched.map(|(_, origin)| origin).map_err(|_| error.into())
        }
        fetched => Ok(fetched?.1),
    }
}

/// An origin for people and programs.
fn named(origin: &Origin) -> Vec<String> {
    match origin {
        Origin::Store => vec!["store".to_owned()],
        Origin::Cache => vec!["cache".to_owned()],
        Origin::Peers(urls) => urls.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
pub fn example() -> Fetched {
    Fetched {
        task: TaskId(7),
        status: "settled".to_owned(),
        digest: "0x".to_owned(),
        bytes: 1,
        from: named(&Origin::Store),
        file: None,
        warnings: vec!["item 3: out of gas".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_failures_are_told_one_by_one() {
        let lines = |count: usize| (0..count).map(|item| format!("item {item}")).collect::<Vec<_>>();
        assert_eq!(few(lines(FEW)), lines(FEW));
        let told = few(lines(FEW + 3));
        assert_eq!(
            (&told[..FEW], &told[FEW..]),
            (&lines(FEW)[..], &["and 3 items more".to_owned()][..])
        );
    }
}
