//! Fetching a blob from several peers at once.

use super::{
    Peers, client,
    peer::{Failure, Peer},
    piece,
};
use crate::{BlobError, BlobKind, Wanted, partial::Partial};
use futures::{StreamExt, stream::FuturesUnordered};
use std::{
    collections::VecDeque,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use url::Url;

/// What is still to be asked for.
struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    pieces: VecDeque<Range<u64>>,
    in_flight: Vec<Flight>,
    next_id: u64,
    /// Why this machine cannot go on.
    failure: Option<BlobError>,
}

/// A piece that a peer was asked for.
struct Flight {
    id: u64,
    piece: Range<u64>,
    peer: Url,
    began: Instant,
    /// Whether two peers were asked for it.
    is_doubled: bool,
}

/// What a peer with nothing to do is to be asked for.
enum Next {
    Piece(u64, Range<u64>),
    /// Nothing now. Others may give theirs back.
    Wait,
    Nothing,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece for `peer`. When there are no more, one for which another peer has taken longer than `patience`.
    fn next(&self, peer: &Url, patience: Duration) -> Next {
        let mut state = self.state();
        if state.failure.is_some() {
            return Next::Nothing;
        }
        let (piece, is_doubled) = match state.pieces.pop_front() {
            Some(piece) => (piece, false),
            None if state.in_flight.is_empty() => return Next::Nothing,
            None => {
                let slow = |flight: &&mut Flight| {
                    !flight.is_doubled && flight.peer != *peer && flight.began.elapsed() >= patience
                };
                let Some(slow) = state.in_flight.iter_mut().find(slow) else {
                    return Next::Wait;
                };
                slow.is_doubled = true;
                (slow.piece.clone(), true)
            }
        };
        let id = state.next_id;
        state.next_id = id.saturating_add(1);
        state.in_flight.push(Flight {
            id,
            piece: piece.clone(),
            peer: peer.clone(),
            began: Instant::now(),
            is_doubled,
        });
        Next::Piece(id, piece)
    }

    /// A piece has ended, of which these ranges are missing.
    fn give_back(&self, id: u64, missing: Vec<Range<u64>>) {
        let mut state = self.state();
        let ended = state.in_flight.iter().position(|flight| flight.id == id);
        if let Some(ended) = ended.map(|place| state.in_flight.swap_remove(place)) {
            match state.in_flight.iter_mut().find(|other| other.piece == ended.piece) {
                // The other peer brings it, or gives it back; if that one is slow, a third may be asked.
                Some(other) => other.is_doubled = false,
                None => missing
                    .into_iter()
                    .rev()
                    .for_each(|range| state.pieces.push_front(range)),
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

/// How one peer does with one blob.
struct Lane<'a> {
    peer: &'a Peer,
    /// Requests in a row that brought nothing.
    failures: AtomicU32,
    /// How often it said that it is busy.
    refusals: AtomicU32,
    is_dropped: AtomicBool,
    reason: Mutex<Option<String>>,
}

impl Peers {
    /// Fetches what is missing of `partial` from those who answer at `urls`, all at once. What arrives is kept even if it
    /// fails.
    ///
    /// Errors: `Unavailable` if nobody gives what is missing, `DiskFull` and `File` if this machine cannot keep it.
    pub(crate) async fn fill(&self, kind: BlobKind, partial: &Arc<Partial>, urls: &[Url]) -> Result<(), BlobError> {
        let blob = *partial.blob();
        let missing = partial.missing(0..blob.size);
        if missing.is_empty() {
            return Ok(());
        }
        let queue = Queue {
            state: Mutex::new(State {
                pieces: pieces(missing, self.limits().piece).collect(),
                in_flight: Vec::new(),
                next_id: 0,
                failure: None,
            }),
            changed: Notify::new(),
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
        if tokio::time::timeout(deadline, self.run(&lanes, partial, &queue))
            .await
            .is_err()
        {
            let slow = lanes.iter().filter(|lane| !lane.is_dropped.load(Ordering::Relaxed));
            let reason = format!("was too slow: the fetch has taken {} s", deadline.as_secs());
            tried.extend(slow.map(|lane| (lane.peer.url.clone(), reason.clone())));
        }
        for lane in &lanes {
            let reason = lane.reason.lock().unwrap_or_else(PoisonError::into_inner).take();
            tried.extend(reason.map(|reason| (lane.peer.url.clone(), reason)));
        }
        if let Some(error) = queue.state().failure.take() {
            return Err(error);
        }
        if partial.missing(0..blob.size).is_empty() {
            return Ok(());
        }
        Err(client::unavailable(&Wanted::content(kind, &blob), &tried))
    }
}

impl Peers {
    /// Has all peers asked until all is here, this machine has failed, or nobody is left. Requests that are under way then
    /// are broken off.
    async fn run(&self, lanes: &[Lane<'_>], partial: &Arc<Partial>, queue: &Queue) {
        let mut running = FuturesUnordered::new();
        for _ in 0..self.limits().in_flight.max(1) {
            running.extend(lanes.iter().map(|lane| lane.run(self, partial, queue)));
        }
        loop {
            let changed = queue.changed.notified();
            if queue.state().failure.is_some() || partial.missing(0..partial.blob().size).is_empty() {
                return;
            }
            tokio::select! {
                ended = running.next() => if ended.is_none() { return },
                () = changed => {}
            }
        }
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

/// How many bytes ranges have.
fn length(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum()
}

impl<'a> Lane<'a> {
    fn new(peer: &'a Peer) -> Self {
        Self {
            peer,
            failures: AtomicU32::new(0),
            refusals: AtomicU32::new(0),
            is_dropped: AtomicBool::new(false),
            reason: Mutex::new(None),
        }
    }

    /// Asks the peer for one piece after another, until nothing is left or it is given up.
    async fn run(&self, peers: &Peers, partial: &Arc<Partial>, queue: &Queue) {
        let patience = peers.limits().idle / 2;
        while !self.is_dropped.load(Ordering::Relaxed) {
            // First the right to ask, then what to ask for: while other fetches keep this peer busy, others get the pieces.
            let permit = self.peer.permit().await;
            let changed = queue.changed.notified();
            let (id, piece) = match queue.next(&self.peer.url, patience) {
                Next::Piece(id, piece) => (id, piece),
                Next::Nothing => return,
                Next::Wait => {
                    drop(permit);
                    // Time passes, too: another peer may have become slow.
                    let _ = tokio::time::timeout(patience.max(Duration::from_millis(1)), changed).await;
                    continue;
                }
            };
            let before = partial.missing(piece.clone());
            let began = Instant::now();
            let fetched = match (before.first(), before.last()) {
                (Some(first), Some(last)) => piece::fetch(peers, self.peer, partial, first.start..last.end).await,
                _ => Ok(()),
            };
            drop(permit);
            let missing = partial.missing(piece);
            let brought = length(&before).saturating_sub(length(&missing));
            queue.give_back(id, missing);
            let is_useful = brought > 0 && peers.limits().is_fast(brought, began.elapsed());
            match fetched {
                Ok(()) => {
                    self.failures.store(0, Ordering::Relaxed);
                    // What another request to it has found out meanwhile stays true.
                    if !self.is_dropped.load(Ordering::Relaxed) {
                        self.peer.succeeded();
                    }
                }
                Err(Failure::Here(error)) => {
                    queue.state().failure.get_or_insert(error);
                    queue.changed.notify_waiters();
                    return;
                }
                Err(failure) => match self.after(&failure, is_useful, peers) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => self.drop_peer(&failure),
                },
            }
        }
    }

    /// How long to wait before the peer is asked again. `None`: it is not asked again for this blob.
    fn after(&self, failure: &Failure, is_useful: bool, peers: &Peers) -> Option<Duration> {
        let limits = peers.limits();
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
