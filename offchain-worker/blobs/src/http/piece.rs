//! One request: a range of a blob, each group of which is checked before it is written.

use super::{
    PROOF_TYPE, Peers, client,
    incoming::{Incoming, incoming, pump},
    peer::{Failure, Peer},
};
use crate::{
    BlobError,
    partial::{Partial, Writer},
    tree,
};
use agora_jobs::BlobRef;
use bao_tree::{
    ChunkRanges,
    io::{DecodeError, sync::DecodeResponseIter},
};
use reqwest::header::CONTENT_TYPE;
use std::{ops::Range, sync::Arc};

/// Fetches `range` of `partial` from `peer`. The caller has its permit. Returns how many bytes have arrived, also if it fails.
pub async fn fetch(
    peers: &Peers,
    peer: &Peer,
    partial: &Arc<Partial>,
    range: Range<u64>,
) -> (u64, Result<(), Failure>) {
    let answer = match ask(peers, peer, partial.blob(), &range).await {
        Ok(answer) => answer,
        Err(failure) => return (0, Err(failure)),
    };
    let (sender, incoming) = incoming();
    let reader = {
        let partial = Arc::clone(partial);
        tokio::task::spawn_blocking(move || decode(&partial, range, incoming))
    };
    let sent = pump(answer, peers.limits(), sender).await;
    let (brought, decoded) = match reader.await {
        Ok(decoded) => decoded,
        Err(panic) => {
            let failure = Failure::Here(BlobError::File {
                path: partial.path().to_owned(),
                reason: std::io::Error::other(panic),
            });
            return (0, Err(failure));
        }
    };
    let ended = match (decoded, sent) {
        (Ok(()), _) => Ok(()),
        (Err(failure @ (Failure::Wrong(_) | Failure::Here(_))), _) => Err(failure),
        // It ended too early because of what the sender saw.
        (Err(_), Err(failure)) | (Err(failure), Ok(())) => Err(failure),
    };
    (brought, ended)
}

/// Asks for `range` of `blob`, and looks at the head of the answer.
async fn ask(peers: &Peers, peer: &Peer, blob: &BlobRef, range: &Range<u64>) -> Result<reqwest::Response, Failure> {
    let name = hex::encode(blob.hash.0);
    let query = format!("proof={}-{}", range.start, range.end.saturating_sub(1));
    let answer = peers
        .ask(reqwest::Method::GET, peer, ["blobs", &name], Some(&query))
        .await?;
    let wanted = tree::proof_len(blob, &tree::groups(blob, range.clone()));
    inspect(&answer, blob.size, wanted)?;
    Ok(answer)
}

/// Refuses an answer by its head.
fn inspect(answer: &reqwest::Response, size: u64, wanted: u64) -> Result<(), Failure> {
    let kind = answer.headers().get(CONTENT_TYPE).map(|kind| kind.as_bytes());
    if kind != Some(PROOF_TYPE.as_bytes()) {
        return Err(Failure::Absent(format!("it does not serve {PROOF_TYPE}")));
    }
    // A publisher may have promised another length than that of the content: then those who have the content are right, and it
    // is not to be had.
    match client::size(answer) {
        Some(found) if found != size => {
            return Err(Failure::Absent(format!("its blob has {found} bytes, not {size}")));
        }
        _ => {}
    }
    match answer.content_length() {
        Some(length) if length != wanted => Err(Failure::Wrong(format!(
            "it announces {length} bytes where {wanted} were asked for"
        ))),
        _ => Ok(()),
    }
}

/// Checks and writes what comes in. Returns how many bytes have arrived.
fn decode(partial: &Partial, range: Range<u64>, incoming: Incoming) -> (u64, Result<(), Failure>) {
    let blob = partial.blob();
    let groups = tree::groups(blob, range);
    let mut writer = match partial.writer() {
        Ok(writer) => writer,
        Err(error) => return (0, Err(Failure::Here(error))),
    };
    let written = write(&mut writer, blob, incoming, &groups);
    // What came before a break has arrived.
    let flushed = writer.flush().map_err(Failure::Here);
    (writer.arrived(), flushed.and(written))
}

fn write(writer: &mut Writer<'_>, blob: &BlobRef, incoming: Incoming, groups: &ChunkRanges) -> Result<(), Failure> {
    for item in DecodeResponseIter::new(blob.hash.0.into(), tree::shape(blob), incoming, groups) {
        match item {
            Ok(item) => writer.write(item).map_err(Failure::Here)?,
            Err(DecodeError::ParentHashMismatch(_) | DecodeError::LeafHashMismatch(_)) => {
                return Err(Failure::Wrong("it sent bytes that are not of this blob".to_owned()));
            }
            Err(_) => return Err(Failure::Broken("the answer ended too early".to_owned())),
        }
    }
    Ok(())
}
