//! The answers of the server.

use super::{
    LONGEST_PROOF, PROOF_TYPE, SIZE_HEADER, Served,
    range::{self, Part},
};
use crate::{BlobError, BlobKey, joined::ReadAhead, tree};
use agora_jobs::{BlobRef, H256};
use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Method, StatusCode, header, response::Builder},
    response::Response,
};
use bao_tree::io::sync::{encode_ranges, encode_ranges_validated};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use std::{fs::File, io, ops::Range, path::PathBuf};
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt},
    sync::mpsc,
};

/// Bytes that are read from disk at a time.
const READ_AT_ONCE: usize = 1 << 18;
/// How many such pieces wait for the network.
const AHEAD: usize = 2;

/// `GET` and `HEAD` of `/blobs/{hash}`.
pub async fn blob(
    State(served): State<Served>,
    Path(hash): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Some(key) = key_of(&hash) else {
        return refusal(StatusCode::NOT_FOUND, "a hash has 64 digits, 0 to 9 and a to f");
    };
    let found = match served.content(&key) {
        Ok(Some(found)) => found,
        Ok(None) => return refusal(StatusCode::NOT_FOUND, "there is no such blob here"),
        Err(error) => return failure(&error),
    };
    let answer = match query.as_deref() {
        None | Some("") => plain(&hash, found, &method, &headers).await,
        Some(query) => match query.strip_prefix("proof=") {
            Some(range) => proof(&served, &key, found, range, &method).await,
            None => return refusal(StatusCode::BAD_REQUEST, "the only query is proof=first-last"),
        },
    };
    answer.unwrap_or_else(|error| failure(&error))
}

/// `GET` and `HEAD` of `/states/{root}`.
pub async fn states(
    State(served): State<Served>,
    Path(root): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Some(key) = key_of(&root) else {
        return refusal(StatusCode::NOT_FOUND, "a root has 64 digits, 0 to 9 and a to f");
    };
    match served.states(&key) {
        Ok(Some(found)) => plain(&root, found, &method, &headers)
            .await
            .unwrap_or_else(|error| failure(&error)),
        Ok(None) => refusal(StatusCode::NOT_FOUND, "there is no such list of states here"),
        Err(error) => failure(&error),
    }
}

/// The bytes themselves, or a range of them.
async fn plain(
    name: &str,
    (path, size): (PathBuf, u64),
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, BlobError> {
    let tag = format!("\"{name}\"");
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &header::HeaderValue| value.to_str().ok())
    };
    if let Some(known) = text(header::IF_NONE_MATCH)
        && (known.trim() == "*" || known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag))
    {
        return Ok(finish(about(StatusCode::NOT_MODIFIED, &tag), Body::empty()));
    }
    // A range of another content than the one that was begun with is of no use.
    let is_same = text(header::IF_RANGE).is_none_or(|known| known.trim() == tag);
    let part = match text(header::RANGE) {
        Some(range) if is_same => range::parse(range, size),
        _ => Part::Whole,
    };
    let (status, range) = match part {
        Part::Whole => (StatusCode::OK, 0..size),
        Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Beyond => {
            let answer = about(StatusCode::RANGE_NOT_SATISFIABLE, &tag);
            let answer = answer.header(header::CONTENT_RANGE, format!("bytes */{size}"));
            return Ok(finish(answer, Body::empty()));
        }
    };
    let len = range.end.saturating_sub(range.start);
    let mut answer = about(status, &tag)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, len)
        .header(SIZE_HEADER, size);
    if status == StatusCode::PARTIAL_CONTENT {
        let last = range.end.saturating_sub(1);
        answer = answer.header(header::CONTENT_RANGE, format!("bytes {}-{last}/{size}", range.start));
    }
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        let mut file = tokio::fs::File::open(&path)
            .await
            .map_err(|error| BlobError::file(&path, error))?;
        file.seek(io::SeekFrom::Start(range.start))
            .await
            .map_err(|error| BlobError::file(&path, error))?;
        file.set_max_buf_size(READ_AT_ONCE);
        read_body(file, len)
    };
    Ok(finish(answer, body))
}

/// The next `left` bytes of `file`.
fn read_body(file: tokio::fs::File, left: u64) -> Body {
    Body::from_stream(futures::stream::try_unfold(
        (file, left),
        |(mut file, left)| async move {
            let next = usize::try_from(left).unwrap_or(READ_AT_ONCE).min(READ_AT_ONCE);
            if next == 0 {
                return Ok::<_, io::Error>(None);
            }
            let mut piece = BytesMut::with_capacity(next);
            if (&mut file).take(next as u64).read_buf(&mut piece).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let left = left.saturating_sub(piece.len() as u64);
            Ok(Some((piece.freeze(), (file, left))))
        },
    ))
}

/// A range with the proof that it is one: hash pairs and groups, in pre-order.
async fn proof(
    served: &Served,
    key: &BlobKey,
    (path, size): (PathBuf, u64),
    range: &str,
    method: &Method,
) -> Result<Response, BlobError> {
    let Some(range) = range::parse_exact(range, size) else {
        let message = "proof=first-last takes the first and the last byte of a range of the blob";
        let mut answer = refusal(StatusCode::RANGE_NOT_SATISFIABLE, message);
        answer.headers_mut().insert(SIZE_HEADER, size.into());
        return Ok(answer);
    };
    if range.end.saturating_sub(range.start) > LONGEST_PROOF {
        let message = "a range that is proven has at most 16 MiB: ask for several";
        return Ok(refusal(StatusCode::BAD_REQUEST, message));
    }
    let blob = BlobRef { hash: H256(*key), size };
    let groups = tree::groups(&blob, range.clone());
    let last = range.end.saturating_sub(1);
    let answer = about(
        StatusCode::OK,
        &format!("\"{}.{}-{last}\"", hex::encode(key), range.start),
    )
    .header(header::CONTENT_TYPE, PROOF_TYPE)
    .header(header::CONTENT_LENGTH, tree::proof_len(&blob, &groups))
    .header(SIZE_HEADER, size);
    if method == Method::HEAD {
        return Ok(finish(answer, Body::empty()));
    }
    let Some(pairs) = served.tree(key, &path, size).await? else {
        return Ok(refusal(StatusCode::NOT_FOUND, "there is no such blob here"));
    };
    let mut proof = proof_pieces(served.clone(), blob, path, pairs, range)?;
    // While nothing is sent yet, it can be told that nothing will be.
    let first = match proof.recv().await {
        Some(Err(_)) => return Ok(unreadable()),
        first => first,
    };
    let rest = futures::stream::unfold(proof, |mut proof| async move {
        proof.recv().await.map(|piece| (piece, proof))
    });
    let body = Body::from_stream(futures::stream::iter(first).chain(rest));
    Ok(finish(answer, body))
}

/// Has a thread read, check and encode the groups of `range` while they are sent.
fn proof_pieces(
    served: Served,
    blob: BlobRef,
    path: PathBuf,
    pairs: File,
    range: Range<u64>,
) -> Result<mpsc::Receiver<io::Result<Bytes>>, BlobError> {
    let data = File::open(&path).map_err(|error| BlobError::file(&path, error))?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let groups = tree::groups(&blob, range);
        let mut out = Sending::new(sender.clone());
        let (data, pairs) = (ReadAhead::of(data), tree::in_file(&blob, ReadAhead::of(pairs)));
        let state = served.states_of(&blob.hash.0, &path);
        let is_right = state.is_some_and(|state| served.is_right(&path, &groups, state));
        let encoded = if is_right {
            encode_ranges(data, pairs, &groups, &mut out)
        } else {
            let encoded = encode_ranges_validated(data, pairs, &groups, &mut out);
            if let (Ok(()), Some(state)) = (&encoded, state) {
                served.remember_right(&path, &groups, state);
            }
            encoded
        };
        let sent = encoded
            .map_err(io::Error::from)
            .and_then(|()| io::Write::flush(&mut out));
        match sent {
            // The other side has gone.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => {
                // Whether it is the file is found out when the tree is computed again; then it is said.
                tracing::debug!(file = ?path, %error, "A blob does not fit its tree, which is computed again.");
                served.forget_tree(&blob.hash.0);
                // If something was sent the answer ends too early, which the other side sees by its length.
                let _ = sender.blocking_send(Err(error));
            }
            Ok(()) => {}
        }
    });
    Ok(receiver)
}

/// Hands what is written over to an answer, in pieces.
struct Sending {
    to: mpsc::Sender<io::Result<Bytes>>,
    pending: BytesMut,
}

impl Sending {
    fn new(to: mpsc::Sender<io::Result<Bytes>>) -> Self {
        let pending = BytesMut::with_capacity(READ_AT_ONCE);
        Self { to, pending }
    }
}

impl io::Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len().saturating_add(bytes.len()) > READ_AT_ONCE {
            self.flush()?;
        }
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.pending, BytesMut::with_capacity(READ_AT_ONCE));
        let sent = self.to.blocking_send(Ok(piece.freeze()));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// What is true of every answer about content: it never changes, and no browser should run it.
fn about(status: StatusCode, tag: &str) -> Builder {
    Response::builder()
        .status(status)
        .header(header::ETAG, tag)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CACHE_CONTROL, "public, max-age=31536000, immutable")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'")
        .header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .header(header::ACCESS_CONTROL_EXPOSE_HEADERS, SIZE_HEADER)
}

fn finish(answer: Builder, body: Body) -> Response {
    answer
        .body(body)
        .unwrap_or_else(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "the answer cannot be written"))
}

/// An answer without content, for people.
pub fn refusal(status: StatusCode, message: &'static str) -> Response {
    let mut answer = Response::new(Body::from(format!("{message}\n")));
    *answer.status_mut() = status;
    let plain = header::HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}

/// An answer about a failure of this machine, whose paths are nobody's business.
fn failure(error: &BlobError) -> Response {
    tracing::error!(%error, "A blob cannot be served.");
    unreadable()
}

/// The answer where the files cannot be used.
fn unreadable() -> Response {
    refusal(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the blob cannot be read; try another peer",
    )
}

/// The key that a path names.
fn key_of(text: &str) -> Option<BlobKey> {
    let is_canonical = text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    is_canonical.then(|| hex::decode(text).ok()?.try_into().ok())?
}
