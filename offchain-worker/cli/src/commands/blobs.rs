//! `agora blobs`

use crate::{
    args::{BlobsArgs, BlobsCommand, GarbageArgs, GetArgs, PeerArgs, PutArgs, ServeArgs},
    context::{Context, serve_blobs, shutdown},
    exit::CliError,
    output::answer,
};
use agora_blobs::{BlobKey, BlobKind, Blobs, Wanted, save};
use agora_primitives::job::{BlobRef, H256};
use agora_worker::{BlobOwner, LEAST_AGE, needed};
use serde::Serialize;
use std::{path::Path, time::Duration};

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
    let blobs = context.source(&PeerArgs::none())?.without(args.deny.denied());
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
    // So that what cannot be read is told before a store is made.
    std::fs::File::open(&args.file).map_err(|reason| file_error(&args.file, reason))?;
    let blob = context.blobs()?.put_file(args.kind.into(), args.file.clone()).await?;
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
    let blobs = context.source(&args.peers)?.without(args.deny.denied());
    let at = context.client().await?.best().await?;
    // The journal may be in use. Without a key, what this machine's worker has revealed is kept for its age alone.
    let account = context.account(None).ok();
    let owner = account.as_ref().map_or(BlobOwner::Nobody, BlobOwner::Account);
    let wanted = needed(&at, &blobs, owner).await?;
    let age = Duration::from_secs(args.older_than.saturating_mul(DAY)).max(LEAST_AGE);
    let store = blobs
        .store()
        .collect_garbage(age, |_, key| wanted.contains(key))
        .await?;
    let sum = store.and(blobs.cache().collect_garbage(age, |key| wanted.contains(key))?);
    let sum = Collected {
        removed: sum.removed,
        removed_bytes: sum.removed_bytes,
        kept: sum.kept,
    };
    answer(context, &sum, |sum| {
        format!(
            "Removed {} blobs of {} bytes; {} are kept.",
            sum.removed, sum.removed_bytes, sum.kept
        )
    });
    Ok(())
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
