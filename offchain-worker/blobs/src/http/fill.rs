//! Fetching a blob from several peers at once.

use super::{
    PeerLimits, Peers, client,
    peer::{Failure, Peer},
    piece,
};
use crate::{
    BlobError, BlobKind, Wanted,
    partial::Partial,
    queue::{Next, Queue},
};
use futures::{StreamExt, stream::FuturesUnordered};
use std::{
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use url::Url;

/// One fetch of a blob. Others of the same blob may run beside it.
struct Fetch<'a> {
    peers: &'a Peers,
    partial: &'a Arc<Partial>,
    queue: &'a Queue,
    /// Why this machine cannot go on.
    failure: Mutex<Option<BlobError>>,
}

/// How one peer does with one blob.
struct Lane<'a> {
    peer: &'a Peer,
    /// Requests in a row that brought nothing.
    failures: AtomicU32,
    /// How often it said that it is busy.
    refusals: AtomicU32,
    is_dropped: AtomicBool,
    /// Whether it has given anything.
    has_given: AtomicBool,
    reason: Mutex<Option<String>>,
}

impl Peers {
    /// Fetches what is missing of `partial` from those who answer at `urls`, all at once, beside others who fetch it from
    /// theirs. What arrives is kept even if it fails. Returns which of them have given a part of it.
    ///
    /// Errors: `Unavailable` if nobody gives what is missing, `DiskFull` and `File` if this machine cannot keep it.
    pub(crate) async fn fill(
        &self,
        kind: BlobKind,
        partial: &Arc<Partial>,
        urls: &[Url],
    ) -> Result<Vec<Url>, BlobError> {
        let blob = *partial.blob();
        let missing = partial.missing(0..blob.size);
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let queue = partial.queue();
        queue.begin(|| pieces(missing, self.limits().piece).collect());
        let fetch = Fetch {
            peers: self,
            partial,
            queue,
            failure: Mutex::default(),
        };
        let mut tried = Vec::new();
        let mut known = Vec::new();
        for url in urls {
            let peer = self.peer(url);
            match peer.rests_for() {
                Some(rest) => tried.push((
                    url.clone(),
                    format!("rests for {} s after failing", rest.as_secs().max(1)),
                )),
                None => known.push(peer),
            }
        }
        let lanes: Vec<Lane<'_>> = known.iter().map(|peer| Lane::new(peer)).collect();
        let deadline = self.limits().longest_fetch(blob.size);
        if tokio::time::timeout(deadline, fetch.run(&lanes)).await.is_err() {
            let slow = lanes.iter().filter(|lane| !lane.is_dropped.load(Ordering::Relaxed));
            let reason = format!("was too slow: the fetch has taken {} s", deadline.as_secs());
            tried.extend(slow.map(|lane| (lane.peer.url.clone(), reason.clone())));
        }
        for lane in &lanes {
            let reason = lane.reason.lock().unwrap_or_else(PoisonError::into_inner).take();
            tried.extend(reason.map(|reason| (lane.peer.url.clone(), reason)));
        }
        if let Some(error) = fetch.failure().take() {
            return Err(error);
        }
        if partial.missing(0..blob.size).is_empty() {
            let givers = lanes.iter().filter(|lane| lane.has_given.load(Ordering::Relaxed));
            return Ok(givers.map(|lane| lane.peer.url.clone()).collect());
        }
        Err(client::unavailable(&Wanted::content(kind, &blob), &tried))
    }
}

impl Fetch<'_> {
    /// Has all peers asked until all is here, this machine has failed, or nobody is left. Requests that are under way then
    /// are broken off.
    async fn run(&self, lanes: &[Lane<'_>]) {
        let mut running = FuturesUnordered::new();
        for _ in 0..self.peers.limits().in_flight.max(1) {
            running.extend(lanes.iter().map(|lane| lane.run(self)));
        }
        loop {
            let changed = self.queue.changed();
            if self.failure().is_some() || self.partial.is_whole() {
                return;
            }
            tokio::select! {
                ended = running.next() => if ended.is_none() { return },
                () = changed => {}
            }
        }
    }

    fn failure(&self) -> MutexGuard<'_, Option<BlobError>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts ranges into pieces of at most `size` bytes, which begin at multiples of it where possible.
fn pieces(ranges: Vec<Range<u64>>, size: u64) -> impl Iterator<Item = Range<u64>> {
    let size = size.clamp(crate::tree::GROUP_BYTES, super::LONGEST_PROOF);
    ranges.into_iter().flat_map(move |range| {
        let mut next = range.start;
        std::iter::from_fn(move || {
            let end = (next / size).saturating_add(1).saturating_mul(size).min(range.end);
            let piece = next..end;
            next = end;
            (piece.start < piece.end).then_some(piece)
        })
    })
}

impl<'a> Lane<'a> {
    fn new(peer: &'a Peer) -> Self {
        Self {
            peer,
            failures: AtomicU32::new(0),
            refusals: AtomicU32::new(0),
            is_dropped: AtomicBool::new(false),
            has_given: AtomicBool::new(false),
            reason: Mutex::new(None),
        }
    }

    /// Asks the peer for one piece after another, until nothing is left or it is given up.
    async fn run(&self, fetch: &Fetch<'_>) {
        let (limits, partial) = (fetch.peers.limits(), fetch.partial);
        let patience = limits.idle / 2;
        let missing = |range| partial.missing(range);
        while !self.is_dropped.load(Ordering::Relaxed) {
            // First the right to ask, then what to ask for: while other fetches keep this peer busy, others get the pieces.
            let permit = self.peer.permit().await;
            let changed = fetch.queue.changed();
            let asked = match fetch.queue.next(&self.peer.url, self.peer.rate(), patience, &missing) {
                Next::Piece(asked) => asked,
                Next::Nothing => return,
                Next::Wait => {
                    drop(permit);
                    // Time passes, too: another peer may have become slow.
                    let _ = tokio::time::timeout(patience.max(Duration::from_millis(1)), changed).await;
                    continue;
                }
            };
            let left = missing(asked.piece.clone());
            let began = Instant::now();
            let (brought, ended) = match (left.first(), left.last()) {
                (Some(first), Some(last)) => piece::fetch(fetch.peers, self.peer, partial, first.start..last.end).await,
                _ => (0, Ok(())),
            };
            drop(permit);
            drop(asked);
            self.peer.brought(brought, began.elapsed());
            self.has_given.fetch_or(brought > 0, Ordering::Relaxed);
            let is_useful = brought > 0 && limits.is_fast(brought, began.elapsed());
            match ended {
                Ok(()) => {
                    self.failures.store(0, Ordering::Relaxed);
                    // What another request to it has found out meanwhile stays true.
                    if !self.is_dropped.load(Ordering::Relaxed) {
                        self.peer.succeeded();
                    }
                }
                Err(Failure::Here(error)) => {
                    fetch.failure().get_or_insert(error);
                    return;
                }
                Err(failure) => match self.after(&failure, is_useful, limits) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => self.drop_peer(&failure),
                },
            }
        }
    }

    /// How long to wait before the peer is asked again. `None`: it is not asked again for this blob.
    fn after(&self, failure: &Failure, is_useful: bool, limits: &PeerLimits) -> Option<Duration> {
        match failure {
            Failure::Broken(_) if is_useful => {
                self.failures.store(0, Ordering::Relaxed);
                Some(Duration::ZERO)
            }
            Failure::Broken(_) => {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                let pause = limits.rest.saturating_mul(failures) / 2;
                (failures < limits.attempts).then_some(pause)
            }
            Failure::Busy(_, pause) => {
                let refusals = self.refusals.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                (refusals < limits.attempts.saturating_mul(4)).then_some(*pause)
            }
            Failure::Absent(_) | Failure::Refused(_) | Failure::Wrong(_) | Failure::Here(_) => None,
        }
    }

    fn drop_peer(&self, failure: &Failure) {
        if !self.is_dropped.swap(true, Ordering::Relaxed) {
            self.peer.failed(failure);
            let mut reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
            *reason = Some(failure.to_string());
        }
    }
}
