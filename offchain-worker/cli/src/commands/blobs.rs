//! `agora blobs`

use crate::{
    args::{BlobsArgs, BlobsCommand, GarbageArgs, GetArgs, PeerArgs, PutArgs, ServeArgs},
    context::{Context, serve_blobs, shutdown},
    exit::CliError,
    output::answer,
};
use agora_blobs::{BlobKey, BlobKind, Blobs, Garbage, Wanted, read, save};
use agora_chain::views::ContributionState;
use agora_primitives::job::{BlobRef, Claim, H256, JobSource, JobSpec};
use codec::DecodeAll;
use serde::Serialize;
use std::{collections::HashSet, path::Path, time::Duration};

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

pub async fn run(context: &Context, args: BlobsArgs) -> Result<(), CliError> {
    match args.command {
        BlobsCommand::Serve(args) => serve(context, &args).await,
        BlobsCommand::Get(args) => get(context, args).await,
        BlobsCommand::Put(args) => put(context, &args).await,
        BlobsCommand::Gc(args) => collect_garbage(context, &args).await,
    }
}

async fn serve(context: &Context, args: &ServeArgs) -> Result<(), CliError> {
    let shutdown = shutdown();
    let blobs = context.source(&PeerArgs::none())?;
    let serving = serve_blobs(&blobs, args.address, &shutdown).await?;
    tracing::info!("Ctrl-C stops.");
    let _ = serving.await;
    Ok(())
}

/// A blob that was stored, or fetched.
#[derive(Serialize)]
pub struct Stored {
    hash: String,
    size: u64,
}

impl Stored {
    fn new(blob: &BlobRef) -> Self {
        Self {
            hash: hex::encode(blob.hash.0),
            size: blob.size,
        }
    }
}

async fn put(context: &Context, args: &PutArgs) -> Result<(), CliError> {
    let content = std::fs::read(&args.file).map_err(|reason| file_error(&args.file, reason))?;
    let blob = BlobRef::to(&content);
    context.blobs()?.put(args.kind.into(), content).await?;
    answer(context, &Stored::new(&blob), |stored| {
        format!("{}  {} bytes", stored.hash, stored.size)
    });
    Ok(())
}

async fn get(context: &Context, args: GetArgs) -> Result<(), CliError> {
    let mut key = [0; 32];
    hex::decode_to_slice(args.hash.trim_start_matches("0x"), &mut key)
        .map_err(|_| CliError::Usage("a hash has 64 hex digits".to_owned()))?;
    let blobs = context.source(&args.peers)?;
    let wanted = find(&blobs, &key, &args).await?;
    save(&blobs, &wanted, args.file.clone()).await?;
    let size = wanted.size;
    let stored = Stored {
        hash: hex::encode(key),
        size,
    };
    answer(context, &stored, |stored| {
        format!("{} bytes, written to {}", stored.size, args.file.display())
    });
    Ok(())
}

/// How the content with this hash is asked for: as what the store has it, or else as an input.
async fn find(blobs: &Blobs, key: &BlobKey, args: &GetArgs) -> Result<Wanted, CliError> {
    let (mut kind, mut known) = (BlobKind::Input, None);
    for one in [BlobKind::Input, BlobKind::Job, BlobKind::Output] {
        if let Some(size) = blobs.store().size_of(one, key).await? {
            (kind, known) = (one, Some(size));
        }
    }
    let size = match args.size.or(known) {
        Some(size) => Some(size),
        None => blobs.size_at_peers(key).await,
    };
    let hash = H256(*key);
    let size = size.ok_or_else(|| CliError::NotFound(format!("neither the blob store nor a peer has {hash:?}")))?;
    if args.size.is_none() && size > args.max_size {
        return Err(CliError::Usage(format!(
            "the blob has {size} bytes; if you want that many, say so with --size {size}"
        )));
    }
    Ok(Wanted::content(kind, &BlobRef { hash, size }))
}

/// What was removed, and what was not.
#[derive(Serialize)]
pub struct Collected {
    removed: u64,
    removed_bytes: u64,
    kept: u64,
}

async fn collect_garbage(context: &Context, args: &GarbageArgs) -> Result<(), CliError> {
    let blobs = context.source(&args.peers)?;
    let wanted = wanted(context, &blobs).await?;
    let age = Duration::from_secs(args.older_than.saturating_mul(DAY));
    let mut sum = Collected {
        removed: 0,
        removed_bytes: 0,
        kept: 0,
    };
    let store = blobs
        .store()
        .collect_garbage(age, |_, key| wanted.contains(key))
        .await?;
    let cache = blobs.cache().collect_garbage(age, |key| wanted.contains(key))?;
    for Garbage {
        removed,
        removed_bytes,
        kept,
    } in [store, cache]
    {
        sum.removed += removed;
        sum.removed_bytes += removed_bytes;
        sum.kept += kept;
    }
    answer(context, &sum, |sum| {
        format!(
            "Removed {} blobs of {} bytes; {} are kept.",
            sum.removed, sum.removed_bytes, sum.kept
        )
    });
    Ok(())
}

/// What tasks need that have not ended: their jobs, inputs and results.
async fn wanted(context: &Context, blobs: &Blobs) -> Result<HashSet<BlobKey>, CliError> {
    let mut wanted = HashSet::new();
    let at = context.client().await?.best().await?;
    // Without a key, what this machine's worker has revealed is kept for its age alone.
    let account = context.account(None).ok();
    for task in at.tasks().await? {
        if task.phase.is_finished() {
            continue;
        }
        let spec = match &task.job {
            JobSource::Inline(spec) => Some(spec.clone()),
            JobSource::Stored(stored) => {
                wanted.insert(stored.spec.hash.0);
                // Whoever does not have the specification, here or at a peer that is named, has no input for it either.
                let bytes = read(blobs, &Wanted::content(BlobKind::Job, &stored.spec)).await;
                bytes
                    .ok()
                    .and_then(|bytes| JobSpec::decode_all(&mut bytes.as_slice()).ok())
            }
        };
        wanted.extend(spec.iter().flat_map(JobSpec::inputs).map(|input| input.hash.0));
        let own = match &account {
            Some(account) => at.contribution(task.id, account).await?.map(|own| own.state),
            None => None,
        };
        let revealed = match own {
            Some(ContributionState::Revealed { claim, .. }) => Some(claim),
            _ => None,
        };
        for claim in [task.chosen.map(|chosen| chosen.claim), revealed] {
            if let Some(Claim::Output { output, states_root }) = claim {
                wanted.extend([output.hash.0, states_root.0]);
            }
        }
    }
    Ok(wanted)
}

fn file_error(path: &Path, reason: std::io::Error) -> CliError {
    CliError::File {
        path: path.display().to_string(),
        reason,
    }
}

#[cfg(test)]
pub fn examples() -> [serde_json::Value; 2] {
    let collected = Collected {
        removed: 1,
        removed_bytes: 2,
        kept: 3,
    };
    [
        serde_json::json!(Stored::new(&BlobRef::to(b"blob"))),
        serde_json::json!(collected),
    ]
}
